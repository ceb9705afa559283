/** Forms: their values, and problems at their fields. */

import { Problem, Unreachable, newKey } from "./api.js";
import { element } from "./dom.js";

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */
/** @typedef {Record<string, any>} Values */

/** A problem that a page found itself, for the field with a name. */
export class FieldProblem extends Error {
  /**
   * @param {string} field
   * @param {string} detail
   */
  constructor(field, detail) {
    super(detail);
    this.name = "FieldProblem";
    /** @type {Api.Fault[]} */
    this.errors = [{ pointer: `/${field}`, detail }];
  }
}

/**
 * A label with its control, and a hint below it.
 * @param {string} label
 * @param {Control} control with a `name`, and an `id` that is unique in the page
 * @param {string} [hint]
 */
export function field(label, control, hint) {
  const about = hint && element("p", { class: "hint", id: `${control.id}-hint` }, hint);
  if (about) control.setAttribute("aria-describedby", about.id);
  if (control.type === "checkbox") {
    return element("div", { class: "field" }, element("label", { class: "check" }, control, label), about);
  }
  return element("div", { class: "field" }, element("label", { for: control.id }, label), control, about);
}

/**
 * The values by name: numbers of number fields, booleans of checkboxes, null for empty fields.
 * @param {HTMLFormElement} form
 * @returns {Values}
 */
export function valuesOf(form) {
  return Object.fromEntries(controls(form).map((control) => [control.name, valueOf(control)]));
}

/**
 * Calls `send` when the form is submitted with allowed values. A second submit waits until the first one has ended. The key stays
 * the same until a submit succeeds or the values change, so that a repeat after a lost answer does nothing twice.
 * @param {HTMLFormElement} form
 * @param {(values: Values, key: string) => Promise<void>} send
 * @param {{ explain?: (error: unknown) => string, invalid?: (control: Control) => string }} [texts] for other languages
 */
export function onSubmit(form, send, texts = {}) {
  let busy = false;
  let sent = { values: "", key: "" };
  form.noValidate = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    clearProblems(form);
    if (!allowed(form, texts.invalid)) return;
    const values = valuesOf(form);
    const text = JSON.stringify(values);
    if (sent.values !== text) sent = { values: text, key: newKey() };
    busy = true;
    form.setAttribute("aria-busy", "true");
    try {
      await send(values, sent.key);
      sent = { values: "", key: "" };
    } catch (error) {
      showProblem(form, error, texts.explain);
    } finally {
      busy = false;
      form.removeAttribute("aria-busy");
    }
  });
}

/**
 * Shows a problem at the fields that it names and focuses the first of them; in the form's message if the form has none of them.
 * @param {HTMLFormElement} form
 * @param {unknown} error
 * @param {(error: unknown) => string} [text]
 */
export function showProblem(form, error, text = explainInForm) {
  clearProblems(form);
  const faults = error instanceof Problem || error instanceof FieldProblem ? error.errors : [];
  const named = faults.filter(({ pointer, detail }) => {
    const control = controls(form).find(({ name }) => `/${name}` === pointer);
    if (control) showAt(control, sentence(detail));
    return control;
  });
  if (named.length === 0) messageOf(form).textContent = text(error);
  form.querySelector('[aria-invalid="true"]')?.closest("details")?.setAttribute("open", "");
  /** @type {HTMLElement | null} */ (form.querySelector('[aria-invalid="true"]'))?.focus();
}

/** @param {HTMLFormElement} form */
export function clearProblems(form) {
  messageOf(form).textContent = "";
  for (const control of controls(form)) {
    control.removeAttribute("aria-invalid");
    const error = document.getElementById(`${control.id}-error`);
    if (error) error.textContent = "";
  }
}

/**
 * Shows an error below a control.
 * @param {Control} control
 * @param {string} text
 */
export function showAt(control, text) {
  const id = `${control.id}-error`;
  let error = document.getElementById(id);
  if (!error) {
    error = element("p", { class: "field-error", id });
    (control.closest(".field") ?? control.parentElement)?.append(error);
    const described = control.getAttribute("aria-describedby");
    control.setAttribute("aria-describedby", described ? `${described} ${id}` : id);
  }
  error.textContent = text;
  control.setAttribute("aria-invalid", "true");
}

/** @param {unknown} error */
function explainInForm(error) {
  return `${explain(error)}${error instanceof Unreachable ? " What you typed is kept." : ""}`;
}

/**
 * An error in words, with what to do next.
 * @param {unknown} error
 */
export function explain(error) {
  if (error instanceof Unreachable) {
    return navigator.onLine
      ? "The server does not answer. Try again in a moment."
      : "This device is offline. Try again once it is online.";
  }
  if (error instanceof Problem) {
    const wait = error.retryAfterS ?? 0;
    if (error.status === 429) return `Too many tries. Try again in ${wait > 90 ? `${Math.ceil(wait / 60)} minutes` : `${wait || 60} seconds`}.`;
    if (error.status >= 500) return "The server could not do this now. Try again in a moment.";
    return [sentence(error.message), ...error.errors.map(({ detail }) => sentence(detail))].join(" ");
  }
  return error instanceof Error ? sentence(error.message) : "Something went wrong. Try again.";
}

/**
 * The text as a sentence: "must be set" becomes "Must be set."
 * @param {string} text
 */
export function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/**
 * @param {HTMLFormElement} form
 * @returns {Control[]}
 */
function controls(form) {
  return /** @type {Control[]} */ ([...form.elements]).filter((control) => control.name && "value" in control && control.type !== "submit");
}

/** @param {Control} control */
function valueOf(control) {
  if (control instanceof HTMLInputElement && control.type === "checkbox") return control.checked;
  const text = control.type === "password" ? control.value : control.value.trim();
  if (text === "") return null;
  return control.type === "number" ? Number(text) : text;
}

/**
 * Whether the fields hold what their attributes (`required`, `min`, ...) ask for; shows at each field why not.
 * @param {HTMLFormElement} form
 * @param {((control: Control) => string) | undefined} text
 */
function allowed(form, text) {
  const wrong = controls(form).filter((control) => !control.checkValidity());
  for (const control of wrong) showAt(control, (text ?? ((c) => c.validationMessage))(control));
  wrong[0]?.closest("details")?.setAttribute("open", "");
  wrong[0]?.focus();
  return wrong.length === 0;
}

/**
 * The form's message, made at its first use. It stands before the buttons, or at the end.
 * @param {HTMLFormElement} form
 */
function messageOf(form) {
  const found = form.querySelector(".form-message");
  if (found) return found;
  const made = element("p", { class: "form-message", role: "alert" });
  const actions = form.querySelector(".actions");
  if (actions) actions.before(made);
  else form.append(made);
  return made;
}
