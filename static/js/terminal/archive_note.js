// What a folder's archive tells at its end: that something is missing in it, or changed while it was
// read. See cloudbang/terminals/archive_note.py. Pure.

const BLOCK = 512; // bytes
/** Bytes of an archive's end in which its note is, if there is one. */
export const TAIL = 256 * 1024;
const KINDS = { "cloudbang-not-whole.txt": "missing", "cloudbang-changed.txt": "changed" };
const decoder = new TextDecoder();

/**
 * @param {Uint8Array} tail the end of an archive, whole blocks of it
 * @returns {{kind: "missing" | "changed", said: string} | null} `said`: what tar said
 */
export function noteIn(tail) {
  // Two empty blocks end it, and the note's content is right before them.
  for (let at = tail.length - 3 * BLOCK; at >= 0; at -= BLOCK) {
    const kind = KINDS[/** @type {keyof typeof KINDS} */ (textAt(tail, at, 100))];
    if (!kind || textAt(tail, at + 257, 5) !== "ustar") continue;
    const size = parseInt(textAt(tail, at + 124, 12), 8);
    const end = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK + 2 * BLOCK;
    if (end !== tail.length) return null;
    const text = decoder.decode(tail.subarray(at + BLOCK, at + BLOCK + size));
    const said = text.split("\n\n").slice(1).join("\n\n").trim();
    return { kind: kind === "changed" ? "changed" : "missing", said };
  }
  return null;
}

/**
 * A field of a head, without the zeros after it.
 *
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {number} length
 */
function textAt(bytes, at, length) {
  return decoder
    .decode(bytes.subarray(at, at + length))
    .split("\0")[0]
    .trim();
}
