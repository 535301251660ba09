// Finding by typing a few letters. Pure.

/**
 * Where the letters of the query stand in the text, in order, or null when they do not. A run of
 * letters and the start of a word count for more, so that the best comes first.
 *
 * @param {string} query
 * @param {string} text
 * @returns {{score: number, at: number[]} | null}
 */
export function fuzzy(query, text) {
  const wanted = query.toLowerCase().replace(/\s+/g, "");
  const given = text.toLowerCase();
  if (!wanted) return { score: 0, at: [] };
  const whole = given.indexOf(wanted);
  if (whole >= 0) {
    const start = isStart(text, whole) ? 20 : 0;
    const at = Array.from(wanted, (_, index) => whole + index);
    return { score: 100 + start - whole - text.length / 100, at };
  }
  const at = [];
  let score = 0;
  let from = 0;
  for (const letter of wanted) {
    const found = given.indexOf(letter, from);
    if (found < 0) return null;
    if (found === from && at.length) score += 3;
    if (isStart(text, found)) score += 4;
    score -= Math.min(3, (found - from) / 4);
    at.push(found);
    from = found + 1;
  }
  return { score: score - text.length / 100, at };
}

/**
 * @param {string} text
 * @param {number} at
 */
function isStart(text, at) {
  return at === 0 || /[^\p{L}\p{N}]/u.test(text[at - 1]);
}
