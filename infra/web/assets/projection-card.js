/** The card of a projection: its generations, its last rebuild, and what can be done with them. */

import { newKey } from "./api.js";
import { element, replace, setText } from "./dom.js";
import { FieldProblem, explain, onSubmit } from "./form.js";
import { rebuildForm } from "./rebuild-form.js";
import { drawRebuild, grouped, isUnfinished } from "./rebuild-view.js";
import { authorized } from "./session.js";

/**
 * @typedef {object} Card
 * @property {Api.Projection} projection
 * @property {string} drawn
 * @property {string} choices the buttons that are shown
 * @property {Record<"heading" | "facts" | "rebuild" | "actions" | "form" | "message", HTMLElement>} parts
 */

/** @type {WeakMap<Element, Card>} */
const cards = new WeakMap();

/**
 * How a keyed list makes these cards.
 * @param {() => Promise<unknown>} refresh reads the projections again
 */
export function projectionCards(refresh) {
  return {
    key: (/** @type {Api.Projection} */ { name }) => name,
    create: (/** @type {Api.Projection} */ projection) => create(projection, refresh),
    update: (/** @type {Element} */ node, /** @type {Api.Projection} */ projection) => update(node, projection, refresh),
  };
}

/**
 * @param {Api.Projection} projection
 * @param {() => Promise<unknown>} refresh
 */
function create(projection, refresh) {
  const id = `projection-${projection.name}`;
  const parts = {
    heading: element("h2", { id, tabindex: -1 }, projection.name),
    facts: element("dl", { class: "event-details" }),
    rebuild: element("div", { class: "stack rebuild" }),
    actions: element("div", { class: "stack" }),
    form: rebuildForm(projection.name, refresh),
    message: element("p", { class: "form-message", role: "alert" }),
  };
  const node = element(
    "li",
    { class: "card stack", "aria-labelledby": id, "data-projection": projection.name },
    parts.heading,
    parts.facts,
    parts.rebuild,
    parts.actions,
    parts.message,
    parts.form,
  );
  cards.set(node, { projection, drawn: "", choices: "-", parts });
  return node;
}

/**
 * @param {Element} node
 * @param {Api.Projection} projection
 * @param {() => Promise<unknown>} refresh
 */
function update(node, projection, refresh) {
  const card = /** @type {Card} */ (cards.get(node));
  const { facts, rebuild, form } = card.parts;
  card.projection = projection;
  const drawn = JSON.stringify(projection);
  if (card.drawn === drawn) return;
  card.drawn = drawn;
  drawFacts(facts, projection);
  rebuild.hidden = !projection.rebuild;
  const open = [...rebuild.querySelectorAll("details")].map((one) => one.open);
  if (projection.rebuild) drawRebuild(rebuild, projection.rebuild);
  rebuild.querySelectorAll("details").forEach((one, index) => (one.open = open[index] ?? false));
  form.hidden = projection.building !== null;
  drawActions(card, refresh);
}

/**
 * @param {HTMLElement} place
 * @param {Api.Projection} projection
 */
function drawFacts(place, { live, building, previous, rows, row_version, code_version, lag_seconds }) {
  const facts = [
    ["Live generation", live],
    ["Being built", building ?? "none"],
    ["Former, kept", previous ?? "none"],
    ["Rows written", rows === null ? "not known" : grouped(rows)],
    ["Lag", lag_seconds === null ? "not measured" : `${grouped(lag_seconds)} s`],
    ["Version of rows", row_version],
    ["Version of code", code_version],
  ];
  replace(place, ...facts.map(([name, value]) => element("div", {}, element("dt", { class: "muted" }, name), element("dd", { class: "number" }, value))));
}

/**
 * Makes the buttons that the state allows. They stay while they are the same, so that focus and typed text stay.
 * @param {Card} card
 * @param {() => Promise<unknown>} refresh
 */
function drawActions(card, refresh) {
  const { name, rebuild, previous, live } = card.projection;
  const path = `projections/${name}`;
  const again = rebuild?.state === "rolled-back" && previous === rebuild.generation;
  const choices = [
    rebuild && (rebuild.state === "ready" || again) && `promote ${rebuild.id}`,
    rebuild && isUnfinished(rebuild.state) && `cancel ${rebuild.id}`,
    previous !== null && `back ${previous} ${live}`,
  ].filter(Boolean);
  if (card.choices === choices.join()) return;
  card.choices = choices.join();
  const act = (/** @type {string} */ what) => perform(card, `${path}/${what}`, refresh);
  const made = choices.map((choice) => {
    const of = rebuild?.id;
    if (String(choice).startsWith("promote")) return element("div", { class: "actions" }, button("Promote", "primary", () => act(`rebuilds/${of}/promote`)));
    if (String(choice).startsWith("cancel")) {
      return asking("Cancel the rebuild…", "The rows that were made so far are dropped. Reads are not affected.", "Cancel the rebuild", () => act(`rebuilds/${of}/cancel`));
    }
    return element(
      "div",
      {},
      asking("Roll back…", `Reads are served from generation ${previous} again. Generation ${live} is kept for a day.`, "Roll back", () => act("rollback")),
      retiring(name, previous, () => send(`${path}/retire`).then(refresh)),
    );
  });
  const focused = card.parts.actions.contains(document.activeElement);
  replace(card.parts.actions, ...made);
  if (focused) card.parts.heading.focus();
}

/**
 * A button that asks before it acts.
 * @param {string} label
 * @param {string} text
 * @param {string} yes
 * @param {() => Promise<void>} act
 */
function asking(label, text, yes, act) {
  return element("details", {}, element("summary", {}, label), element("div", { class: "stack" }, element("p", {}, text), element("div", { class: "actions" }, button(yes, "danger", act))));
}

/**
 * Drops the former generation after its projection's name was typed.
 * @param {string} name
 * @param {number | null} previous
 * @param {() => Promise<unknown>} act
 */
function retiring(name, previous, act) {
  const typed = element("input", { id: `retire-${name}`, name: "typed", autocomplete: "off", autocapitalize: "none", spellcheck: "false", required: true });
  const form = element(
    "form",
    {},
    element("p", {}, `Deletes the rows of generation ${previous}. There is no way back then.`),
    element("div", { class: "field" }, element("label", { for: typed.id }, "Type ", element("b", {}, name), " to confirm"), typed),
    element("div", { class: "actions" }, element("button", { type: "submit", class: "danger" }, "Drop the former generation")),
  );
  onSubmit(form, async (values) => {
    if (values.typed !== name) throw new FieldProblem("typed", `Type ${name}.`);
    await act();
  });
  return element("details", {}, element("summary", {}, "Drop the former generation…"), form);
}

/**
 * @param {string} label
 * @param {string} look
 * @param {() => Promise<void>} act
 */
function button(label, look, act) {
  const node = element("button", {
    type: "button",
    class: look,
    onclick: async () => {
      node.disabled = true;
      await act();
      node.disabled = false;
    },
  }, label);
  return node;
}

/** @param {string} path */
function send(path) {
  return authorized("POST", path, { body: {}, key: newKey() });
}

/**
 * Sends a command, shows its problem in the card, and reads the state again.
 * @param {Card} card
 * @param {string} path
 * @param {() => Promise<unknown>} refresh
 */
async function perform({ parts: { message } }, path, refresh) {
  setText(message, "");
  try {
    await send(path);
  } catch (error) {
    setText(message, explain(error));
  }
  await refresh();
}
