/** Forms that change what exists already. */

import { Problem } from "./api.js";
import { FieldProblem, onSubmit, valuesOf } from "./form.js";
import { authorized } from "./session.js";

/**
 * Sends the fields that were changed in the form. If the thing has changed meanwhile, nothing is sent, and a second submit sends
 * them on top of that.
 * @param {HTMLFormElement} form with the present values
 * @param {string} path of the thing
 * @param {number} seq the event up to which the form shows it
 * @param {(now: any) => string} meanwhile says that the thing has changed, from its present body
 * @param {(written: number | null) => void} done gets the `seq` that was written; null if no field was changed
 */
export function onEdit(form, path, seq, meanwhile, done) {
  const before = valuesOf(form);
  let known = seq;
  onSubmit(form, async (values, key) => {
    const changes = Object.entries(values).filter(([name, value]) => value !== before[name]);
    let written = null;
    if (changes.length > 0) {
      try {
        written = (await authorized("PATCH", path, { body: Object.fromEntries(changes), key, ifMatch: known })).body.seq;
      } catch (error) {
        if (!(error instanceof Problem && error.status === 412)) throw error;
        const { body } = await authorized("GET", path);
        known = body.seq;
        throw new FieldProblem("", meanwhile(body));
      }
    }
    done(written);
  });
}
