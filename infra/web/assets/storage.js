/** Small values that a device keeps. Where storage is blocked or full, they are forgotten. */

/**
 * @param {"localStorage" | "sessionStorage"} where `sessionStorage` ends with the tab
 * @param {string} name
 * @returns {any} the value; null if there is none
 */
export function recall(where, name) {
  try {
    return JSON.parse(window[where].getItem(name) ?? "null");
  } catch {
    return null;
  }
}

/**
 * @param {"localStorage" | "sessionStorage"} where
 * @param {string} name
 * @param {unknown} value null removes it
 */
export function keep(where, name, value) {
  try {
    if (value === null) window[where].removeItem(name);
    else window[where].setItem(name, JSON.stringify(value));
  } catch {
    // The page works without.
  }
}
