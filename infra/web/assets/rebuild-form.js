/** The form that estimates and starts a rebuild. */

import { element, replace, setText } from "./dom.js";
import { clearProblems, field, onSubmit, showProblem, valuesOf } from "./form.js";
import { grouped } from "./rebuild-view.js";
import { authorized } from "./session.js";
import { unit } from "./time.js";

/**
 * @param {string} name of the projection
 * @param {() => Promise<unknown>} started is told that a rebuild has begun
 */
export function rebuildForm(name, started) {
  const id = (/** @type {string} */ part) => `${name}-${part}`;
  const promote = element(
    "select",
    { id: id("promote"), name: "promote" },
    element("option", { value: "auto" }, "By itself, if no row differs"),
    element("option", { value: "manual" }, "By hand, after a look at the report"),
  );
  const units = element("input", { id: id("units"), name: "write_units_per_second", type: "number", min: 1, max: 1000000, step: 1, inputmode: "numeric" });
  const reason = element("input", { id: id("reason"), name: "reason", maxlength: 200, autocomplete: "off" });
  const quoted = element("div", { role: "status" });
  const estimate = element("button", { type: "button", onclick: () => void quote() }, "Estimate");
  const form = element(
    "form",
    {},
    field("Promote the new rows", promote),
    field("Write units per second", units, "At most so many, indexes included. Empty: no bound."),
    field("Reason", reason, "Every operator can read it. Name no guest."),
    quoted,
    element("div", { class: "actions" }, element("button", { type: "submit", class: "primary" }, "Start the rebuild"), estimate),
  );
  const node = element("details", { class: "rebuild-form" }, element("summary", {}, "Rebuild…"), form);

  async function quote() {
    clearProblems(form);
    estimate.disabled = true;
    setText(quoted, "Estimating…");
    try {
      const { body } = await authorized("POST", path, { body: { ...valuesOf(form), dry_run: true } });
      replace(quoted, ...words(body));
    } catch (error) {
      setText(quoted, "");
      showProblem(form, error);
    }
    estimate.disabled = false;
  }

  const path = `projections/${name}/rebuilds`;
  onSubmit(form, async (values, key) => {
    await authorized("POST", path, { body: values, key });
    form.reset();
    setText(quoted, "");
    node.open = false;
    await started();
  });
  return node;
}

/** @param {Api.Quote} quote */
function words({ commits, bytes, read_units, write_units, dollars, priced_on, seconds }) {
  const time = seconds < 90 ? unit(Math.max(1, seconds), "second") : unit(Math.ceil(seconds / 60), "minute");
  const price = dollars < 0.01 ? "less than $0.01" : `about $${dollars.toFixed(2)}`;
  return [
    element("p", {}, element("b", {}, `About ${time}, ${price}.`)),
    element("p", { class: "muted small" }, `${grouped(commits)} commits (${grouped(Math.ceil(bytes / 1024))} KB), ${grouped(read_units)} read and ${grouped(write_units)} write units, at the prices from ${priced_on}.`),
  ];
}
