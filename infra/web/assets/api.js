/** Requests to the API. */

import { observeDate } from "./time.js";

/** An answer takes at most this long; a lambda that starts cold and hashes a password needs some seconds. */
const TIMEOUT_MS = 20_000;

/** Rows follow the log within seconds. After that, reads show a write without its token. */
const SYNC_MS = 10_000;

/** The most Sync-Tokens that a read takes. */
const SYNC_MAX = 16;

/** Streams whose tokens reads take. */
const SYNCED = /^(user|waitlist|waitee|mail)-/;

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {any} body the parsed JSON, or null if there is none; the file as a Blob if one was asked for
 * @property {string | null} etag
 * @property {Headers} headers
 *
 * @typedef {object} Options
 * @property {unknown} [body] sent as JSON
 * @property {string} [key] the Idempotency-Key
 * @property {string | number | null} [ifMatch] an ETag, or a `seq`
 * @property {string | null} [ifNoneMatch] an ETag; the answer may then be 304 without a body
 * @property {string | null} [token] the access token
 * @property {AbortSignal} [signal]
 * @property {boolean} [file] whether the answer is a file, which is kept byte by byte
 */

/** The API refused a request: a problem document, or an answer of a gateway on the way. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} body
   * @param {number | null} retryAfterS
   */
  constructor(status, body, retryAfterS) {
    super(body.detail ?? body.title ?? body.message ?? `The server answered ${status}.`);
    this.name = "Problem";
    this.status = status;
    /** The last part of `type`, such as `invalid-transition`. */
    this.slug = String(body.type ?? "").split("/").pop() ?? "";
    this.title = String(body.title ?? "");
    /** @type {Api.Fault[]} */
    this.errors = Array.isArray(body.errors) ? body.errors : [];
    /** The visit's state, after `invalid-transition`. @type {Api.State | undefined} */
    this.state = body.state;
    /** @type {string[] | undefined} */
    this.allowed = body.allowed;
    /** @type {string | undefined} */
    this.requestId = body.request_id;
    this.retryAfterS = retryAfterS;
  }

  /** Whether the same request may succeed later. */
  get passing() {
    return this.status === 429 || this.status >= 500;
  }
}

/** No answer came: the device is offline, or the server cannot be reached. The request may have taken effect. */
export class Unreachable extends Error {
  /** @param {unknown} cause */
  constructor(cause) {
    super("no answer", { cause });
    this.name = "Unreachable";
  }
}

/**
 * Sends a request. `path` is relative to `/v1/`, without a slash at its beginning: `waitlists?limit=10`.
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<Answer>} an answer below 400
 * @throws {Problem | Unreachable}
 */
export async function request(method, path, options = {}) {
  const sent = performance.now();
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  let response;
  let content;
  try {
    response = await fetch(new URL(`v1/${path}`, document.baseURI), {
      method,
      headers: headers(method, path, options),
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal,
    });
    observeDate(response.headers.get("Date"), sent, performance.now());
    content = options.file && response.ok ? await response.blob() : await response.text();
  } catch (cause) {
    throw new Unreachable(cause);
  }
  const body = typeof content === "string" ? parsed(content) : content;
  if (response.status >= 400) {
    const wait = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
    throw new Problem(response.status, body ?? {}, Number.isNaN(wait) ? null : wait);
  }
  rememberWrite(response.headers.get("Sync-Token"));
  return { status: response.status, body, etag: response.headers.get("ETag"), headers: response.headers };
}

/**
 * All items of a list, page by page.
 * @template Item
 * @param {(method: string, path: string, options?: Options) => Promise<Answer>} send `request` or `authorized`
 * @param {string} path without `limit` and `cursor`
 * @param {number} [most] the most items that are read
 * @returns {Promise<Item[]>}
 */
export async function all(send, path, most = 1000) {
  /** @type {Item[]} */
  const items = [];
  let cursor = null;
  do {
    const page = `${path}${path.includes("?") ? "&" : "?"}limit=200${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`;
    const { body } = await send("GET", page);
    items.push(...body.items);
    cursor = body.next;
  } while (cursor && items.length < most);
  return items;
}

/** A new Idempotency-Key. */
export function newKey() {
  // `randomUUID` exists on https and localhost alone.
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The last write per stream. @type {Map<string, { seq: number, at: number }>} */
const writes = new Map();

/** Forgets the writes of this tab: another account's reads refuse their tokens. */
export function forgetWrites() {
  writes.clear();
}

/**
 * Lets the next reads show a write that another page of this tab made.
 * @param {string | null} token the write's Sync-Token
 */
export function rememberWrite(token) {
  const [stream, seq] = (token ?? "").split("@");
  if (!SYNCED.test(stream)) return;
  const known = writes.get(stream)?.seq ?? 0;
  writes.delete(stream); // The newest stands last.
  writes.set(stream, { seq: Math.max(known, Number(seq)), at: performance.now() });
}

function syncTokens() {
  for (const [stream, { at }] of writes) {
    if (performance.now() - at > SYNC_MS) writes.delete(stream);
  }
  return [...writes].slice(-SYNC_MAX).map(([stream, { seq }]) => `${stream}@${seq}`).join(",");
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Options} options
 */
function headers(method, path, { body, key, ifMatch, ifNoneMatch, token }) {
  /** @type {Record<string, string>} */
  const all = { Accept: "application/json" };
  if (body !== undefined) all["Content-Type"] = "application/json";
  if (key) all["Idempotency-Key"] = key;
  if (ifMatch !== undefined && ifMatch !== null) all["If-Match"] = typeof ifMatch === "number" ? `"${ifMatch}"` : ifMatch;
  if (ifNoneMatch) all["If-None-Match"] = ifNoneMatch;
  if (token) all.Authorization = `Bearer ${token}`;
  const past = path.includes("as_of=") || path.startsWith("audit/export");
  // A public list refuses tokens of all other streams.
  const everyones = path.startsWith("public/waitlists/");
  const sync = method === "GET" && !past && !everyones ? syncTokens() : "";
  if (sync) all["Sync-Token"] = sync;
  return all;
}

/** @param {string} text */
function parsed(text) {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
