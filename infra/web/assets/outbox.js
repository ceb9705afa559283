/**
 * The outbox of taps: each is kept on the device, then sent until an answer comes, with one Idempotency-Key and so at most one
 * effect. The taps on one party are its lane: they are sent in order, and if one is refused, those behind it are dropped.
 */

import { Problem, Unreachable, newKey } from "./api.js";
import { openStore } from "./outbox-store.js";
import { SignedOut, authorized } from "./session.js";

/** @typedef {import("./outbox-store.js").Tap} Tap */

/** The host is asked before a call or no-show that has waited longer than `OLD_MS` is sent, or another tap longer than `STALE_MS`. */
const OLD_MS = 120_000;
const STALE_MS = 3_600_000;

const ASKED = new Set(["call", "no-show"]);

const RETRY_MS = 3000;
const RETRY_MAX_MS = 30_000;

/**
 * @typedef {object} Events
 * @property {() => void} changed taps came, went, or wait
 * @property {(tap: Tap, written: Api.Written) => void} sent
 * @property {(tap: Tap, error: Problem, behind: Tap[]) => void} refused the tap and those behind it are dropped
 */

/**
 * Opens the outbox of an account. It takes up the taps of an earlier visit to the page, and those of other tabs.
 * @param {string} account
 * @param {Events} events
 */
export async function openOutbox(account, events) {
  const store = await openStore();
  const channel = new BroadcastChannel("waitlist.outbox");
  /** @type {Tap[]} */
  let taps = [];
  /** The last event of each party that this tab wrote. @type {Map<string, number>} */
  const written = new Map();
  /** @type {Set<number>} */
  const underWay = new Set();
  let failures = 0;
  /** Until then the server wants nothing sent. */
  let notBefore = 0;
  let running = false;
  let again = false;
  /** The lanes that are sent while this tab's turn lasts. @type {Map<string, Promise<void>> | null} */
  let lanes = null;
  /** @type {number | undefined} */
  let timer;

  const lane = (/** @type {string} */ party) => taps.filter((tap) => tap.party === party);

  async function load() {
    const all = await store.all();
    // Objects that this tab has already stay the same.
    const stored = all.filter((tap) => tap.account === account).map((tap) => taps.find(({ id }) => id === tap.id) ?? tap);
    // A tap without an id is being stored.
    taps = [...stored, ...taps.filter(({ id }) => id === undefined)];
    events.changed();
  }

  function told() {
    channel.postMessage(null);
    events.changed();
  }

  /** @param {Tap[]} gone */
  async function remove(gone) {
    for (const tap of gone) await store.remove(tap);
    taps = taps.filter((tap) => !gone.includes(tap));
    told();
  }

  /** Sends what waits, one lane beside the other. Of several tabs, one does at a time. */
  async function flush() {
    clearTimeout(timer);
    again = running;
    if (running) return;
    running = true;
    const run = async () => {
      await load();
      lanes = new Map();
      for (const { party } of taps) begin(lanes, party);
      // A tap meanwhile may begin another lane.
      for (const lane of lanes.values()) await lane;
    };
    try {
      await (navigator.locks ? navigator.locks.request("waitlist.outbox", run) : run());
    } finally {
      running = false;
      lanes = null;
    }
    if (taps.length === 0) failures = 0;
    if (again) return flush();
    if (taps.some((tap) => !isOld(tap))) {
      const waitMs = failures === 0 ? 0 : Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** Math.min(failures - 1, 8));
      timer = setTimeout(flush, Math.max(waitMs, notBefore - performance.now()));
    }
  }

  /** @param {Map<string, Promise<void>>} begun @param {string} party */
  function begin(begun, party) {
    if (!begun.has(party)) begun.set(party, sendLane(party));
  }

  /** @param {string} party */
  async function sendLane(party) {
    for (let tap = lane(party)[0]; tap && !isOld(tap); tap = lane(party)[0]) {
      if (performance.now() < notBefore) return;
      underWay.add(tap.id ?? 0);
      events.changed();
      try {
        const { body } = await authorized("POST", `waitees/${tap.party}/${tap.command}`, { body: tap.body, key: tap.key, ifMatch: tap.seq });
        failures = 0;
        written.set(party, body.seq);
        await remove([tap]);
        events.sent(tap, body);
      } catch (error) {
        const refused = error instanceof Problem && !error.passing;
        if (!refused) {
          failures += 1;
          if (error instanceof Problem) notBefore = performance.now() + 1000 * (error.retryAfterS ?? 0);
          if (error instanceof Unreachable || error instanceof SignedOut || error instanceof Problem) return;
          throw error;
        }
        const [, ...behind] = lane(party);
        await remove([tap, ...behind]);
        events.refused(tap, error, behind);
      } finally {
        underWay.delete(tap.id ?? 0);
        events.changed();
      }
    }
  }

  channel.onmessage = () => void load();
  window.addEventListener("online", () => void flush());
  await load();

  return {
    flush,
    lane,
    /** The number of taps that wait. */
    get waiting() {
      return taps.length;
    },
    /** Whether sending has failed, so that taps wait for the network or the server. */
    get failing() {
      return failures > 0;
    },
    /** @param {Tap} tap */
    isSending: (tap) => underWay.has(tap.id ?? 0) && failures === 0,
    isOld,
    /** The taps that are asked again before they are sent, one per lane. */
    get old() {
      return taps.filter((tap) => isOld(tap) && lane(tap.party)[0] === tap);
    },
    /**
     * Keeps a tap, then sends it.
     * @param {{ id: string, seq: number }} party as the host sees it
     * @param {string} command
     * @param {Record<string, string>} [body]
     */
    async tap({ id, seq }, command, body = {}) {
      const first = lane(id).length === 0;
      // The board may not show yet what this tab wrote last.
      const seen = Math.max(seq, written.get(id) ?? 0);
      /** @type {Tap} */
      const tap = { key: newKey(), account, party: id, command, body, seq: first ? seen : null, at: Date.now() };
      taps.push(tap);
      await store.put(tap);
      told();
      if (lanes) begin(lanes, id);
      void flush();
    },
    /** Learns of a write outside of the outbox, so that the next tap on the party is not taken for a late one. @param {string} party @param {number} seq */
    wrote: (party, seq) => void written.set(party, seq),
    /** Sends an old tap after all. @param {Tap} tap */
    async confirm(tap) {
      tap.at = Date.now();
      await store.put(tap);
      void flush();
    },
    /** Drops an old tap and those behind it. @param {Tap} tap */
    discard: (tap) => remove(lane(tap.party)),
  };
}

/** @param {Tap} tap */
function isOld(tap) {
  // The clock of a device may be set back meanwhile.
  return Math.abs(Date.now() - tap.at) > (ASKED.has(tap.command) ? OLD_MS : STALE_MS);
}
