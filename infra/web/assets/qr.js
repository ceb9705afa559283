/** QR codes (ISO/IEC 18004) of texts up to 213 bytes: byte mode, versions 1 to 10, error correction level M. */

import { svg } from "./dom.js";

/** By version, from 1: bytes of data, blocks, and bytes of error correction per block at level M. */
const VERSIONS = [
  [16, 1, 10],
  [28, 1, 16],
  [44, 1, 26],
  [64, 2, 18],
  [86, 2, 24],
  [108, 4, 16],
  [124, 4, 18],
  [154, 4, 22],
  [182, 5, 22],
  [216, 5, 26],
];

/** The quiet zone around the code, in modules. */
const MARGIN = 4;

const MASKS = [
  (/** @type {number} */ x, /** @type {number} */ y) => (x + y) % 2 === 0,
  (/** @type {number} */ _, /** @type {number} */ y) => y % 2 === 0,
  (/** @type {number} */ x) => x % 3 === 0,
  (/** @type {number} */ x, /** @type {number} */ y) => (x + y) % 3 === 0,
  (/** @type {number} */ x, /** @type {number} */ y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (/** @type {number} */ x, /** @type {number} */ y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (/** @type {number} */ x, /** @type {number} */ y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (/** @type {number} */ x, /** @type {number} */ y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/**
 * The code of a text as an SVG image, black on white whatever the page's colours.
 * @param {string} text
 * @param {string} label for screen readers
 */
export function qrImage(text, label) {
  const modules = qrModules(text);
  const size = modules.length + 2 * MARGIN;
  const dark = modules.flatMap((line, y) => line.map((on, x) => (on ? `M${x + MARGIN} ${y + MARGIN}h1v1h-1z` : "")));
  return svg(
    "svg",
    { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label, class: "qr", "shape-rendering": "crispEdges" },
    svg("rect", { width: size, height: size, fill: "#fff" }),
    svg("path", { d: dark.join(""), fill: "#000" }),
  );
}

/**
 * The modules of the code, line by line; `true` is dark.
 * @param {string} text
 * @returns {boolean[][]}
 */
export function qrModules(text) {
  const bytes = new TextEncoder().encode(text);
  const index = VERSIONS.findIndex(([capacity], at) => bytes.length + (at < 9 ? 2 : 3) <= capacity);
  if (index < 0) throw new RangeError("the text is too long for a QR code");
  const version = index + 1;
  const frame = patterns(version);
  place(frame, interleaved(version, codewords(version, bytes)));
  const masked = MASKS.map((mask, number) => finished(frame, mask, number));
  return masked.reduce((best, one) => (penalty(one) < penalty(best) ? one : best));
}

/** The symbol under construction; `fixed` modules are no data. @typedef {{ dark: boolean[][], fixed: boolean[][] }} Frame */

/**
 * @param {number} version
 * @param {Uint8Array} bytes
 */
function codewords(version, bytes) {
  const [capacity] = VERSIONS[version - 1];
  /** @type {number[]} */
  const bits = [];
  const append = (/** @type {number} */ value, /** @type {number} */ length) => {
    for (let at = length - 1; at >= 0; at -= 1) bits.push((value >> at) & 1);
  };
  append(0b0100, 4); // byte mode
  append(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) append(byte, 8);
  append(0, Math.min(4, capacity * 8 - bits.length)); // terminator
  append(0, -bits.length & 7);
  for (let pad = 0xec; bits.length < capacity * 8; pad ^= 0xec ^ 0x11) append(pad, 8);
  return Array.from({ length: capacity }, (_, at) => Number.parseInt(bits.slice(at * 8, at * 8 + 8).join(""), 2));
}

/**
 * Data and error correction, one byte of each block in turn.
 * @param {number} version
 * @param {number[]} data
 */
function interleaved(version, data) {
  const [capacity, count, corrected] = VERSIONS[version - 1];
  const short = Math.floor(capacity / count);
  const longs = capacity % count;
  const divisor = generator(corrected);
  let from = 0;
  const blocks = Array.from({ length: count }, (_, at) => {
    const block = data.slice(from, from + short + (at < count - longs ? 0 : 1));
    from += block.length;
    return { block, correction: remainder(block, divisor) };
  });
  const inTurn = (/** @type {number[][]} */ lists, /** @type {number} */ length) =>
    Array.from({ length }, (_, at) => lists.filter((list) => at < list.length).map((list) => list[at])).flat();
  return [...inTurn(blocks.map(({ block }) => block), short + 1), ...inTurn(blocks.map(({ correction }) => correction), corrected)];
}

/** A product in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. @param {number} one @param {number} other */
function times(one, other) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((other >> bit) & 1) * one;
  }
  return product;
}

/** The generator polynomial of a degree, without its first coefficient. @param {number} degree */
function generator(degree) {
  const result = [...Array(degree - 1).fill(0), 1];
  let root = 1;
  for (let at = 0; at < degree; at += 1) {
    for (let index = 0; index < degree; index += 1) {
      result[index] = times(result[index], root) ^ (result[index + 1] ?? 0);
    }
    root = times(root, 2);
  }
  return result;
}

/** @param {number[]} data @param {number[]} divisor */
function remainder(data, divisor) {
  const rest = divisor.map(() => 0);
  for (const byte of data) {
    const factor = byte ^ /** @type {number} */ (rest.shift());
    rest.push(0);
    divisor.forEach((coefficient, at) => (rest[at] ^= times(coefficient, factor)));
  }
  return rest;
}

/**
 * The symbol with its finder, timing, alignment and version patterns; format bits are reserved.
 * @param {number} version
 * @returns {Frame}
 */
function patterns(version) {
  const size = 17 + 4 * version;
  const empty = () => Array.from({ length: size }, () => Array(size).fill(false));
  const frame = { dark: empty(), fixed: empty() };
  for (let at = 0; at < size; at += 1) {
    set(frame, 6, at, at % 2 === 0);
    set(frame, at, 6, at % 2 === 0);
  }
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) square(frame, x, y, 4, (ring) => ring !== 2 && ring !== 4);
  const middles = version === 1 ? [] : version < 7 ? [6, size - 7] : [6, (size - 1) / 2, size - 7];
  for (const x of middles) {
    for (const y of middles) {
      const inFinder = (x === 6 && y === 6) || (x === 6 && y === size - 7) || (x === size - 7 && y === 6);
      if (!inFinder) square(frame, x, y, 2, (ring) => ring !== 1);
    }
  }
  format(frame, 0);
  if (version >= 7) {
    const bits = (version << 12) | bch(version, 12, 0x1f25);
    for (let at = 0; at < 18; at += 1) {
      const [long, wide] = [size - 11 + (at % 3), Math.floor(at / 3)];
      set(frame, long, wide, ((bits >> at) & 1) === 1);
      set(frame, wide, long, ((bits >> at) & 1) === 1);
    }
  }
  return frame;
}

/** @param {Frame} frame @param {number} x @param {number} y @param {boolean} dark */
function set(frame, x, y, dark) {
  frame.dark[y][x] = dark;
  frame.fixed[y][x] = true;
}

/**
 * Rings around a middle.
 * @param {Frame} frame
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @param {(ring: number) => boolean} isDark
 */
function square(frame, x, y, radius, isDark) {
  for (let down = -radius; down <= radius; down += 1) {
    for (let right = -radius; right <= radius; right += 1) {
      const inside = frame.dark[y + down]?.[x + right] !== undefined;
      if (inside) set(frame, x + right, y + down, isDark(Math.max(Math.abs(right), Math.abs(down))));
    }
  }
}

/** The remainder of a value's BCH code. @param {number} value @param {number} bits @param {number} polynomial */
function bch(value, bits, polynomial) {
  let rest = value;
  for (let at = 0; at < bits; at += 1) rest = (rest << 1) ^ ((rest >> (bits - 1)) * polynomial);
  return rest;
}

/** Writes both copies of the format: level M is 00, then the mask. @param {Frame} frame @param {number} mask */
function format(frame, mask) {
  const size = frame.dark.length;
  const bits = ((mask << 10) | bch(mask, 10, 0x537)) ^ 0x5412;
  const bit = (/** @type {number} */ at) => ((bits >> at) & 1) === 1;
  for (let at = 0; at < 15; at += 1) {
    const along = at < 6 ? at : at < 8 ? at + 1 : 14 - at; // skips the timing pattern
    if (at < 8) {
      set(frame, 8, along, bit(at));
      set(frame, size - 1 - at, 8, bit(at));
    } else {
      set(frame, at === 8 ? 7 : along, 8, bit(at));
      set(frame, 8, size - 15 + at, bit(at));
    }
  }
  set(frame, 8, size - 8, true);
}

/** Places bytes in pairs of columns, from the right, upwards and downwards in turn. @param {Frame} frame @param {number[]} bytes */
function place(frame, bytes) {
  const size = frame.dark.length;
  let at = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step += 1) {
      const y = ((right + 1) & 2) === 0 ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (frame.fixed[y][x] || at >= bytes.length * 8) continue;
        frame.dark[y][x] = ((bytes[at >> 3] >> (7 - (at & 7))) & 1) === 1;
        at += 1;
      }
    }
  }
}

/** @param {Frame} frame @param {(x: number, y: number) => boolean} mask @param {number} number */
function finished(frame, mask, number) {
  const dark = frame.dark.map((line, y) => line.map((on, x) => (frame.fixed[y][x] ? on : on !== mask(x, y))));
  format({ dark, fixed: frame.fixed }, number);
  return dark;
}

/** How hard a symbol is to read. @param {boolean[][]} dark */
function penalty(dark) {
  const size = dark.length;
  const columns = dark.map((_, x) => dark.map((line) => line[x]));
  const lines = [...dark, ...columns].map((line) => line.map(Number).join(""));
  let sum = 0;
  for (const line of lines) {
    for (const run of line.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2;
    sum += 40 * (line.match(/(?=10111010000)|(?=00001011101)/g) ?? []).length;
  }
  for (let y = 1; y < size; y += 1) {
    for (let x = 1; x < size; x += 1) {
      if (dark[y][x] === dark[y - 1][x] && dark[y][x] === dark[y][x - 1] && dark[y][x] === dark[y - 1][x - 1]) sum += 3;
    }
  }
  const share = dark.flat().filter(Boolean).length / size ** 2;
  return sum + 10 * Math.floor(Math.abs(share - 0.5) * 20);
}
