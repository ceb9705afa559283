/**
 * Joins a list once, whatever becomes of the answer. The key stays the same until a join succeeds, also across reloads. Until then
 * the tab keeps the bodies that may have joined: after a lost answer and a change of the form, the API refuses the changed body under
 * the same key, and the former body gets the answer that was lost.
 */

import { Problem, newKey, request } from "./api.js";
import { keep, recall } from "./storage.js";

/** The most bodies that are kept; each is the form after a lost answer and a change. */
const BODIES_MAX = 8;

/** What the visit's page reads once: the guest's visit, its Sync-Token, and whether an earlier try had joined. */
export const JOINED = "waitlist.joined";

/** @typedef {Record<string, string | number | null>} Body */

/** @param {string} list the id of the list */
export function joining(list) {
  const name = `waitlist.join.${list}`;
  /** @type {{ key: string, bodies: Body[] }} */
  let attempt = recall("sessionStorage", name) ?? { key: newKey(), bodies: [] };

  /** @param {Body[]} bodies */
  function keepBodies(bodies) {
    attempt = { ...attempt, bodies: bodies.slice(-BODIES_MAX) };
    keep("sessionStorage", name, bodies.length > 0 ? attempt : null);
  }

  /**
   * @param {Body} body
   * @param {string} key
   */
  async function send(body, key) {
    return await request("POST", `public/waitlists/${encodeURIComponent(list)}/waitees`, { body, key });
  }

  return {
    /** The last body whose answer was lost. */
    unanswered: () => attempt.bodies.at(-1),

    /**
     * @param {Body} body
     * @returns {Promise<string>} the visit's token
     * @throws {Problem | import("./api.js").Unreachable}
     */
    async join(body) {
      const former = attempt.bodies.filter((other) => JSON.stringify(other) !== JSON.stringify(body));
      keepBodies([...former, body]);
      const tries = [body, ...former.reverse()];
      for (const tried of tries) {
        try {
          const { body: joined, headers } = await send(tried, attempt.key);
          keepBodies([]);
          attempt.key = newKey();
          const sync = headers.get("Sync-Token");
          keep("sessionStorage", JOINED, { token: joined.visit_token, sync, earlier: tried !== body });
          return joined.visit_token;
        } catch (error) {
          const refused = error instanceof Problem && error.status < 500;
          // Another body joined under this key.
          if (refused && error.slug === "idempotency-key-reused" && tried !== tries.at(-1)) continue;
          if (refused) keepBodies(attempt.bodies.filter((other) => other !== tried));
          throw error;
        }
      }
      throw new Error("a join has at least one body");
    },
  };
}
