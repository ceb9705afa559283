/** Elements made by script. Text reaches the page only as text nodes and attributes, never as markup. */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {string | number | Node | null | undefined | false} Child */

/**
 * An element. Of the attributes, functions named `onclick` and the like become listeners; `true` sets an empty attribute; null,
 * undefined and `false` leave it out; `value`, `checked` and `disabled` are set as properties.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  setAttributes(node, attributes);
  node.append(...present(children));
  return node;
}

/**
 * An SVG element.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const node = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  setAttributes(node, attributes);
  node.append(...present(children));
  return node;
}

/**
 * Sets attributes, properties and listeners as `element` does.
 * @param {Element} node
 * @param {Record<string, any>} attributes
 */
export function setAttributes(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (["value", "checked", "disabled"].includes(name)) /** @type {any} */ (node)[name] = value ?? "";
    else if (value === null || value === undefined || value === false) node.removeAttribute(name);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

/**
 * Replaces the children of a node.
 * @param {Element} node
 * @param {...Child} children
 */
export function replace(node, ...children) {
  node.replaceChildren(...present(children));
}

/**
 * Sets the text of a node, unless it is the same already: screen readers read changed live regions aloud.
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * The element of the page with an id.
 * @template {Element} [Kind=HTMLElement]
 * @param {string} id
 * @param {new () => Kind} [kind]
 * @returns {Kind}
 */
export function byId(id, kind) {
  const node = document.getElementById(id);
  if (!node || (kind && !(node instanceof kind))) throw new Error(`the page has no such element: #${id}`);
  return /** @type {any} */ (node);
}

/** The rows of a keyed list. @type {WeakMap<Element, Map<string, Element>>} */
const lists = new WeakMap();

/**
 * Makes the children of `parent` the rows of `items`, in order. A row is created once per key and then updated in place, and the
 * row that holds the focus is never moved: the others are moved around it.
 * @template Item
 * @param {Element} parent
 * @param {Item[]} items
 * @param {{ key: (item: Item) => string, create: (item: Item) => Element, update: (row: any, item: Item) => void }} how
 */
export function keyed(parent, items, { key, create, update }) {
  const rows = lists.get(parent) ?? new Map();
  lists.set(parent, rows);
  const keys = new Set(items.map(key));
  for (const [name, row] of rows) {
    if (keys.has(name)) continue;
    row.remove();
    rows.delete(name);
  }
  const ordered = items.map((item) => {
    const row = rows.get(key(item)) ?? create(item);
    rows.set(key(item), row);
    update(row, item);
    return row;
  });
  const focused = ordered.findIndex((row) => row.contains(document.activeElement));
  const fixed = Math.max(0, focused);
  if (ordered.length > 0 && ordered[fixed].parentNode !== parent) parent.prepend(ordered[fixed]);
  for (let index = fixed - 1; index >= 0; index -= 1) {
    const next = ordered[index + 1];
    if (next.previousElementSibling !== ordered[index]) next.before(ordered[index]);
  }
  for (let index = fixed + 1; index < ordered.length; index += 1) {
    const last = ordered[index - 1];
    if (last.nextElementSibling !== ordered[index]) last.after(ordered[index]);
  }
}

/** @param {Child[]} children */
function present(children) {
  const kept = children.filter((child) => child !== null && child !== undefined && child !== false);
  return kept.map((child) => (child instanceof Node ? child : String(child)));
}
