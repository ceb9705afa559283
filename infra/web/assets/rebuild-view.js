/** How a rebuild reads: its stage, its progress and its report. */

import { element, replace } from "./dom.js";
import { dateAndTime, unit } from "./time.js";

/** @typedef {{ text: string, tone: "" | "accent" | "good" | "warning" | "danger" }} Words */

/** @type {Record<Api.Stage, Words>} */
const STAGES = {
  requested: { text: "Requested: the table of its rows is being made", tone: "accent" },
  prepared: { text: "Prepared: scanning begins within a minute", tone: "accent" },
  scanning: { text: "Reading the log", tone: "accent" },
  verifying: { text: "Comparing the rows", tone: "accent" },
  ready: { text: "Verified, ready to be promoted", tone: "good" },
  promoted: { text: "Live", tone: "good" },
  rejected: { text: "Rejected: the new rows have faults", tone: "danger" },
  cancelled: { text: "Cancelled", tone: "" },
  "rolled-back": { text: "Rolled back", tone: "warning" },
};

const UNFINISHED = new Set(["requested", "prepared", "scanning", "verifying", "ready"]);

/** The counts of a report, with their meaning. @type {[keyof Api.Report, string, bars: boolean][]} */
const COUNTS = [
  ["missing", "Missing rows", true],
  ["extra", "Rows without events", true],
  ["wrong", "Rows that are not what the log says", true],
  ["lagging", "Rows that did not catch up", true],
  ["unreadable", "Streams that cannot be read", true],
  ["drift", "Rows that differ from the live ones", false],
  ["expected", "Rows that differ because the code is newer", false],
];

/** @param {Api.Stage} state */
export function isUnfinished(state) {
  return UNFINISHED.has(state);
}

/** @param {Api.Stage} state */
export function stageWords(state) {
  return STAGES[state];
}

/** @param {number} count */
export function grouped(count) {
  return count.toLocaleString("en");
}

/**
 * Shows a rebuild in a place that is kept.
 * @param {HTMLElement} place
 * @param {Api.Rebuild} rebuild
 */
export function drawRebuild(place, rebuild) {
  const { text, tone } = STAGES[rebuild.state];
  replace(
    place,
    element(
      "div",
      { class: "spread" },
      element("h3", {}, `Rebuild to generation ${rebuild.generation}`),
      element("span", { class: `badge ${tone}` }, text),
    ),
    isUnfinished(rebuild.state) && rebuild.state !== "ready" && progress(rebuild),
    element("p", { class: "muted small" }, facts(rebuild)),
    rebuild.reason && element("p", { class: "break" }, "Reason: ", rebuild.reason),
    report(rebuild),
  );
}

/** @param {Api.Rebuild} rebuild */
function progress({ segments: { done, of }, commits_per_second, eta_seconds, commits }) {
  const pace = [
    of > 0 ? `${done} of ${of} segments` : "Not begun yet",
    commits > 0 && `${grouped(commits)} commits read`,
    commits_per_second && `${grouped(commits_per_second)} a second`,
    eta_seconds !== null && `about ${eta_seconds < 90 ? unit(eta_seconds, "second") : unit(Math.ceil(eta_seconds / 60), "minute")} left`,
  ];
  return element(
    "div",
    { class: "stack-tight" },
    element("progress", { value: done, max: String(Math.max(1, of)), "aria-label": "Progress in segments" }),
    element("p", { class: "small number" }, pace.filter(Boolean).join(" · ")),
  );
}

/** @param {Api.Rebuild} rebuild */
function facts(rebuild) {
  return [
    `Requested ${dateAndTime(rebuild.requested_at)}`,
    rebuild.finished_at && `finished ${dateAndTime(rebuild.finished_at)}`,
    rebuild.promote === "auto" ? "promoted by itself if nothing differs" : "promoted by hand",
    rebuild.write_units_per_second && `at most ${grouped(rebuild.write_units_per_second)} write units a second`,
    `rows written: ${grouped(rebuild.rows)}`,
    `units used: ${grouped(rebuild.units.read)} read, ${grouped(rebuild.units.write)} write`,
  ].filter(Boolean).join(" · ");
}

/** @param {Api.Rebuild} rebuild */
function report({ report: found, state }) {
  if (!found) return null;
  // Wrong rows count as drift, too.
  const counts = { ...found, drift: found.drift - found.wrong };
  const counted = COUNTS.filter(([name]) => counts[name] !== 0);
  const [first, ...others] = found.examples;
  return element(
    "div",
    { class: "stack report" },
    element("p", {}, element("b", {}, counted.length === 0 ? "No differences. " : "Differences. "), `${grouped(found.streams)} ${found.streams === 1 ? "row was" : "rows were"} compared.`),
    counted.length > 0 &&
      element("ul", { class: "row" }, ...counted.map(([name, text, bars]) => element("li", { class: `badge ${bars ? "danger" : "warning"}` }, `${text}: ${grouped(Number(counts[name]))}`))),
    state === "rejected" && element("p", {}, "The new rows have faults of their own, so they were given up; the live rows stay. Mend the cause, then rebuild again."),
    state === "ready" && counted.length > 0 && element("p", {}, "The new rows are what the log says, and some live ones are not the same. Look at the differences, then promote the new rows or cancel."),
    first && element("div", { class: "notice stack-tight first-difference" }, element("h4", {}, "First difference"), difference(first)),
    others.length > 0 &&
      element(
        "details",
        {},
        element("summary", {}, `${others.length} more`),
        element("ul", { class: "list" }, ...others.map((example) => element("li", {}, difference(example)))),
      ),
  );
}

/** @param {Api.Example} example */
function difference({ finding, stream, seq, field, live, candidate }) {
  return element(
    "div",
    { class: "stack-tight" },
    element("p", { class: "break" }, field ? element("span", {}, "Field ", element("code", { class: "field-name" }, field), ` (${finding})`) : FINDINGS[finding]),
    element("p", { class: "small muted break" }, `${stream}, event ${seq}`),
    field &&
      element(
        "dl",
        { class: "event-details" },
        element("div", {}, element("dt", { class: "muted" }, "Live row"), element("dd", {}, element("code", { class: "break" }, valueText(live)))),
        element("div", {}, element("dt", { class: "muted" }, "New row"), element("dd", {}, element("code", { class: "break" }, valueText(candidate)))),
      ),
  );
}

/** @type {Record<Api.Example["finding"], string>} */
const FINDINGS = {
  missing: "The new rows lack this one",
  extra: "There are no events for this row",
  drift: "The row differs from the live one",
  wrong: "The row is not what the log says",
  expected: "The row differs because the code is newer",
  lagging: "The row did not catch up",
  unreadable: "An event of this stream cannot be read",
};

/** @param {unknown} value */
function valueText(value) {
  return value === null ? "none" : typeof value === "string" ? value : JSON.stringify(value);
}
