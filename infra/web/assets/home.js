/** The first page: signing in, the account's lists, the account itself. The fragment names the view. */

import { Problem, all, newKey, request } from "./api.js";
import { byId, element, keyed, setText } from "./dom.js";
import { FieldProblem, explain, onSubmit } from "./form.js";
import { listFields } from "./list-form.js";
import { poll } from "./poll.js";
import { SignedOut, authorized, drop, onSession, session, signIn, signOut } from "./session.js";

/** Views for people without a session, with their headings. */
const OUTSIDE = { "sign-in": "Sign in", register: "Create an account", forgot: "Forgot your password?" };
const INSIDE = { lists: "Your lists", new: "New list", account: "Your account" };

/** Lists whose parties are counted: each count is a request. */
const COUNTED_MAX = 20;

const heading = byId("heading");
const said = byId("said");

/** @type {ReturnType<typeof poll> | null} */
let polling = null;

/** @type {Api.User | null} */
let user = null;

/** Whether what was said is about the view that shows next. */
let saidNext = false;

/** Shows the view that the fragment names, if the session allows it. */
function show() {
  const views = session() ? INSIDE : OUTSIDE;
  const asked = location.hash.slice(1);
  const view = asked in views ? asked : Object.keys(views)[0];
  for (const section of document.querySelectorAll("[data-view]")) {
    /** @type {HTMLElement} */ (section).hidden = /** @type {HTMLElement} */ (section).dataset.view !== view;
  }
  const text = /** @type {Record<string, string>} */ (views)[view];
  document.title = `${text} · Waitlist`;
  setText(heading, text);
  byId("nav").hidden = !session();
  if (view === "new" && byId("new-form").childElementCount === 0) fillNew();
  if (session() && !polling) polling = poll(refresh, { everyMs: 10_000, banner: byId("banner"), refused });
  if (!session()) leave();
}

function leave() {
  polling?.stop();
  polling = null;
  user = null;
  counts.clear();
  keyed(byId("lists"), [], rows);
  byId("loading").hidden = false;
}

/** @param {unknown} error */
function refused(error) {
  if (!(error instanceof SignedOut)) say(explain(error), "danger");
}

/**
 * Says what became of an action, above the view.
 * @param {string} text
 * @param {"good" | "danger"} [kind]
 */
function say(text, kind = "good") {
  said.className = `notice ${kind}`;
  said.hidden = text === "";
  setText(said, text);
}

/** The parties on each list's board; the list of lists does not tell. @type {Map<string, { etag: string | null, active: number }>} */
const counts = new Map();

async function refresh() {
  const [me, lists] = await Promise.all([authorized("GET", "me"), all(authorized, "waitlists")]);
  if (!session()) return; // signed out meanwhile
  showUser(me.body);
  await Promise.all(lists.slice(0, COUNTED_MAX).map((/** @type {Api.Waitlist} */ list) => count(list.id)));
  byId("loading").hidden = true;
  byId("no-lists").hidden = lists.length > 0;
  keyed(byId("lists"), lists, rows);
}

/** @param {string} id */
async function count(id) {
  try {
    const { status, body, etag } = await authorized("GET", `waitlists/${id}`, { ifNoneMatch: counts.get(id)?.etag });
    if (status !== 304) counts.set(id, { etag, active: body.active });
  } catch (error) {
    // Deleted since the lists were read.
    if (!(error instanceof Problem && error.status === 404)) throw error;
  }
}

const rows = {
  key: (/** @type {Api.Waitlist} */ list) => list.id,
  create: (/** @type {Api.Waitlist} */ list) =>
    element(
      "li",
      {},
      element(
        "a",
        { class: "card list-link", href: `board#${list.id}` },
        element("span", { class: "stack-tight" }, element("b", { class: "break" }), element("span", { class: "muted small" })),
        element("span", { class: "badge" }),
      ),
    ),
  update: (/** @type {HTMLElement} */ row, /** @type {Api.Waitlist} */ list) => {
    const active = counts.get(list.id)?.active;
    const [name, waiting, state] = ["b", ".small", ".badge"].map((part) => /** @type {HTMLElement} */ (row.querySelector(part)));
    setText(name, list.name);
    setText(waiting, active === undefined ? "" : active === 1 ? "1 party on the board" : `${active || "No"} parties on the board`);
    setText(state, list.open ? "Open" : "Closed");
    state.className = list.open ? "badge good" : "badge";
  },
};

/** @param {Api.User} known */
function showUser(known) {
  const before = user;
  user = known;
  byId("nav-operator").hidden = !known.operator;
  byId("unconfirmed").hidden = known.email_confirmed;
  const undelivered = known.welcome === "failed" || known.welcome === "bounced";
  setText(
    byId("unconfirmed-text"),
    undelivered
      ? `Our mail to ${known.email} could not be delivered. Until the address is confirmed, guests get no texts.`
      : `Confirm your e-mail address by the link that we sent to ${known.email}. Until then guests get no texts.`,
  );
  setText(byId("account-email"), `You sign in as ${known.email}.`);
  const name = byId("rename-name", HTMLInputElement);
  if (!before || name.value === before.name) name.value = known.name ?? "";
}

function fillNew() {
  byId("new-form").append(...listFields(), element("div", { class: "actions" }, element("button", { type: "submit", class: "primary" }, "Create the list")));
}

onSubmit(byId("sign-in-form", HTMLFormElement), async ({ email, password }) => {
  await signIn(email, password);
  const back = sessionStorage.getItem("waitlist.return");
  sessionStorage.removeItem("waitlist.return");
  if (back) location.assign(back);
  else done("sign-in-form", "");
});

onSubmit(byId("register-form", HTMLFormElement), async (body, key) => {
  try {
    await request("POST", "users", { body, key });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const at = error.slug === "email-taken" ? "email" : error.slug === "weak-password" ? "password" : null;
    if (!at || error.errors.length > 0) throw error;
    throw new FieldProblem(at, at === "email" ? "This address has an account already. Sign in, or ask for a new password." : error.message);
  }
  await signIn(body.email, body.password);
  done("register-form", "Welcome! Your account is ready.");
});

onSubmit(byId("forgot-form", HTMLFormElement), async ({ email }) => {
  await request("POST", "password-resets", { body: { email }, key: newKey() });
  done("forgot-form", `If ${email} has an account, a link is on its way there.`, "sign-in");
});

onSubmit(byId("new-form", HTMLFormElement), async (body, key) => {
  const { body: made } = await authorized("POST", "waitlists", { body, key });
  location.assign(`board#${made.id}`);
});

onSubmit(byId("rename-form", HTMLFormElement), async (body, key) => {
  await authorized("PATCH", "me", { body, key });
  say("The name is saved.");
  await polling?.now();
});

onSubmit(byId("password-form", HTMLFormElement), async (body, key) => {
  const email = user?.email ?? session()?.email ?? "";
  await withPassword(() => authorized("PUT", "me/password", { body, key }));
  await signIn(email, body.new_password);
  done("password-form", "The password is changed. Other devices are signed out.", "account");
});

onSubmit(byId("erase-form", HTMLFormElement), async ({ current_password, typed }, key) => {
  if (typed?.toLowerCase() !== "erase") {
    throw new FieldProblem("typed", "Type the word erase.");
  }
  await withPassword(() => authorized("POST", "me/erase", { body: { current_password }, key }));
  drop();
  done("erase-form", "The account is being erased. Thank you for having been here.");
});

/**
 * Sends a request that holds the present password; a wrong one is shown at its field.
 * @param {() => Promise<unknown>} send
 */
async function withPassword(send) {
  try {
    await send();
  } catch (error) {
    if (!(error instanceof Problem && error.slug === "wrong-password")) throw error;
    throw new FieldProblem("current_password", "This is not the account's password.");
  }
}

/**
 * Empties a form after its success and goes on.
 * @param {string} form
 * @param {string} text
 * @param {string} [view]
 */
function done(form, text, view = "") {
  byId(form, HTMLFormElement).reset();
  say(text);
  if (location.hash.slice(1) === view) show();
  else {
    saidNext = true;
    location.hash = view;
  }
  heading.focus();
}

byId("sign-out").addEventListener("click", async () => {
  await signOut();
  say("You are signed out.");
  saidNext = location.hash !== "";
  location.hash = "";
  show();
});

byId("send-again").addEventListener("click", async (event) => {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  button.disabled = true;
  const status = byId("sent-again");
  try {
    await authorized("POST", "me/confirmation", { key: newKey() });
    setText(status, "Sent. Look into your inbox, and into the spam folder.");
  } catch (error) {
    setText(status, error instanceof Problem && error.slug === "already-confirmed" ? "Your address is confirmed already." : explain(error));
  }
  button.disabled = false;
  void polling?.now();
});

window.addEventListener("hashchange", () => {
  if (!saidNext) say("");
  saidNext = false;
  show();
  heading.focus();
});
onSession(show);
show();
