/** An evening of a list, step by step. Each step shows the board that the API answers for the time of an event. */

import { all } from "./api.js";
import { nameOf } from "./board-words.js";
import { byId, element, replace, setText } from "./dom.js";
import { wordsOf } from "./event-words.js";
import { attempt, begin, problem, title } from "./owner.js";
import { drawBoard, drawCount } from "./replay-board.js";
import { Boards } from "./replay-boards.js";
import { lastDay, stepsOf } from "./replay-steps.js";
import { authorized } from "./session.js";
import { fullDate, serverNow, timeOfDay, timeToSecond } from "./time.js";
import { dayAfter } from "./zone.js";

/** Boards that are asked for ahead while the evening plays. */
const AHEAD = 4;

/** The step is written into the address at most this often: browsers refuse more. */
const ADDRESS_MS = 1000;

/**
 * @typedef {object} Evening
 * @property {Api.Waitlist} list
 * @property {string} day
 * @property {Api.Event[]} steps
 * @property {Boards} boards
 * @property {number} wanted the step to be shown, from 0
 * @property {number} shown the step that is shown; -1 before the first
 * @property {Promise<void> | null} moving
 */

/** @type {Evening | null} */
let evening = null;
let playing = false;
let reading = new AbortController();
/** @type {number | undefined} */
let addressTimer;

const slider = byId("slider", HTMLInputElement);
const play = byId("play", HTMLButtonElement);

async function show() {
  const [id, ...rest] = location.hash.slice(1).split("&");
  const asked = new URLSearchParams(rest.join("&"));
  pause();
  clearTimeout(addressTimer);
  reading.abort();
  const { signal } = (reading = new AbortController());
  evening = null;
  byId("stage").hidden = true;
  byId("none").hidden = true;
  byId("lists").hidden = true;
  status("Loading the evening…");
  try {
    if (id === "") return await choose();
    const { body: list } = await authorized("GET", `waitlists/${encodeURIComponent(id)}`, { signal });
    const day = asked.get("day") ?? (await lastDay(list, serverNow(), signal));
    heading(list, day);
    const { steps, until } = await stepsOf(list, day, (count) => status(`Loading the evening… ${count} events`), signal);
    if (signal.aborted) return;
    status("");
    byId("none").hidden = steps.length > 0;
    setText(byId("until"), until ? `Events up to ${timeOfDay(until, list.time_zone)}; later ones may follow.` : "");
    byId("newer").hidden = !until;
    if (steps.length === 0) return;
    const first = Math.min(Math.max(1, Number(asked.get("step")) || 1), steps.length) - 1;
    evening = { list, day, steps, boards: new Boards(list.id), wanted: first, shown: -1, moving: null };
    slider.max = String(steps.length);
    byId("stage").hidden = false;
    await go(first);
  } catch (error) {
    if (signal.aborted) return;
    status("");
    throw error;
  }
}

/** Offers the lists, where the address names none. */
async function choose() {
  /** @type {Api.Waitlist[]} */
  const lists = await all(authorized, "waitlists");
  status(lists.length === 0 ? "There is no list yet." : "Choose a list:");
  const link = (/** @type {Api.Waitlist} */ list) => element("a", { class: "button", href: `#${list.id}` }, list.name);
  replace(byId("lists"), ...lists.map((list) => element("li", {}, link(list))));
  byId("lists").hidden = false;
}

/**
 * Shows a step. While a board is awaited, only the step that was asked for last follows it.
 * @param {number} step from 0
 */
function go(step) {
  const of = evening;
  if (!of) return Promise.resolve();
  of.wanted = Math.min(Math.max(0, step), of.steps.length - 1);
  slider.value = String(of.wanted + 1);
  of.moving ??= move(of).finally(() => (of.moving = null));
  return of.moving;
}

/** @param {Evening} of */
async function move(of) {
  while (of === evening && of.shown !== of.wanted) {
    const step = of.wanted;
    const event = of.steps[step];
    byId("board").setAttribute("aria-busy", "true");
    const parties = await of.boards.at(event.at);
    const id = event.stream.startsWith("waitee-") ? event.stream.slice("waitee-".length) : null;
    const before = id && step > 0 && !parties.some((party) => party.id === id) ? await of.boards.at(of.steps[step - 1].at) : parties;
    for (let next = step + 1; next <= step + (playing ? AHEAD : 1) && next < of.steps.length; next += 1) of.boards.prefetch(of.steps[next].at);
    if (of !== evening) return;
    of.shown = step;
    draw(of, event, parties, [...parties, ...before].find((party) => party.id === id) ?? null);
  }
}

/**
 * @param {Evening} of
 * @param {Api.Event} event
 * @param {Api.Waitee[]} parties
 * @param {Api.Waitee | null} subject the party that the event is about, as the board at the event or just before it shows it
 */
function draw({ list, steps, shown }, event, parties, subject) {
  const isVisit = event.stream.startsWith("waitee-");
  const { text, tone } = wordsOf([event]);
  const of = isVisit ? (subject ? nameOf(subject) : "A party that is not on the board") : list.name;
  const time = timeToSecond(event.at, list.time_zone);
  setText(byId("time"), time);
  byId("time").setAttribute("datetime", event.at);
  setText(byId("count"), `Step ${shown + 1} of ${steps.length}`);
  replace(
    byId("event"),
    element("span", { class: `event-words ${tone}` }, element("b", {}, text)),
    element("a", { class: "break", href: `history#${event.stream}` }, of),
  );
  slider.setAttribute("aria-valuetext", `Step ${shown + 1} of ${steps.length}, ${time}, ${text}, ${of}`);
  const board = byId("board");
  drawBoard(board, parties, { at: event.at, zone: list.time_zone, party: subject?.id ?? null });
  drawCount(byId("parties"), parties);
  board.removeAttribute("aria-busy");
  board.dataset.step = String(shown + 1);
  board.dataset.at = event.at;
  byId("previous", HTMLButtonElement).disabled = shown === 0;
  byId("next", HTMLButtonElement).disabled = shown === steps.length - 1;
  addressTimer ??= setTimeout(writeAddress, ADDRESS_MS);
}

/** Writes the step into the address, so that Back and Reload come back to it. */
function writeAddress() {
  clearTimeout(addressTimer);
  addressTimer = undefined;
  if (evening && evening.shown >= 0) history.replaceState(null, "", `#${evening.list.id}&day=${evening.day}&step=${evening.shown + 1}`);
}

async function start() {
  const of = evening;
  if (!of) return;
  if (of.shown === of.steps.length - 1) await go(0);
  playing = true;
  byId("event").setAttribute("aria-live", "off");
  label();
  try {
    while (playing && of === evening && of.shown < of.steps.length - 1) {
      const began = performance.now();
      await go(of.shown + 1);
      const rest = Number(byId("speed", HTMLSelectElement).value) - (performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, rest)));
    }
  } catch (error) {
    problem(error, () => attempt(start));
  } finally {
    if (of === evening) pause();
  }
}

function pause() {
  playing = false;
  byId("event").setAttribute("aria-live", "polite");
  label();
  if (addressTimer !== undefined) writeAddress();
}

function label() {
  setText(play, playing ? "Pause" : "Play");
}

/** @param {number} by */
function step(by) {
  pause();
  if (evening) void attempt(() => go((evening?.wanted ?? 0) + by));
}

/**
 * @param {Api.Waitlist} list
 * @param {string} day
 */
function heading(list, day) {
  setText(byId("heading"), list.name);
  setText(byId("day-text"), `${fullDate(`${day}T12:00:00Z`, "UTC")}, from ${list.day_starts} (${list.time_zone})`);
  title(`Replay of ${list.name}`);
  byId("day", HTMLInputElement).value = day;
  byId("days").hidden = false;
  byId("day-before", HTMLAnchorElement).href = `#${list.id}&day=${dayAfter(day, -1)}`;
  byId("day-after", HTMLAnchorElement).href = `#${list.id}&day=${dayAfter(day)}`;
}

/** @param {string} text */
function status(text) {
  byId("loading").hidden = text === "";
  setText(byId("loading"), text);
}

slider.addEventListener("input", () => {
  pause();
  void attempt(() => go(Number(slider.value) - 1));
});
play.addEventListener("click", () => (playing ? pause() : void start()));
byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
byId("newer").addEventListener("click", () => void attempt(show));
byId("day").addEventListener("change", () => {
  const day = byId("day", HTMLInputElement).value;
  const [id] = location.hash.slice(1).split("&");
  if (day) location.hash = `${id}&day=${day}`;
});
window.addEventListener("pagehide", writeAddress);
document.addEventListener("keydown", (event) => {
  const inField = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (!evening || inField || event.altKey || event.ctrlKey || event.metaKey) return;
  const onControl = event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement;
  if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "ArrowRight") step(1);
  else if (event.key === " " && !onControl) {
    event.preventDefault();
    play.click();
  }
});
begin(show);
