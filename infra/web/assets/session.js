/**
 * The session of the signed-in account, shared by all tabs through `localStorage`.
 *
 * The server replaces the refresh token at each use. Tabs take turns by a Web Lock and look at the storage first, so that none sends
 * a token that another tab has replaced. When an answer is lost, the same token is sent again and gets the same successor.
 */

import { Problem, Unreachable, forgetWrites, request } from "./api.js";
import { serverNow } from "./time.js";

const STORED = "waitlist.session";
const LOCK = "waitlist.refresh";

/** The access token is replaced this long before it expires. */
const AHEAD_MS = 30_000;

/**
 * @typedef {object} Session
 * @property {string} email
 * @property {string} access
 * @property {number} accessUntil milliseconds since 1970 by the server's clock
 * @property {string} refresh
 */

/** The session has ended, or there is none: the host must sign in. */
export class SignedOut extends Error {
  constructor() {
    super("You are signed out.");
    this.name = "SignedOut";
  }
}

/** The session, or null. @returns {Session | null} */
export function session() {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "null");
  } catch {
    return null;
  }
}

/** The id of the signed-in account; null without a session. */
export const accountId = () => idOf(session());

/**
 * The account that an access token names.
 * @param {Session | null} of
 * @returns {string | null}
 */
function idOf(of) {
  try {
    const [, claims] = (of?.access ?? "").split(".");
    return JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))).sub ?? null;
  } catch {
    return null;
  }
}

/**
 * Calls `changed` when another tab signs in or out, or this one is signed out.
 * @param {() => void} changed
 */
export function onSession(changed) {
  window.addEventListener("storage", (event) => {
    if (event.key !== STORED) return;
    const account = (/** @type {string | null} */ text) => idOf(JSON.parse(text ?? "null"));
    if (account(event.oldValue) !== account(event.newValue)) changed();
  });
  window.addEventListener("signed-out", changed);
}

/**
 * @param {string} email
 * @param {string} password
 */
export async function signIn(email, password) {
  const { body } = await request("POST", "sessions", { body: { email, password } });
  forgetWrites();
  keep(email, body);
}

/** Signs out. Without an answer the tokens are dropped all the same. */
export async function signOut() {
  try {
    await authorized("DELETE", "sessions/current");
  } catch (error) {
    if (!(error instanceof Unreachable || error instanceof Problem || error instanceof SignedOut)) throw error;
  }
  drop();
}

/** Forgets the session on this device. */
export function drop() {
  localStorage.removeItem(STORED);
  forgetWrites();
  window.dispatchEvent(new Event("signed-out"));
}

/**
 * Sends a request with the access token, which is refreshed when it has expired.
 * @param {string} method
 * @param {string} path
 * @param {import("./api.js").Options} [options]
 * @returns {Promise<import("./api.js").Answer>}
 * @throws {Problem | Unreachable | SignedOut}
 */
export async function authorized(method, path, options = {}) {
  const token = await access();
  try {
    return await request(method, path, { ...options, token });
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error;
    return await request(method, path, { ...options, token: await refreshed(token) });
  }
}

/** An access token that is valid for a while. */
async function access() {
  const known = session();
  if (!known) throw new SignedOut();
  return known.accessUntil - serverNow() > AHEAD_MS ? known.access : refreshed(known.access);
}

/**
 * The access token after `used`, by a refresh unless another tab has made one.
 * @param {string} used
 * @returns {Promise<string>}
 */
function refreshed(used) {
  return inTurn(async () => {
    const known = session();
    if (!known) throw new SignedOut();
    if (known.access !== used) return known.access;
    try {
      const { body } = await request("POST", "sessions/refresh", { body: { refresh_token: known.refresh } });
      return keep(known.email, body).access;
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) throw error;
      if (session()?.refresh === known.refresh) drop();
      throw new SignedOut();
    }
  });
}

/**
 * @param {string} email
 * @param {Api.Tokens} tokens
 */
function keep(email, tokens) {
  const kept = {
    email,
    access: tokens.access_token,
    accessUntil: serverNow() + tokens.expires_in * 1000,
    refresh: tokens.refresh_token,
  };
  localStorage.setItem(STORED, JSON.stringify(kept));
  return kept;
}

/** The last turn of this tab, for browsers without locks. @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * Runs `work` while no other tab does.
 * @template Result
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
function inTurn(work) {
  // Locks exist on https and localhost alone. Elsewhere, tabs that refresh at the same moment get the same successor.
  if (navigator.locks) return navigator.locks.request(LOCK, work);
  const turn = last.then(work, work);
  last = turn.catch(() => undefined);
  return turn;
}
