/** The dialog with the link and the QR code by which guests join a list. */

import { openDialog } from "./dialog.js";
import { element, setText } from "./dom.js";
import { qrImage } from "./qr.js";

/** What the printed sheet says to guests, by the list's language. @type {Record<string, string>} */
const SCAN = { en: "Scan to join the waiting list", es: "Escanee para unirse a la lista de espera" };

/** @param {Api.Waitlist} list */
export function openJoinLink(list) {
  const status = element("p", { role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(list.public_url);
      setText(status, "The link is copied.");
    } catch {
      setText(status, "This browser does not allow copying. Select the link above.");
    }
  };
  openDialog("Guests join here", [
    element("div", { class: "sheet" }, element("p", { class: "sheet-name" }, list.name), qrImage(list.public_url, `QR code of ${list.public_url}`), element("p", { lang: list.language }, SCAN[list.language] ?? SCAN.en), element("p", { class: "break small" }, element("a", { href: list.public_url }, list.public_url))),
    element(
      "div",
      { class: "actions" },
      element("button", { type: "button", class: "primary", onclick: () => window.print() }, "Print"),
      element("button", { type: "button", onclick: () => void copy() }, "Copy the link"),
    ),
    status,
  ]);
}
