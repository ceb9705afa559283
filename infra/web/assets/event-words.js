/** How events read: what happened, and who caused it. */

import { REASONS } from "./board-words.js";

/** A text with the tone that colours it. @typedef {{ text: string, tone: "" | "accent" | "good" | "warning" | "danger" }} Words */

/** @type {Record<string, Words>} */
const WORDS = Object.fromEntries(
  /** @type {[string, string, Words["tone"]?][]} */ ([
    ["waitlist.created", "List created"],
    ["waitlist.settings-changed", "Settings changed"],
    ["waitlist.opened", "List opened", "good"],
    ["waitlist.closed", "List closed", "warning"],
    ["waitlist.deleted", "List deleted", "danger"],
    ["waitee.joined", "Joined the list"],
    ["waitee.details-changed", "Details changed"],
    ["waitee.called", "Called", "accent"],
    ["waitee.confirmed", "On the way", "accent"],
    ["waitee.seated", "Seated", "good"],
    ["waitee.left", "Left"],
    ["waitee.removed", "Removed", "warning"],
    ["waitee.no-show", "No-show", "warning"],
    ["waitee.restored", "Back to waiting"],
    ["waitee.moved", "Moved in line"],
    ["waitee.erased", "Guest erased", "danger"],
    ["waitee.forgotten", "The guest's key is deleted", "danger"],
    ["user.registered", "Account created"],
    ["user.renamed", "Account renamed"],
    ["user.email-confirmed", "E-mail address confirmed", "good"],
    ["user.password-changed", "Password changed"],
    ["user.operator-granted", "Made an operator", "warning"],
    ["user.operator-revoked", "No longer an operator"],
    ["user.texts-capped", "Daily limit of texts set"],
    ["user.erased", "Account erased", "danger"],
    ["user.forgotten", "The account's key is deleted", "danger"],
    ["session.started", "Signed in"],
    ["session.reuse-detected", "Session ended: a used token came back", "danger"],
    ["session.revoked", "Signed out"],
    ["access.history-read", "History read by an operator", "warning"],
    ["access.history-exported", "History exported"],
  ]).map(([type, text, tone = ""]) => [type, { text, tone }]),
);

/** What messages are about, by the beginning of their ids. @type {Record<string, string>} */
const MESSAGES = {
  "table-ready": "table is ready",
  reminder: "reminder",
  welcome: "welcome",
  confirmation: "confirm the address",
  "password-reset": "new password",
};

const MESSAGE_EVENT = /^(?:waitee\.notification-|mail\.)(started|sent|failed|skipped|bounced)$/;

/** The kinds of events that the audit can be filtered by. */
export const TYPES = Object.keys(WORDS);

/**
 * The step of a message that an event is: `started`, `sent`, `failed`, `skipped` or `bounced`; null for other events.
 * @param {Api.Event} event
 */
export function messageStep(event) {
  return MESSAGE_EVENT.exec(event.type)?.[1] ?? null;
}

/**
 * What happened, by an event or by all events of one message so far.
 * @param {Api.Event[]} events one, or those of a message, oldest first
 * @param {number | null} [now] if these are all events of a message: a lease that ended by then leaves the outcome unknown
 * @returns {Words}
 */
export function wordsOf(events, now = null) {
  const last = events[events.length - 1];
  const step = messageStep(last);
  if (step) return messageWords(events, last, step, now);
  if (last.type === "mail.asked") return { text: `Mail requested: ${MESSAGES[last.data?.kind] ?? last.data?.kind}`, tone: "" };
  return WORDS[last.type] ?? { text: last.type, tone: "" };
}

/**
 * @param {Api.Event[]} events
 * @param {Api.Event} last
 * @param {string} step
 * @param {number | null} now
 * @returns {Words}
 */
function messageWords(events, last, step, now) {
  const data = last.data ?? {};
  const channel = events.map((event) => event.data?.channel).findLast(Boolean);
  const what = channel ? (channel === "email" ? "E-mail" : "Text") : last.type.startsWith("mail") ? "E-mail" : "Message";
  const kind = MESSAGES[String(data.message ?? "").replace(/-\d+$/, "")];
  const about = kind ? ` (${kind})` : "";
  const tries = Math.max(1, ...events.map((event) => event.data?.attempt ?? 1));
  const after = tries > 1 ? ` after ${tries} tries` : "";
  const reason = data.why ?? data.code;
  const why = reason ? `: ${REASONS[reason] ?? reason}` : "";
  switch (step) {
    case "started":
      if (now !== null && Date.parse(data.until) < now) return { text: `${what} may have been sent or not${about}`, tone: "warning" };
      return { text: `${what} being sent${about}`, tone: "" };
    case "sent":
      return { text: `${what} sent${about}${after}`, tone: "good" };
    case "failed":
      return data.again_at
        ? { text: `${what} refused${about}, will be tried again${why}`, tone: "warning" }
        : { text: `${what} failed${about}${after}${why}`, tone: "danger" };
    case "skipped":
      return { text: `${what} not sent${about}${why}`, tone: reason === "needless" ? "" : "warning" };
    default:
      return { text: `${what} came back${about}${why}`, tone: "danger" };
  }
}

/**
 * The person or part of the system that caused an event.
 * @param {string} actor
 * @param {string | null} me the id of the signed-in account
 */
export function actorWords(actor, me) {
  const [kind, id] = actor.split(":");
  if (kind === "user") return id === me ? "You" : "Another account";
  if (kind === "guest") return "The guest";
  if (kind !== "system") return actor;
  const part = { delivery: "messages", tick: "timed work", eraser: "erasure", accounts: "requests without a session" }[id];
  return id === "operator" ? "An operator" : part ? `The system (${part})` : "The system";
}
