/**
 * The language and the texts of guests' pages and of the pages of mailed links. The language is the one chosen on this device, else the
 * list's, else the browser's.
 */

import { Problem, Unreachable } from "./api.js";
import { element, replace, setText } from "./dom.js";
import { keep, recall } from "./storage.js";
import { texts as en } from "./text.en.js";
import { texts as es } from "./text.es.js";
import { unit } from "./time.js";

/** @typedef {typeof en} Texts */
/** @typedef {import("./form.js").Control} Control */

/** @type {Record<string, Texts>} */
const KNOWN = { en, es };

const CHOSEN = "waitlist.language";

/** The language of the list that the page shows. @type {string | null} */
let ofList = null;

/** Shows the page's changing parts in the current language. */
let show = () => {};

/** The code of the current language. */
export function language() {
  const wanted = [recall("localStorage", CHOSEN), ofList, ...navigator.languages.map((tag) => tag.split("-")[0])];
  return wanted.find((code) => Object.hasOwn(KNOWN, code)) ?? "en";
}

/** The texts of the current language. */
export function texts() {
  return KNOWN[language()];
}

/**
 * Starts the page's texts: elements with `data-text` get the text of that name, those with `data-label` their accessible name, and
 * `#languages` a switch to each other language.
 * @param {() => void} [showRest] shows the other texts; called again when the language changes
 */
export function startTexts(showRest = () => {}) {
  show = showRest;
  translate();
}

/**
 * Sets the language of the list that the page shows; null if it shows none.
 * @param {string | null} code
 */
export function setListLanguage(code) {
  const before = language();
  ofList = code;
  if (language() !== before) translate();
}

/** A number as the current language writes it. @param {number} count */
export function number(count) {
  return new Intl.NumberFormat(language()).format(count);
}

/**
 * An error in words, with what to do next.
 * @param {unknown} error
 */
export function explained(error) {
  const words = texts();
  if (error instanceof Unreachable) return navigator.onLine ? words.unanswered : words.offline;
  if (!(error instanceof Problem)) return words.wrong;
  if (error.status === 429) return words.tooMany(duration(error.retryAfterS ?? 60));
  return error.status >= 500 ? words.failed : words.wrong;
}

/**
 * Why a page that reads again and again has nothing to show yet.
 * @param {unknown} error
 */
export function unread(error) {
  if (!(error instanceof Unreachable)) return explained(error);
  return navigator.onLine ? texts().loadUnanswered : texts().loadOffline;
}

/**
 * The text of the banner over old data.
 * @param {number} seconds
 */
export function stale(seconds) {
  return navigator.onLine ? texts().staleUnanswered(duration(seconds)) : texts().staleOffline(duration(seconds));
}

/**
 * Replaces the details of an error, which the API gives in English, by the page's own for each field.
 * @param {unknown} error
 * @param {Record<string, string>} details by the name of the field
 */
export function translateFaults(error, details) {
  if (!(error instanceof Problem)) return;
  for (const fault of error.errors) fault.detail = details[(fault.pointer ?? "").slice(1)] ?? fault.detail;
}

/**
 * Why a control's value is not allowed.
 * @param {Control} control
 */
export function invalid(control) {
  const words = texts();
  if (control.validity.valueMissing) return words.missing;
  if (control.type === "email") return words.notAnAddress;
  return control.type === "password" ? words.passwordWrong : words.sizeWrong;
}

/** @param {number} seconds */
function duration(seconds) {
  if (seconds < 90) return unit(seconds, "second", language());
  return seconds < 5400 ? unit(Math.ceil(seconds / 60), "minute", language()) : unit(Math.ceil(seconds / 3600), "hour", language());
}

function translate() {
  const current = language();
  document.documentElement.lang = current;
  for (const node of document.querySelectorAll("[data-text]")) setText(node, named(node, "data-text"));
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", named(node, "data-label"));
  const switches = document.getElementById("languages");
  if (switches) replace(switches, ...Object.keys(KNOWN).filter((code) => code !== current).map(switchTo));
  show();
}

/**
 * @param {Element} node
 * @param {string} attribute
 */
function named(node, attribute) {
  const text = /** @type {Record<string, unknown>} */ (texts())[node.getAttribute(attribute) ?? ""];
  if (typeof text !== "string") throw new Error(`there is no such text: ${node.getAttribute(attribute)}`);
  return text;
}

/** @param {string} code */
function switchTo(code) {
  const choose = () => {
    keep("localStorage", CHOSEN, code);
    translate();
    /** @type {HTMLElement | null} */ (document.querySelector("#languages button"))?.focus();
  };
  return element("button", { type: "button", class: "quiet", lang: code, onclick: choose }, KNOWN[code].language);
}
