// A command as a person writes it: one line, quoted as for a shell.

/**
 * The line that splits into these words.
 *
 * @param {unknown} words a list, or a line already
 */
export function lineOf(words) {
  if (!Array.isArray(words)) return typeof words === "string" ? words : "";
  return words.map((word) => quoted(String(word))).join(" ");
}

/** @param {string} word */
function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}
