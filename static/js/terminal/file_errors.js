// What a socket said against a file, in the reader's language: sockets speak English.

import { formatBytes, t } from "../lib/i18n.js";

const TOO_LARGE = /^(.*) has (\d+) bytes, and at most (\d+)/s;
const NOT_WHOLE = /^(.*): (\/.*) was not put into the container, of /s;

/**
 * @param {string} code
 * @param {string} message the server's sentence
 */
export function refusalWords(code, message) {
  const large = code === "file-too-large" && TOO_LARGE.exec(message);
  if (large) {
    const [, path, size, limit] = large;
    return t("{path} has {size}, and at most {limit} may be moved.", {
      path,
      size: formatBytes(Number(size)),
      limit: formatBytes(Number(limit)),
    });
  }
  const broken = code === "not-whole" && NOT_WHOLE.exec(message);
  if (broken) {
    const [, reason, path] = broken;
    return t("{path} was not put into the container, what had arrived was taken away: {reason}", {
      path,
      reason: t(reason),
    });
  }
  if (code === "file-refused") {
    // "path: reason", and a path may have a colon as well: the reason is one that is known.
    for (let at = message.indexOf(": "); at >= 0; at = message.indexOf(": ", at + 1)) {
      const reason = message.slice(at + 2);
      const said = t(reason);
      if (said !== reason) return `${message.slice(0, at)}: ${said}`;
    }
    return message;
  }
  const said = t(message);
  return said.charAt(0).toUpperCase() + said.slice(1);
}
