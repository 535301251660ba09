// Texts, numbers, times and sizes in the reader's language. The English text is the key; a language
// without an entry shows the English one rather than nothing.

const root = globalThis.document?.documentElement;

/** The language of the page: "en" or "zh". */
export const lang = root?.dataset.lang || "en";

/** The tag for Intl: regions decide how dates are written, not only the language. */
export const locale = lang === "zh" ? "zh-CN" : englishLocale();

/** An English reader keeps their own region's dates (en-GB, en-US …). */
function englishLocale() {
  const own = globalThis.navigator?.languages?.find((tag) => /^en\b/i.test(tag));
  return own || "en";
}

/** @type {Record<string, string>} */
const messages = root && lang !== "en" ? await load() : {};

/**
 * What the head of the page has asked for already: its address changes with the texts.
 *
 * @returns {Promise<Record<string, string>>}
 */
async function load() {
  const link = /** @type {HTMLLinkElement | null} */ (document.getElementById("texts"));
  // Browsers give up what they fetch when the network changes: the next try works.
  for (const wait of [0, 300, 1_000]) {
    if (wait) await new Promise((done) => setTimeout(done, wait));
    try {
      const answer = await fetch(link?.href ?? `/i18n/${lang}.json`);
      if (answer.ok) return await answer.json();
    } catch {
      // Tried again, and then with the whole page.
    }
  }
  dispatchEvent(new Event("not-loaded"));
  return {};
}

/**
 * The text in the reader's language, with `{name}` replaced by values.name. Numbers are written
 * as the language writes them.
 *
 * @param {string} text
 * @param {Record<string, string | number>} [values]
 */
export function t(text, values) {
  return fill(messages[text] || text, values);
}

/**
 * A text with a count: `tn("{n} line", "{n} lines", 3)`. Chinese has one form, kept under `many`.
 *
 * @param {string} one
 * @param {string} many
 * @param {number} n
 * @param {Record<string, string | number>} [values]
 */
export function tn(one, many, n, values) {
  const text = lang === "en" ? (n === 1 ? one : many) : messages[many] || many;
  return fill(text, { n, ...values });
}

/**
 * @param {string} text
 * @param {Record<string, string | number>} [values]
 */
export function fill(text, values) {
  if (!values) return text;
  return text.replace(/\{(\w+)\}( (?=[\u4e00-\u9fff]))?/g, (whole, name, gap = "") => {
    const value = values[name];
    if (value === undefined) return whole;
    const shown = typeof value === "number" ? formatNumber(value) : value;
    // 5.1万行: a number is set apart from what follows it, a number with its 万 is not.
    return /\d[万亿]$/.test(shown) ? shown : shown + gap;
  });
}

/**
 * What Intl makes takes milliseconds to make, and a page opens without most of it: made once, when
 * it is asked for first.
 *
 * @template T
 * @param {() => T} make
 * @returns {() => T}
 */
export function lazy(make) {
  /** @type {T | undefined} */
  let made;
  return () => (made ??= make());
}

const numbers = lazy(() => new Intl.NumberFormat(locale));
const short = lazy(
  () => new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 }),
);

/** @param {number} n */
export function formatNumber(n) {
  return numbers().format(n);
}

/**
 * 1,234 as it is, 12,345 as 12.3K (1.2万): for places that have room for five characters.
 *
 * @param {number} n
 */
export function formatShort(n) {
  return (n < 10_000 ? numbers : short)().format(n);
}

/**
 * Lines per second, for a narrow column. Below ten with one digit after the point.
 *
 * @param {number} rate
 */
export function formatRate(rate) {
  const shown = rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate);
  return t("{n}/s", { n: formatShort(shown) });
}

const three = lazy(() => new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 }));

/**
 * A measured number, to three digits and to no more than the ones: 0.00312, 12.3, 1,234.
 *
 * @param {number} n
 */
export function formatMeasured(n) {
  return (Math.abs(n) < 1000 ? three() : numbers()).format(Math.abs(n) < 1000 ? n : Math.round(n));
}

const exact = lazy(
  () => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" }),
);

const exactInUtc = lazy(
  () =>
    new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" }),
);

/**
 * The moment in the reader's zone, or in UTC, to the second.
 *
 * @param {string | number | Date} time RFC 3339, or milliseconds since 1970
 * @param {boolean} [utc]
 */
export function formatTime(time, utc = false) {
  const date = toDate(time);
  if (Number.isNaN(date.getTime())) return String(time);
  return utc ? `${exactInUtc().format(date)} UTC` : exact().format(date);
}

/**
 * RFC 3339 with nanoseconds is more than some engines' Date accepts: it is cut to milliseconds.
 *
 * @param {string | number | Date} time
 * @returns {Date}
 */
export function toDate(time) {
  if (typeof time !== "string") return new Date(time);
  return new Date(time.replace(/(\.\d{3})\d+/, "$1"));
}

const relative = lazy(
  () => new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "narrow" }),
);

/** @type {[Intl.RelativeTimeFormatUnit, number][]} unit and its seconds, the longest first */
const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/**
 * "3 min. ago", "昨天": how long ago, or in how long.
 *
 * @param {string | number | Date} time
 * @param {number} [now] milliseconds since 1970
 */
export function formatRelative(time, now = Date.now()) {
  const seconds = (toDate(time).getTime() - now) / 1000;
  if (Number.isNaN(seconds)) return "";
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return ago(Math.trunc(seconds / length), unit);
  }
  // Seconds flicker on a page full of them, and a clock that is a little ahead shows the future.
  return Math.abs(seconds) < 10 || seconds > 0
    ? t("just now")
    : ago(-Math.floor(-seconds / 10) * 10, "second");
}

/**
 * With the space between a number and what follows it that Chinese texts have here.
 *
 * @param {number} n
 * @param {Intl.RelativeTimeFormatUnit} unit
 */
function ago(n, unit) {
  return relative()
    .format(n, unit)
    .replace(/(\d)(?=[\u4e00-\u9fff])/, "$1 ");
}

const BYTES = ["B", "kB", "MB", "GB", "TB"];
const digits = lazy(() => new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }));

/**
 * 12345 as "12.3 kB": thousands, as disks and networks count.
 *
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  let n = bytes;
  let unit = 0;
  while (n >= 999.95 && unit < BYTES.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${digits().format(unit ? n : Math.round(n))} ${BYTES[unit]}`;
}

/**
 * How long something took, in its two largest units at most.
 *
 * @param {number} seconds
 */
export function formatDuration(seconds) {
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
