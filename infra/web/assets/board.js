/** The board of a list: the parties in line, and what the host does with them. */

import { Problem, Unreachable, newKey } from "./api.js";
import { boardFeed } from "./board-feed.js";
import { DONE, STATES, nameOf, wasTold } from "./board-words.js";
import { confirmed } from "./dialog.js";
import { byId, element, keyed, replace, setText } from "./dom.js";
import { explain } from "./form.js";
import { say } from "./messages.js";
import { openOutbox } from "./outbox.js";
import { openAdd, openEdit } from "./party-form.js";
import { partyRows, question, tickRow } from "./party-row.js";
import { poll } from "./poll.js";
import { SignedOut, accountId, authorized, onSession } from "./session.js";

/** @typedef {import("./outbox-store.js").Tap} Tap */

/** A second tap on a party within this time is taken for a slip of the finger: the buttons change under it. */
const DOUBLE_TAP_MS = 700;

/** Commands that take a party off the board; they can be undone at once. */
const UNDONE = new Set(["seat", "no-show", "leave", "remove"]);

/** Filters by party size: name, smallest and largest. @type {[string, number, number][]} */
const FILTERS = [["All", 1, Infinity], ["1–2", 1, 2], ["3–4", 3, 4], ["5–6", 5, 6], ["7+", 7, Infinity]];

const id = /^[0-9a-f-]{36}$/i.test(location.hash.slice(1)) ? location.hash.slice(1) : "";

/** @type {import("./board-feed.js").Board | null} */
let board = null;
let filter = FILTERS[0];

/** Parties as they were last seen, also after they have left the board. @type {Map<string, Api.Waitee>} */
const seen = new Map();

/** @type {Map<string, number>} */
const tappedAt = new Map();

/** Reads the open list of the day again. @type {(() => Promise<void>) | null} */
let refreshDay = null;

/** Shows a notice in place of the board. @param {string} text @param {string} href @param {string} label */
function leave(text, href, label) {
  polling?.stop();
  byId("board").hidden = true;
  const notice = byId("notice");
  notice.hidden = false;
  replace(notice, element("p", {}, text), element("div", { class: "actions" }, element("a", { class: "button primary", href }, label)));
}

function signedOut() {
  sessionStorage.setItem("waitlist.return", `board#${id}`);
  leave("You are signed out. Taps that wait to be sent are kept on this device.", "./", "Sign in");
}

/** @type {ReturnType<typeof poll> | null} */
let polling = null;
/** @type {Awaited<ReturnType<typeof openOutbox>>} */
let outbox;

async function start() {
  const account = accountId();
  if (!account) return signedOut();
  if (!id) return leave("Choose the list that you want to see.", "./", "Your lists");
  onSession(() => (accountId() === account ? undefined : signedOut()));
  outbox = await openOutbox(account, { changed: render, sent, refused });
  const read = boardFeed(id);
  polling = poll(
    async () => {
      const before = board;
      board = await read();
      for (const party of board.parties) seen.set(party.id, party);
      render();
      void outbox.flush();
      if (board !== before) await refreshDay?.();
    },
    { banner: byId("banner"), refused: (error) => failed(error) },
  );
  setInterval(() => [...byId("parties").children].forEach(tickRow), 1000);
}

/** @param {unknown} error */
function failed(error) {
  if (error instanceof SignedOut) signedOut();
  else if (error instanceof Problem && error.status === 404) leave("There is no such list in your account. It may have been deleted.", "./", "Your lists");
  else say(explain(error), { kind: "danger" });
}

function render() {
  if (!board || !outbox) return;
  const { list, parties } = board;
  document.title = `${list.name} · Waitlist`;
  setText(byId("heading"), list.name);
  const open = byId("open-state");
  setText(open, list.open ? "Open" : "Closed");
  open.className = `badge ${list.open ? "good" : "warning"}`;
  setText(byId("toggle-open"), list.open ? "Close the list" : "Open the list");
  const waiting = outbox.waiting;
  byId("waiting-taps").hidden = waiting === 0 || !outbox.failing;
  setText(byId("waiting-taps"), `${waiting === 1 ? "1 tap is" : `${waiting} taps are`} waiting to be sent.`);
  renderOld(parties);
  const shown = parties.filter(({ party_size }) => party_size >= filter[1] && party_size <= filter[2]);
  renderFilters(parties);
  byId("loading").hidden = true;
  byId("empty").hidden = shown.length > 0;
  setText(byId("empty"), parties.length === 0 ? "No party is waiting." : "No party of this size is waiting.");
  const place = byId("parties");
  const focused = place.contains(document.activeElement);
  keyed(place, shown.map((party, index) => row(party, shown[index - 1], shown[index + 1], list)), rows);
  // The row with the focus has left the board: the keyboard goes on from the list.
  if (focused && !place.contains(document.activeElement)) place.focus({ preventScroll: true });
}

/** @param {Api.Waitee} party @param {Api.Waitee | undefined} before @param {Api.Waitee | undefined} after @param {Api.Waitlist} list */
function row(party, before, after, list) {
  const twin = party.duplicate_of ? seen.get(party.duplicate_of) : null;
  const taps = outbox.lane(party.id);
  return {
    party,
    zone: list.time_zone,
    before: before?.id ?? null,
    after: after?.id ?? null,
    double: twin ? `${nameOf(twin)}, no. ${twin.position}` : party.duplicate_of && "another party",
    taps,
    old: taps.length > 0 && outbox.isOld(taps[0]) ? taps[0] : null,
    sending: taps.length > 0 && outbox.isSending(taps[0]),
    failing: outbox.failing,
  };
}

/** @param {Api.Waitee[]} parties */
function renderFilters(parties) {
  const place = byId("filters");
  if (place.childElementCount === 0) {
    const filters = FILTERS.map((one, index) => {
      const before = element("span", { class: "visually-hidden" }, index === 0 ? "" : "Parties of ");
      return element("button", { type: "button", onclick: () => ((filter = one), render()) }, before, element("span"));
    });
    place.append(...filters);
  }
  FILTERS.forEach((one, index) => {
    const [name, least, most] = one;
    const count = parties.filter(({ party_size }) => party_size >= least && party_size <= most).length;
    const button = place.children[index];
    button.setAttribute("aria-pressed", String(one === filter));
    setText(button.children[1], `${name} · ${count}`);
  });
}

const does = {
  tap,
  edit: (/** @type {string} */ party) => openEdit(/** @type {Api.Waitee} */ (seen.get(party)), (seq) => {
      outbox.wrote(party, seq);
      void polling?.now();
    }),
  erase: (/** @type {string} */ party) => void erase(/** @type {Api.Waitee} */ (seen.get(party))),
  confirm: (/** @type {Tap} */ old) => void outbox.confirm(old),
  discard: (/** @type {Tap} */ waiting) => {
    tappedAt.delete(waiting.party); // the next tap is no slip of the finger
    void outbox.discard(waiting);
  },
};
const rows = partyRows(does);

/** Asks for old taps on parties that this board has no row of. @param {Api.Waitee[]} parties */
function renderOld(parties) {
  const old = outbox.old.filter((tap) => !parties.some((party) => party.id === tap.party));
  keyed(byId("old-taps"), old, {
    key: (tap) => tap.key,
    create: (tap) => {
      const party = seen.get(tap.party);
      return element("div", { class: "notice warning" }, ...question(tap, party ? nameOf(party) : "a party that is not on this board", does));
    },
    update: () => undefined,
  });
}

/** @param {string} party @param {string} command @param {Record<string, string>} [body] */
function tap(party, command, body) {
  const now = performance.now();
  if (now - (tappedAt.get(party) ?? -DOUBLE_TAP_MS) < DOUBLE_TAP_MS) return;
  tappedAt.set(party, now);
  const known = seen.get(party);
  const last = outbox.lane(party).at(-1);
  if (known && !(last?.command === command && command !== "move")) void outbox.tap(known, command, body);
}

/** @param {Tap} done @param {Api.Written} written */
function sent(done, written) {
  void polling?.now();
  const party = seen.get(done.party);
  if (!party) return;
  const told = wasTold(party);
  if (UNDONE.has(done.command)) {
    const undo = () => void outbox.tap({ id: party.id, seq: written.seq }, "restore");
    // A party that was called waits again after that, and must be called again.
    const label = party.state === "waiting" ? "Undo" : "Back to waiting";
    say(`${nameOf(party)} ${DONE[done.command]}.`, { about: party.id, action: { label, run: undo } });
  } else if (done.command === "restore") {
    say(`${nameOf(party)} waits again${told ? ". A message had gone out and cannot be taken back: tell the guest." : "."}`, { about: party.id });
  }
}

/** @param {Tap} tap @param {Problem} error @param {Tap[]} behind */
async function refused({ party, command }, error, behind) {
  void polling?.now();
  const name = nameOf(seen.get(party) ?? { name: "The party", party_size: 0, phone: null, email: null, note: null, quoted_minutes: null, language: null });
  const rest = behind.length > 0 ? " The taps after it were dropped too." : "";
  let why = explain(error);
  if (error.status === 412) why = `This party has changed meanwhile: ${await present(party)}.`;
  else if (error.slug === "invalid-transition" && error.state) why = `The party is already ${STATES[error.state].toLowerCase()}.`;
  else if (error.status === 404) why = "The party is no longer here.";
  const what = { call: "The call", confirm: "“On the way”", seat: "“Seat”", "no-show": "“No-show”", leave: "“Has left”", remove: "“Remove”", restore: "The undo", move: "The move" }[command];
  say(`${name}: ${what} was not done. ${why}${rest}`, { kind: "danger" });
}

/** The present state of a party in words. @param {string} party */
async function present(party) {
  try {
    const { body } = await authorized("GET", `waitees/${party}`);
    seen.set(party, body);
    return `it is now ${STATES[/** @type {Api.State} */ (body.state)].toLowerCase()}${body.position ? `, no. ${body.position}` : ""}, party of ${body.party_size}`;
  } catch {
    return "look at the board";
  }
}

/** @param {Api.Waitee} party */
async function erase(party) {
  const text = "The name, phone, e-mail and note are erased for good, and the party leaves the board. This cannot be undone.";
  if (!(await confirmed(`Erase ${nameOf(party)}?`, text, "Erase the guest"))) return;
  try {
    await authorized("POST", `waitees/${party.id}/erase`, { key: newKey() });
    say("The guest is being erased.");
  } catch (error) {
    say(explain(error), { kind: "danger" });
  }
  void polling?.now();
}

async function toggleOpen() {
  if (!board) return;
  const { list } = board;
  try {
    await authorized("POST", `waitlists/${list.id}/${list.open ? "close" : "open"}`, { key: newKey(), ifMatch: list.seq });
    say(list.open ? "The list is closed: nobody can join." : "The list is open.");
  } catch (error) {
    const stale = error instanceof Problem && error.status === 412;
    say(stale ? "The list has changed meanwhile. Look at it and tap again." : explain(error), { kind: "danger" });
  }
  void polling?.now();
}

/**
 * Opens a dialog whose modules load at its first use: the board loads faster without them.
 * @param {(board: import("./board-feed.js").Board) => Promise<void>} open
 */
async function openLater(open) {
  try {
    if (board) await open(board);
  } catch (cause) {
    say(explain(new Unreachable(cause)), { kind: "danger" });
  }
}

/** @param {import("./board-feed.js").Board} board */
async function everyone({ list }) {
  const { openDay } = await import("./day-list.js");
  const restore = (/** @type {Api.Waitee} */ party) => {
    seen.set(party.id, party);
    if (outbox.lane(party.id).length === 0) void outbox.tap(party, "restore");
  };
  refreshDay = openDay(list, restore, () => (refreshDay = null));
}

const again = () => void polling?.now();
byId("add").addEventListener("click", () =>
  openAdd(id, (_, name) => {
    say(`${name} is on the list.`);
    again();
  }),
);
byId("toggle-open").addEventListener("click", () => void toggleOpen());
byId("day-button").addEventListener("click", () => void openLater(everyone));
byId("link-button").addEventListener("click", () => void openLater(async ({ list }) => (await import("./join-link.js")).openJoinLink(list)));
byId("settings-button").addEventListener("click", () => void openLater(async ({ list }) => (await import("./list-settings.js")).openSettings(list, again)));
byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment names the list
  byId("parties").focus();
});
window.addEventListener("hashchange", () => location.reload());
void start();
