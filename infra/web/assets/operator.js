/** The operator's page: projections with their rebuilds, and dead letters. */

import { Problem } from "./api.js";
import { showDeadLetters } from "./dead-letters.js";
import { byId, element, keyed, replace } from "./dom.js";
import { attempt, begin, problem } from "./owner.js";
import { poll } from "./poll.js";
import { projectionCards } from "./projection-card.js";
import { authorized, session } from "./session.js";

const EVERY_MS = 2000;

/** @type {ReturnType<typeof poll> | null} */
let polling = null;

/** @type {string | null} */
let etag = null;

const cards = projectionCards(() => polling?.now() ?? Promise.resolve());

async function refresh() {
  const answer = await authorized("GET", "projections", { ifNoneMatch: etag });
  byId("loading").hidden = true;
  if (answer.status === 304) return;
  etag = answer.etag;
  byId("desk").hidden = false;
  byId("forbidden").hidden = true;
  keyed(byId("projections"), answer.body.items, cards);
}

/** @param {unknown} error */
function refused(error) {
  if (error instanceof Problem && error.status === 403) {
    polling?.stop();
    polling = null;
    forbidden();
  } else problem(error, () => void show());
}

function forbidden() {
  etag = null;
  byId("loading").hidden = true;
  byId("desk").hidden = true;
  byId("forbidden").hidden = false;
  const email = session()?.email ?? "EMAIL";
  replace(
    byId("forbidden"),
    element("h2", {}, "This page is for operators"),
    element("p", { class: "break" }, `${email} is signed in and is not an operator, so the server refused with 403.`),
    element("p", {}, "The person who runs the server can grant it:"),
    element("pre", { class: "raw command" }, `waitlist operator grant ${email}`),
    element("p", {}, "It takes effect within a minute. Your lists and their history need no such right."),
    element("div", { class: "actions" }, element("button", { type: "button", onclick: () => void show() }, "Try again"), element("a", { class: "button", href: "./" }, "Your lists")),
  );
}

async function show() {
  polling?.stop();
  polling = poll(refresh, { everyMs: EVERY_MS, banner: byId("banner"), refused });
  await polling.now();
  if (!byId("desk").hidden) await showDeadLetters();
}

byId("letters-again").addEventListener("click", () => void attempt(showDeadLetters));
begin(show);
