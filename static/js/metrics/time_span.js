// Which stretch of time is looked at: the last so many minutes, which goes on with the clock, or one
// that was marked and stays. The address says it. Pure; moments are in seconds since 1970.

/** @typedef {{ range: string } | { since: number, until: number }} TimeSpan */

/** How long each range is, in seconds, by its name in the address. */
export const RANGES = /** @type {const} */ ({
  "5m": 300,
  "1h": 3_600,
  "8h": 28_800,
  "24h": 86_400,
  "7d": 604_800,
  "90d": 7_776_000,
});

export const USUAL = "1h";
export const LIVE = "5m"; // each second of it is seen as it comes
const LEAST = 5; // seconds: what is marked by a hand that trembled
const MOST = 400 * 86_400;

/** @param {TimeSpan} span */
export const isLive = (span) => "range" in span && span.range === LIVE;

/**
 * @param {URLSearchParams} params `range=8h`, or `since=` and `until=` in RFC 3339
 * @returns {TimeSpan}
 */
export function readSpan(params) {
  const since = Date.parse(params.get("since") ?? "") / 1000;
  const until = Date.parse(params.get("until") ?? "") / 1000;
  if (until - since >= 1 && until - since <= MOST) return { since, until };
  const range = params.get("range") ?? "";
  return { range: Object.hasOwn(RANGES, range) ? range : USUAL };
}

/**
 * Into the address, beside whatever else it says.
 *
 * @param {TimeSpan} span
 * @param {URLSearchParams} params
 */
export function writeSpan(span, params) {
  for (const name of ["range", "since", "until"]) params.delete(name);
  if (!("range" in span)) {
    params.set("since", written(span.since));
    params.set("until", written(span.until));
  } else if (span.range !== USUAL) params.set("range", span.range);
}

/** @param {number} moment */
function written(moment) {
  return new Date(Math.round(moment) * 1000).toISOString().replace(".000", "");
}

/**
 * From when to when, if it is `now` now.
 *
 * @param {TimeSpan} span
 * @param {number} now
 * @returns {[number, number]}
 */
export function edges(span, now) {
  if (!("range" in span)) return [span.since, span.until];
  return [now - lengthOf(span), now];
}

/** @param {TimeSpan} span */
export function lengthOf(span) {
  if (!("range" in span)) return span.until - span.since;
  return RANGES[/** @type {keyof typeof RANGES} */ (span.range)];
}

/**
 * What was marked, no shorter than can be seen, and nothing of the future.
 *
 * @param {number} a
 * @param {number} b
 * @param {number} now
 * @returns {TimeSpan}
 */
export function marked(a, b, now) {
  let [since, until] = a < b ? [a, b] : [b, a];
  until = Math.min(Math.ceil(until), Math.ceil(now));
  since = Math.min(Math.floor(since), until - LEAST);
  return { since, until };
}

/**
 * As long a stretch just before or after, or one that is twice as long or half.
 *
 * @param {TimeSpan} span
 * @param {"earlier" | "later" | "wider" | "narrower"} how
 * @param {number} now
 * @returns {TimeSpan}
 */
export function moved(span, how, now) {
  const [since, until] = edges(span, now);
  const length = until - since;
  const by = {
    earlier: [-0.5, -0.5],
    later: [0.5, 0.5],
    wider: [-0.5, 0.5],
    narrower: [0.25, -0.25],
  };
  const [a, b] = by[how];
  const end = until + b * length;
  // The end of what there is: it goes on with the clock where there is a range of that length.
  if (end >= now - 1 && how !== "narrower") {
    const wanted = how === "wider" ? 2 * length : length;
    const range = Object.entries(RANGES).find(
      ([, seconds]) => Math.abs(seconds - wanted) < wanted * 0.02,
    );
    if (range) return { range: range[0] };
    return marked(now - Math.min(wanted, MOST), now, now);
  }
  return marked(since + a * length, end, now);
}
