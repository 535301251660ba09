// A tar archive (POSIX ustar) of files that are not read for it: the browser reads them as it sends.

const BLOCK = 512;
const encoder = new TextEncoder();

/**
 * @typedef {{path: string, size: number, executable?: boolean, body: BlobPart}} Entry `path` from
 *   the folder on, `/` between
 */

/**
 * The parts of an archive, to make a Blob of.
 *
 * @param {Entry[]} entries
 * @returns {BlobPart[]}
 */
export function tarOf(entries) {
  /** @type {BlobPart[]} */
  const parts = [];
  for (const { path, size, executable, body } of entries) {
    const name = encoder.encode(path);
    // A name that does not fit stands in an entry of its own before the one that it is of (GNU).
    if (name.length > 100) {
      parts.push(header(encoder.encode("././@LongLink"), name.length + 1, "L", 0o644));
      parts.push(name, new Uint8Array(1 + padding(name.length + 1)));
    }
    parts.push(header(name.subarray(0, 100), size, "0", executable ? 0o755 : 0o644));
    parts.push(body, new Uint8Array(padding(size)));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return parts;
}

/** @param {number} size */
function padding(size) {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/**
 * @param {Uint8Array} name
 * @param {number} size bytes
 * @param {string} type
 * @param {number} mode
 */
function header(name, size, type, mode) {
  const block = new Uint8Array(BLOCK);
  /** @type {(at: number, text: string) => void} */
  const put = (at, text) => block.set(encoder.encode(text), at);
  block.set(name, 0);
  put(100, octal(mode, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(size, 11));
  put(136, octal(0, 11)); // one time for all: the same folder makes the same archive
  put(148, "        ");
  put(156, type);
  put(257, "ustar\u000000");
  const sum = block.reduce((all, byte) => all + byte, 0);
  put(148, `${octal(sum, 6)}\0 `);
  return block;
}

/**
 * @param {number} value
 * @param {number} digits
 */
function octal(value, digits) {
  return value.toString(8).padStart(digits, "0");
}
