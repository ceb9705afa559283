/** The dialogs that add a party and edit its details. */

import { nameOf } from "./board-words.js";
import { openDialog } from "./dialog.js";
import { element } from "./dom.js";
import { onEdit } from "./edit-form.js";
import { field, onSubmit } from "./form.js";
import { authorized } from "./session.js";

/** Sizes with a button of their own. */
const SIZES = [1, 2, 3, 4, 5, 6, 7, 8];

/**
 * Asks for a party and adds it to a list.
 * @param {string} list
 * @param {(id: string, name: string) => void} added
 */
export function openAdd(list, added) {
  const form = partyForm(null, "Add to the list");
  const { close } = openDialog("Add a party", [form]);
  form.querySelector("input")?.focus();
  onSubmit(form, async (body, key) => {
    const answer = await authorized("POST", `waitlists/${list}/waitees`, { body, key });
    close();
    added(answer.body.id, body.name);
  });
}

/**
 * Edits the details of a party.
 * @param {Api.Waitee} party
 * @param {(seq: number) => void} changed
 */
export function openEdit(party, changed) {
  const form = partyForm(party, "Save");
  const { close } = openDialog(`Edit ${nameOf(party)}`, [form]);
  const meanwhile = (/** @type {Api.Waitee} */ now) => `This party has changed meanwhile. It is now: ${summary(now)}. Save again to keep your changes.`;
  onEdit(form, `waitees/${party.id}`, party.seq, meanwhile, (written) => {
    if (written !== null) changed(written);
    close();
  });
}

/** @param {Api.Waitee} party */
function summary(party) {
  return [nameOf(party), `party of ${party.party_size}`, party.phone, party.note].filter(Boolean).join(", ");
}

/**
 * @param {Api.Waitee | null} party
 * @param {string} submit
 */
function partyForm(party, submit) {
  const size = element("input", { id: "party-size", name: "party_size", type: "number", inputmode: "numeric", min: 1, max: 100, step: 1, required: true, value: party?.party_size });
  const choose = (/** @type {number} */ number) => {
    size.value = String(number);
    mark();
  };
  const sizes = SIZES.map((number) => element("button", { type: "button", "aria-label": `Party of ${number}`, onclick: () => choose(number) }, number));
  const mark = () => sizes.forEach((button, index) => button.setAttribute("aria-pressed", String(size.value === String(SIZES[index]))));
  size.addEventListener("input", mark);
  mark();
  const input = (/** @type {Record<string, any>} */ attributes) => element("input", { autocomplete: "off", ...attributes });
  const languages = [["", "The list's"], ["en", "English"], ["es", "Español"]];
  return element(
    "form",
    {},
    field("Name", input({ id: "party-name", name: "name", maxlength: 100, required: true, autocapitalize: "words", value: party?.name })),
    element("div", { class: "field" }, element("label", { for: size.id }, "Party size"), element("div", { class: "sizes" }, ...sizes, size)),
    field("Phone", input({ id: "party-phone", name: "phone", type: "tel", inputmode: "tel", maxlength: 40, value: party?.phone }), "For the text when the table is ready."),
    field("Note", element("textarea", { id: "party-note", name: "note", maxlength: 500, rows: 2, value: party?.note }), "High chair, window, birthday. Guests do not see it."),
    element(
      "details",
      {},
      element("summary", {}, "More"),
      element(
        "div",
        { class: "columns" },
        field("E-mail", input({ id: "party-email", name: "email", type: "email", maxlength: 254, value: party?.email }), "Used when there is no phone."),
        field("Quoted wait", input({ id: "party-quoted", name: "quoted_minutes", type: "number", inputmode: "numeric", min: 0, max: 600, step: 1, value: party?.quoted_minutes }), "Minutes. Empty: as the list says."),
        field("Language of messages", element("select", { id: "party-language", name: "language" }, ...languages.map(([value, label]) => element("option", { value, selected: value === (party?.language ?? "") }, label)))),
      ),
    ),
    element("div", { class: "actions" }, element("button", { type: "submit", class: "primary" }, submit)),
  );
}
