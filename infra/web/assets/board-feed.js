/** Reads a list and its board, and keeps the pages whose ETag still holds. */

import { authorized } from "./session.js";

/** A page of the board holds at most this many parties. */
const PAGE = 200;

/** @typedef {{ list: Api.Waitlist, parties: Api.Waitee[] }} Board */

/** @param {string} id of the list */
export function boardFeed(id) {
  /** @type {Map<string, { etag: string | null, body: any }>} */
  let kept = new Map();
  /** @type {Board | null} */
  let last = null;

  /**
   * @param {string} path
   * @param {typeof kept} now the pages of this reading
   */
  async function page(path, now) {
    const before = kept.get(path);
    const answer = await authorized("GET", path, { ifNoneMatch: before?.etag });
    const one = answer.status === 304 && before ? before : { etag: answer.etag, body: answer.body };
    now.set(path, one);
    return one.body;
  }

  /** @param {typeof kept} now */
  async function parties(now) {
    const first = `waitlists/${id}/waitees?limit=${PAGE}`;
    /** @type {Api.Waitee[]} */
    const items = [];
    for (let path = first; path; ) {
      const { items: some, next } = await page(path, now);
      items.push(...some);
      path = next ? `${first}&cursor=${encodeURIComponent(next)}` : "";
    }
    return items;
  }

  /** Resolves to the same object as before when nothing has changed. @returns {Promise<Board>} */
  return async function read() {
    /** @type {typeof kept} */
    const now = new Map();
    const [list, all] = await Promise.all([page(`waitlists/${id}`, now), parties(now)]);
    const isSame = now.size === kept.size && [...now].every(([path, one]) => kept.get(path) === one);
    kept = now;
    if (!last || !isSame) last = { list, parties: all };
    return last;
  };
}
