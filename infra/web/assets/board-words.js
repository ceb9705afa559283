/** How the board words states, waits and messages. */

import { countdown, minutes, serverNow, timeOfDay, until } from "./time.js";

/** A text with the tone that colours it. @typedef {{ text: string, tone: "" | "accent" | "good" | "warning" | "danger" }} Words */

/** With less than this left until the quoted time, the board shows a warning. */
const SOON_MS = 5 * 60_000;

/** @type {Record<Api.State, string>} */
export const STATES = {
  waiting: "Waiting",
  called: "Called",
  confirmed: "On the way",
  seated: "Seated",
  left: "Left",
  removed: "Removed",
  "no-show": "No-show",
};

/** What a button does, by the command of the route. @type {Record<string, string>} */
export const COMMANDS = {
  call: "Call",
  confirm: "On the way",
  seat: "Seat",
  "no-show": "No-show",
  leave: "Has left",
  remove: "Remove",
  restore: "Back to waiting",
  move: "Move",
};

/** What a command has done. @type {Record<string, string>} */
export const DONE = {
  call: "was called",
  confirm: "is on the way",
  seat: "is seated",
  "no-show": "is marked as a no-show",
  leave: "has left",
  remove: "is removed",
  restore: "waits again",
  move: "was moved",
};

/** Why a message was not sent, or came back. @type {Record<string, string>} */
export const REASONS = {
  late: "it was too late for it",
  needless: "no longer needed",
  "no-address": "no phone or e-mail",
  "account-unconfirmed": "confirm your e-mail address first",
  "other-country": "the number is from another country",
  "not-for-texts": "the number takes no texts",
  erased: "the guest was erased",
  "opted-out": "the guest wants no texts",
  "account-cap": "your daily limit is reached",
  "recipient-cap": "this number got enough messages today",
  permanent: "the address does not exist",
  transient: "the mailbox refused it for now",
  undetermined: "no reason was given",
  complaint: "it was marked as unwanted",
  rejected: "the carrier did not send it",
};

/**
 * The time left until a party's quoted time, or its delay after it.
 * @param {Api.Waitee} party
 * @returns {Words | null} null without a quote
 */
export function quote(party) {
  if (!party.quoted_at) return null;
  const left = until(party.quoted_at);
  if (left < -60_000) return { text: `${minutes(-left)} late`, tone: "danger" };
  if (left <= 60_000) return { text: "Due now", tone: "warning" };
  return { text: `${minutes(left)} left`, tone: left <= SOON_MS ? "warning" : "" };
}

/**
 * @param {Api.Waitee} party
 * @param {string} zone
 */
export function waited(party, zone) {
  const by = party.joined_by === "guest" ? ", joined online" : "";
  return `Waiting ${minutes(serverNow() - Date.parse(party.joined_at))}, since ${timeOfDay(party.joined_at, zone)}${by}`;
}

/**
 * The state of a party after its call, with the countdown of the hold.
 * @param {Api.Waitee} party
 * @returns {Words | null} null while it waits
 */
export function hold(party) {
  if (party.state === "confirmed") return { text: "On the way", tone: "good" };
  if (party.state !== "called") return null;
  const times = party.calls > 1 ? `Called ${party.calls} times` : "Called";
  const left = party.hold_until ? until(party.hold_until) : 0;
  if (left <= 0) return { text: `${times}, hold is over`, tone: "danger" };
  return { text: `${times}, held for ${countdown(left)}`, tone: left < 60_000 ? "warning" : "accent" };
}

/**
 * The last message to a party.
 * @param {Api.Waitee} party
 * @param {string} zone
 * @returns {Words | null}
 */
export function message(party, zone) {
  const last = party.notifications.at(-1);
  if (!last) return null;
  const mail = last.channel ? last.channel === "email" : !party.phone && party.email;
  const what = `${last.kind === "reminder" ? "Reminder" : mail ? "E-mail" : "Text"}`;
  const why = last.reason ? `: ${REASONS[last.reason] ?? last.reason}` : "";
  switch (last.status) {
    case "due":
    case "started":
      return { text: `${what} is being sent`, tone: "" };
    case "sent":
      return { text: `${what} sent ${timeOfDay(last.at, zone)}`, tone: "good" };
    case "unknown":
      return { text: `${what} may not have been sent`, tone: "warning" };
    case "skipped":
      return { text: `${what} not sent${why}`, tone: last.reason === "needless" ? "" : "warning" };
    case "failed":
      return { text: `${what} failed${why}`, tone: "danger" };
    case "bounced":
      return { text: `${what} came back${why}`, tone: "danger" };
  }
}

/**
 * Whether a message has reached the party, or may have: an undo does not take it back.
 * @param {Api.Waitee} party
 */
export function wasTold(party) {
  return party.notifications.some(({ status }) => ["started", "sent", "unknown"].includes(status));
}

/** @param {Api.Party} party */
export function nameOf(party) {
  return party.name ?? "Erased guest";
}

/** @param {number} size */
export function partyOf(size) {
  return size === 1 ? "1 person" : `${size} people`;
}
