/** The dialog that changes a list's settings, or deletes it. */

import { newKey } from "./api.js";
import { confirmed, openDialog } from "./dialog.js";
import { element } from "./dom.js";
import { onEdit } from "./edit-form.js";
import { explain } from "./form.js";
import { listFields } from "./list-form.js";
import { say } from "./messages.js";
import { authorized } from "./session.js";

/**
 * @param {Api.Waitlist} list
 * @param {() => void} changed
 */
export function openSettings(list, changed) {
  const remove = element("button", { type: "button", class: "danger", onclick: () => void deleteList(list, close) }, "Delete this list");
  const actions = element("div", { class: "spread" }, element("button", { type: "submit", class: "primary" }, "Save"), remove);
  actions.classList.add("actions");
  const form = element("form", {}, ...listFields(list), actions);
  const past = element("a", { class: "button", href: `history#waitlist-${list.id}` }, "History of the list");
  const { close } = openDialog("Settings of the list", [form, element("div", { class: "actions" }, past)], { wide: true });
  const meanwhile = () => "This list has changed meanwhile. Save again to keep your changes.";
  onEdit(form, `waitlists/${list.id}`, list.seq, meanwhile, () => {
    close();
    changed();
  });
}

/**
 * @param {Api.Waitlist} list
 * @param {() => void} close
 */
async function deleteList(list, close) {
  const text = "Guests can no longer join. The list's history is kept. A list must be closed and empty to be deleted.";
  if (!(await confirmed(`Delete “${list.name}”?`, text, "Delete the list"))) return;
  try {
    await authorized("DELETE", `waitlists/${list.id}`, { key: newKey() });
    location.assign("./");
  } catch (error) {
    close();
    say(explain(error), { kind: "danger" });
  }
}
