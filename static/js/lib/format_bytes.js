// Bytes and lengths of time in words.

import { locale, t, tn } from "./i18n.js";

const UNITS = ["B", "kB", "MB", "GB", "TB"];
const digits = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });

/**
 * 12345 as "12.3 kB": thousands, as disks and networks count.
 *
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  let n = bytes;
  let unit = 0;
  while (n >= 999.95 && unit < UNITS.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${digits.format(unit ? n : Math.round(n))} ${UNITS[unit]}`;
}

/**
 * How long something took, in its two largest units at most.
 *
 * @param {number} seconds
 */
export function formatLength(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return "";
  if (seconds < 1) return t("under a second");
  const s = Math.floor(seconds);
  if (s < 60) return t("{n} s", { n: s });
  const minutes = Math.floor(s / 60);
  if (minutes < 60)
    return s % 60 ? t("{m} min {s} s", { m: minutes, s: s % 60 }) : t("{m} min", { m: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 24)
    return minutes % 60
      ? t("{h} h {m} min", { h: hours, m: minutes % 60 })
      : t("{h} h", { h: hours });
  return tn("{n} day", "{n} days", Math.floor(hours / 24));
}
