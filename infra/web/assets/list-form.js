/** The fields of a list's settings, for a new list and for an existing one. */

import { element } from "./dom.js";
import { field } from "./form.js";

const LANGUAGES = { en: "English", es: "Español" };

/** Codes that Intl names but that are no countries: unions, pseudo-locales, outlying areas without numbers of their own. */
const NO_COUNTRIES = new Set(["EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AQ", "BV", "CP", "DG", "EA", "GS", "HM", "IC", "PN", "TF", "UM"]);

/**
 * The fields, filled from `list`, or for a new list with what the browser tells.
 * @param {Api.Waitlist} [list]
 * @returns {HTMLElement[]}
 */
export function listFields(list) {
  const id = (/** @type {string} */ name) => `list-${name}`;
  const zone = list?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = element("datalist", { id: id("zones") }, ...Intl.supportedValuesOf("timeZone").map((value) => element("option", { value })));
  const number = (/** @type {keyof Api.Settings} */ name, /** @type {number} */ min, /** @type {number} */ max, /** @type {any} */ value, required = true) =>
    element("input", { id: id(name), name, type: "number", inputmode: "numeric", min, max, step: 1, value, required });
  return [
    field("Name", element("input", { id: id("name"), name: "name", maxlength: 100, required: true, autocomplete: "off", value: list?.name }), "Guests see it: “Main room”, “Terrace”."),
    element(
      "div",
      { class: "columns" },
      field("Minutes per party ahead", number("quote_minutes", 0, 600, list?.quote_minutes, false), "For the quoted wait. Empty: no quote."),
      field("A table is held for", number("hold_minutes", 1, 120, list?.hold_minutes ?? 10), "Minutes after the call. Then the party counts as a no-show."),
      field("Parties at most", number("capacity", 1, 400, list?.capacity ?? 200)),
      field("Language of messages", select("language", id("language"), Object.entries(LANGUAGES), list?.language ?? known(navigator.language))),
      element("div", {}, field("Time zone", element("input", { id: id("time_zone"), name: "time_zone", list: zones.id, required: true, autocomplete: "off", spellcheck: "false", value: zone })), zones),
      field("Country of phone numbers", select("region", id("region"), countries(), list?.region ?? regionOf(navigator.language))),
    ),
    element(
      "details",
      {},
      element("summary", {}, "More"),
      element(
        "div",
        { class: "columns" },
        field("Remind before the hold ends", number("remind_minutes", 1, 119, list?.remind_minutes, false), "Minutes. Empty: no reminder."),
        field("The day starts at", element("input", { id: id("day_starts"), name: "day_starts", type: "time", required: true, value: list?.day_starts ?? "04:00" }), "Parties before this time count to the day before."),
      ),
    ),
  ];
}

/**
 * @param {string} name
 * @param {string} id
 * @param {[string, string][]} options
 * @param {string} chosen
 */
function select(name, id, options, chosen) {
  const made = options.map(([value, label]) => element("option", { value, selected: value === chosen }, label));
  return element("select", { id, name, required: true }, ...made);
}

/** Codes and names of countries, by name. @returns {[string, string][]} */
function countries() {
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  const letters = [...Array(26).keys()].map((index) => String.fromCharCode(65 + index));
  const codes = letters.flatMap((first) => letters.map((second) => first + second)).filter((code) => !NO_COUNTRIES.has(code));
  // A code of the past, such as DD, is named by what it is today.
  const present = codes.filter((code) => Intl.getCanonicalLocales(`und-${code}`)[0] === `und-${code}`);
  const named = present.map((code) => /** @type {[string, string]} */ ([code, names.of(code) ?? ""])).filter(([, name]) => name);
  return named.sort(([, one], [, other]) => one.localeCompare(other));
}

/** @param {string} locale */
function regionOf(locale) {
  return new Intl.Locale(locale).maximize().region ?? "US";
}

/** @param {string} locale */
function known(locale) {
  const language = locale.slice(0, 2);
  return language in LANGUAGES ? language : "en";
}
