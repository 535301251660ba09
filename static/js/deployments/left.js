// What of a file or a line is not taken over, and why: what is said alike of several stands once.

import { h } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

/** @typedef {{key: string, why: string, service?: string}} Left */

const SHOWN = 6; // keys of a row in sight

/**
 * By what is said of them: a key of several services once, and keys of the same services together.
 *
 * @param {Left[]} found
 * @returns {{services: string[], keys: string[], why: string}[]}
 */
export function leftRows(found) {
  /** @type {Map<string, {services: string[], key: string, why: string}>} */
  const byKey = new Map();
  for (const { key, why, service } of found) {
    const at = JSON.stringify([key, why]);
    const row = byKey.get(at) ?? { services: [], key, why };
    byKey.set(at, row);
    if (service && !row.services.includes(service)) row.services.push(service);
  }
  /** @type {Map<string, {services: string[], keys: string[], why: string}>} */
  const rows = new Map();
  for (const { services, key, why } of byKey.values()) {
    const at = JSON.stringify([services, why]);
    const row = rows.get(at) ?? { services, keys: [], why };
    rows.set(at, row);
    row.keys.push(key);
  }
  return [...rows.values()];
}

/** @param {Left[]} found */
export function leftList(found) {
  return h(
    "ul",
    { class: "new-left" },
    leftRows(found).map(({ services, keys, why }) => {
      const some = keys.length > SHOWN + 1 ? keys.slice(0, SHOWN) : keys;
      const rest = keys.slice(some.length);
      const whose = services.length ? `${services.join(", ")}: ` : "";
      const row = h("li", null, whose, ...codes(some), ` ${why}`);
      if (rest.length) {
        const more = t("and {n} more", { n: rest.length });
        row.append(h("details", null, h("summary", null, more), ...codes(rest)));
      }
      return row;
    }),
  );
}

/** @param {string[]} keys @returns {(string | Element)[]} */
function codes(keys) {
  return keys.flatMap((key, n) => [n ? ", " : "", h("code", null, key)]);
}
