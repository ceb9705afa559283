/** The taps that are kept on the device until the server has answered them, in IndexedDB. */

const NAME = "waitlist";
const TAPS = "taps";

/**
 * A tap on a party. The order of `id` is the order of the taps.
 * @typedef {object} Tap
 * @property {number} [id]
 * @property {string} key the Idempotency-Key, made at the tap
 * @property {string} account whose taps these are
 * @property {string} party
 * @property {string} command the last part of the route: `call`, `seat`, ...
 * @property {Record<string, string>} body
 * @property {number | null} seq the event that the host saw, for If-Match; null for all but the first of a lane
 * @property {number} at the time of the tap by the device's clock
 */

/**
 * Opens the store. Without IndexedDB, as in some private windows or on a full disk, taps are kept until the page is closed. A database
 * that the browser has closed meanwhile is opened again.
 */
export async function openStore() {
  let store = await database();
  /**
   * @template Result
   * @param {(store: Store) => Promise<Result>} work
   */
  async function tried(work) {
    try {
      return await work(store);
    } catch {
      store = await database();
    }
    try {
      return await work(store);
    } catch {
      store = inMemory();
      return work(store);
    }
  }
  return {
    all: () => tried((kept) => kept.all()),
    put: (/** @type {Tap} */ tap) => tried((kept) => kept.put(tap)),
    remove: (/** @type {Tap} */ tap) => tried((kept) => kept.remove(tap)),
  };
}

/** @typedef {ReturnType<typeof inDatabase>} Store */

/** @returns {Promise<Store>} */
const database = () => opened().then(inDatabase, inMemory);

/** @returns {Promise<IDBDatabase>} */
function opened() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(TAPS, { keyPath: "id", autoIncrement: true });
  return result(request);
}

/** @param {IDBDatabase} database */
function inDatabase(database) {
  const taps = (/** @type {IDBTransactionMode} */ mode) => database.transaction(TAPS, mode).objectStore(TAPS);
  return {
    /** @returns {Promise<Tap[]>} */
    all: () => result(taps("readonly").getAll()),
    /** @param {Tap} tap */
    put: async (tap) => {
      tap.id = Number(await result(taps("readwrite").put(tap)));
    },
    /** @param {Tap} tap */
    remove: (tap) => result(taps("readwrite").delete(/** @type {number} */ (tap.id))),
  };
}

/** @returns {Store} */
function inMemory() {
  /** @type {Map<number, Tap>} */
  const taps = new Map();
  let last = 0;
  return {
    all: async () => [...taps.values()],
    put: async (tap) => {
      tap.id ??= last += 1;
      taps.set(tap.id, tap);
    },
    remove: async (tap) => {
      taps.delete(tap.id ?? 0);
    },
  };
}

/**
 * @template Result
 * @param {IDBRequest<Result>} request
 * @returns {Promise<Result>}
 */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
