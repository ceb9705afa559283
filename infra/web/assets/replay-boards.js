/** Boards of earlier times, as the API answers them. */

import { Problem, all } from "./api.js";
import { authorized } from "./session.js";

/** The most boards that are kept. */
const KEPT_MAX = 64;

/** A board is asked for again after this time, so that a guest who was erased meanwhile is not shown for long. */
const KEPT_MS = 60_000;

/** The most parties of a board. */
const PARTIES_MAX = 500;

/** @typedef {{ parties: Promise<Api.Waitee[]>, askedAt: number }} Kept */

/** The boards of a list. */
export class Boards {
  /** @param {string} list its id */
  constructor(list) {
    this.list = list;
    /** By time, the least recently used first. @type {Map<string, Kept>} */
    this.kept = new Map();
  }

  /**
   * The board at the time of an event. It is empty once the list is deleted.
   * @param {string} at
   * @returns {Promise<Api.Waitee[]>}
   */
  at(at) {
    const known = this.kept.get(at);
    this.kept.delete(at);
    const one = known && performance.now() - known.askedAt < KEPT_MS ? known : { parties: this.ask(at), askedAt: performance.now() };
    this.kept.set(at, one);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= KEPT_MAX) break;
      this.kept.delete(oldest);
    }
    return one.parties;
  }

  /**
   * Asks for a board that is needed soon.
   * @param {string} at
   */
  prefetch(at) {
    this.at(at).catch(() => undefined);
  }

  /** @param {string} at */
  async ask(at) {
    try {
      return await all(authorized, `waitlists/${this.list}/waitees?as_of=${encodeURIComponent(at)}`, PARTIES_MAX);
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return [];
      this.kept.delete(at);
      throw error;
    }
  }
}
