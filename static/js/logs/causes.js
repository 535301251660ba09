// Which lines of a failure say most. Pure.

/** @typedef {import("./entry.js").Row} Row */

// What an exception calls itself, on a line of its own.
const EXCEPTION =
  /^(?:Exception in thread ".*" )?(?:(?:[a-z_$][\w$]*\.)+[A-Z][\w$]*|[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning))(?:: .*|$| \[.*\]:?.*)/;

/**
 * The lines of a trace that say most: its first, and each that names a cause.
 * @param {string} text
 */
export function isCause(text) {
  return (
    /^\s*(?:Caused by: |---> |Suppressed: |During handling of|The above exception|Wrapped by: )/.test(
      text,
    ) ||
    (/^\S/.test(text) && EXCEPTION.test(text))
  );
}

/**
 * The line of a folded trace that says most beside its first: the last cause, or in Python the
 * error itself.
 * @param {Row[]} more
 */
export function causeOf(more) {
  for (let i = more.length - 1; i >= 0; i--) {
    const text = more[i][4];
    if (/^\s*(?:Caused by: |---> )|^[\w.]+(?:Error|Exception|Interrupt|Exit|Warning)\b/.test(text))
      return text;
  }
  return null;
}
