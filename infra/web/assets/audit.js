/** All events of the account, by filters that the address keeps. */

import { Problem, all } from "./api.js";
import { exportFiles } from "./audit-export.js";
import { fill, filtersOf, filtersOfAddress, offer, queryOf } from "./audit-filters.js";
import { subjectLinks } from "./audit-rows.js";
import { verify } from "./audit-verify.js";
import { byId, keyed, setText } from "./dom.js";
import { byDay, eventRows } from "./event-row.js";
import { clearProblems, onSubmit, showProblem, valuesOf } from "./form.js";
import { attempt, begin, showZone } from "./owner.js";
import { accountId, authorized } from "./session.js";
import { dateAndTime } from "./time.js";

const PAGE = 50;

/** Pages without any event that are passed by one click. */
const EMPTY_MAX = 20;

/**
 * @typedef {object} Search
 * @property {import("./audit-filters.js").Filters} filters
 * @property {import("./event-row.js").Entry[]} entries
 * @property {Set<string>} erased streams of erased guests
 * @property {string | null} next
 */

/** @type {Search | null} */
let search = null;

/** @type {Api.Waitlist[] | null} */
let lists = null;

const form = byId("filters", HTMLFormElement);
const rows = eventRows(() => ({
  zone: zoneOf(search?.filters.waitlist),
  me: accountId(),
  erased: ({ stream }) => search?.erased.has(stream) ?? false,
  subject: (event) => subjectLinks(event, new Map((lists ?? []).map(({ id, name }) => [id, name]))),
}));

async function show() {
  /** @type {Search} */
  const now = { filters: filtersOfAddress(), entries: [], erased: new Set(), next: null };
  search = now;
  clearProblems(form);
  if (!lists) {
    lists = await all(authorized, "waitlists");
    offer(form, lists, accountId());
  }
  const zone = zoneOf(now.filters.waitlist);
  fill(form, now.filters, zone);
  showZone(zone);
  setText(byId("verify"), now.filters.waitlist ? "Verify this list" : "Verify the account");
  byId("verified").hidden = true;
  if (Object.keys(now.filters).some((name) => !["from", "to", "waitlist"].includes(name))) byId("further", HTMLDetailsElement).open = true;
  draw(now);
  await more(now);
}

/**
 * Reads on until there are events, the end, or many empty pages.
 * @param {Search} of
 */
async function more(of) {
  const query = queryOf(of.filters);
  try {
    for (let page = 0; page < EMPTY_MAX; page += 1) {
      status(page === 0 ? "Searching…" : `Searching… ${page} ${page === 1 ? "part" : "parts"} of the history without such events`);
      const cursor = of.next ? `&cursor=${encodeURIComponent(of.next)}` : "";
      /** @type {{ body: Api.Audit }} */
      const { body } = await authorized("GET", `audit?${query}&limit=${PAGE}${cursor}`);
      if (of !== search) return;
      of.next = body.next;
      for (const event of body.items) add(of, event);
      const zone = zoneOf(of.filters.waitlist);
      setText(byId("complete"), `Complete until ${dateAndTime(body.complete_until, zone)}; events since may be missing.`);
      if (body.items.length > 0 || !body.next) break;
    }
    status(of.entries.length > 0 ? "" : of.next ? "No such event so far; a part of the history is not searched yet." : none(of));
    draw(of);
  } catch (error) {
    status("");
    if (!(error instanceof Problem && error.errors.some(({ parameter }) => parameter))) throw error;
    for (const fault of error.errors) fault.pointer ??= `/${fault.parameter}`;
    showProblem(form, error);
  }
}

/** Oldest first, the newest events are left out until their order is certain. @param {Search} of */
function none({ filters }) {
  return filters.order === "asc" ? "There is no such event, apart from the last ten seconds." : "There is no such event.";
}

/**
 * @param {Search} of
 * @param {Api.Event} event
 */
function add(of, event) {
  if (event.type.endsWith(".erased") || (event.type === "waitee.joined" && event.data?.name === null)) of.erased.add(event.stream);
  of.entries.push({ key: `${event.stream} ${event.seq}`, events: [event], before: null });
}

/** @param {Search} of */
function draw(of) {
  keyed(byId("events"), byDay(of.entries, zoneOf(of.filters.waitlist)), rows);
  byId("more").hidden = of.next === null;
  setText(byId("more"), of.entries.length > 0 ? "Show more" : "Search on");
}

/**
 * The zone of a list, or the one that all lists share; otherwise that of the device.
 * @param {string} [waitlist]
 */
function zoneOf(waitlist) {
  const named = lists?.find(({ id }) => id === waitlist);
  if (named) return named.time_zone;
  const zones = new Set((lists ?? []).map(({ time_zone }) => time_zone));
  return zones.size === 1 ? [...zones][0] : undefined;
}

/** @param {string} text */
function status(text) {
  byId("status").hidden = text === "";
  setText(byId("status"), text);
}

onSubmit(form, async (values) => {
  const hash = `#${queryOf(filtersOf(values, zoneOf(values.waitlist)))}`;
  if (hash === (location.hash || "#")) await attempt(show);
  else location.hash = hash;
});
byId("all").addEventListener("click", () => (location.hash = ""));
byId("more").addEventListener("click", () => {
  const of = search;
  if (of) void attempt(() => more(of));
});
byId("verify").addEventListener("click", () => void verify(search?.filters.waitlist));
onSubmit(byId("export", HTMLFormElement), async ({ format }) => {
  const values = valuesOf(form);
  const { from, to } = filtersOf(values, zoneOf(values.waitlist));
  await exportFiles({ format, from, to });
});
begin(show);
