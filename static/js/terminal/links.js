// Links in what a terminal has printed. They are opened on purpose only, only to the web, and only
// where the reader has seen where they lead: a text may say one thing and its link another.

import { confirm } from "../lib/dialog.js";
import { t } from "../lib/i18n.js";
import { mac } from "./key_presses.js";

/**
 * `host`: whose page it is; "" for what does not lead to the web, and is not opened. `address`: all
 * of it, in letters that cannot look like others or turn around those beside them.
 *
 * @typedef {{host: string, address: string}} Target
 */

const LONGEST = 2000; // characters of an address that are shown
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** @param {string} address @returns {Target} */
export function targetOf(address) {
  try {
    const url = new URL(address);
    // A host in its own letters may look like another; a browser has them as ASCII, as the rest.
    if (/^https?:$/.test(url.protocol)) return { host: url.host, address: cut(url.href) };
  } catch {
    // Then it is none.
  }
  const seen = (/** @type {string} */ char) =>
    `\\u{${/** @type {number} */ (char.codePointAt(0)).toString(16)}}`;
  return { host: "", address: cut(address).replace(UNSEEN, seen) };
}

/** @param {string} text */
const cut = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/**
 * Whether an address that stands in the output as it is says where it leads: its host, in these very
 * letters, is all that stands before the first slash.
 *
 * @param {string} text
 */
export function saysWhereTo(text) {
  const { host } = targetOf(text);
  if (!host || text.match(UNSEEN)) return false;
  const written = /^https?:\/\/([^/?#\\]*)/i.exec(text)?.[1].toLowerCase();
  return written === host || written === `${host}:80` || written === `${host}:443`;
}

/** Whether a plain tap opens a link: a finger holds no key, and nothing shows where it would lead. */
function tapOpens() {
  return matchMedia("(pointer: coarse)").matches;
}

/** What is held while a link is clicked. */
export const LINK_KEY = mac ? "⌘" : "Ctrl";

/**
 * @param {MouseEvent} event
 * @param {string} address
 * @param {boolean} written whether the address is the text that was tapped, and no link of its own
 */
export async function openLink(event, address, written) {
  const taps = tapOpens();
  if (!taps && !(mac ? event.metaKey : event.ctrlKey)) return;
  const target = targetOf(address);
  if (!target.host) return;
  // With a mouse its target was shown before; under a finger only what is written was seen.
  if (taps && !(written && saysWhereTo(address)) && !(await sure(target))) return;
  window.open(new URL(address).href, "_blank", "noopener,noreferrer");
}

/** @param {Target} target */
async function sure({ host, address }) {
  const chosen = await confirm(t("Open a page of {host}?", { host }), address, {
    open: { verb: t("Open it") },
    keep: { verb: t("Cancel") },
  });
  return chosen === "open";
}
