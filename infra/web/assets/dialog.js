/** Dialogs that are made when they open and removed when they close. */

import { element } from "./dom.js";

let count = 0;

/**
 * Opens a dialog with a heading and a close button.
 * @param {string} title
 * @param {(string | Node | null | undefined | false)[]} content
 * @param {{ wide?: boolean, closed?: () => void }} [options]
 */
export function openDialog(title, content, { wide = false, closed } = {}) {
  const id = `dialog-${(count += 1)}`;
  const close = () => dialog.close();
  const dialog = element(
    "dialog",
    { "aria-labelledby": id, class: wide ? "wide" : "" },
    element(
      "div",
      { class: "stack" },
      element(
        "div",
        { class: "dialog-head" },
        element("h2", { id, tabindex: -1 }, title),
        element("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: close }, "✕"),
      ),
      ...content,
    ),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed?.();
  });
  document.body.append(dialog);
  dialog.showModal();
  const first = /** @type {HTMLElement | null} */ (dialog.querySelector("[autofocus], h2"));
  first?.focus();
  return { dialog, close };
}

/**
 * Asks before something that cannot be undone. Resolves to whether it was confirmed.
 * @param {string} title
 * @param {string} text
 * @param {string} label of the button that does it
 * @returns {Promise<boolean>}
 */
export function confirmed(title, text, label) {
  return new Promise((resolve) => {
    let answer = false;
    const yes = () => {
      answer = true;
      close();
    };
    const actions = element(
      "div",
      { class: "actions" },
      element("button", { type: "button", class: "danger", onclick: yes }, label),
      element("button", { type: "button", autofocus: true, onclick: () => close() }, "Cancel"),
    );
    const { close } = openDialog(title, [element("p", {}, text), actions], { closed: () => resolve(answer) });
  });
}
