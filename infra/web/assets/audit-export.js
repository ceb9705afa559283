/** Exports the history as files, part by part. */

import { byId, element, replace, setText } from "./dom.js";
import { explain } from "./form.js";
import { authorized } from "./session.js";

/** The most parts that are saved at once; each has up to 4 MB. */
const PARTS_MAX = 100;

/** The links to the files, which are kept until the next export. @type {string[]} */
let urls = [];

let running = false;

/**
 * Exports the events of a time.
 * @param {{ format: string, from?: string, to?: string }} of
 */
export async function exportFiles({ format, from, to }) {
  if (running) return;
  for (const url of urls) URL.revokeObjectURL(url);
  urls = [];
  replace(byId("parts"));
  const query = new URLSearchParams({ format, ...(from && { from }), ...(to && { to }) });
  await parts(`audit/export?${query}`);
}

/** @param {string} first the path of the first part */
async function parts(first) {
  running = true;
  /** @type {string | null} */
  let path = first;
  const place = byId("exported");
  try {
    for (let part = 0; part < PARTS_MAX && path; part += 1) {
      setText(place, urls.length === 0 ? "Exporting…" : `Exporting… ${urls.length} ${urls.length === 1 ? "part is" : "parts are"} saved.`);
      const { body, headers } = await authorized("GET", path, { file: true });
      save(body, headers.get("Content-Disposition"));
      path = next(headers.get("Link"));
    }
    setText(place, path ? `${urls.length} parts are saved, and more follow.` : `Done. ${urls.length === 1 ? "One file is" : `${urls.length} files are`} saved.`);
  } catch (error) {
    setText(place, `${explain(error)} The parts below are whole.`);
  } finally {
    running = false;
  }
  const rest = path;
  byId("export-on").hidden = !rest;
  byId("export-on").onclick = rest ? () => void parts(rest) : null;
}

/**
 * Saves a file. Its link stays, for browsers that ask before they save several.
 * @param {Blob} file
 * @param {string | null} disposition
 */
function save(file, disposition) {
  const name = /filename="([^"]+)"/.exec(disposition ?? "")?.[1] ?? `history-part-${urls.length + 1}`;
  const url = URL.createObjectURL(file);
  urls.push(url);
  const link = element("a", { href: url, download: name, class: "break" }, name);
  byId("parts").append(element("li", {}, link, element("span", { class: "muted small" }, ` ${Math.ceil(file.size / 1024).toLocaleString("en")} KB`)));
  link.click();
}

/**
 * The path of the next part.
 * @param {string | null} link
 */
function next(link) {
  const query = /<[^>?]*\?([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? "")?.[1];
  return query ? `audit/export?${query}` : null;
}
