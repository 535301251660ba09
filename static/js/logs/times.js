// Times of lines. They are RFC 3339 text in UTC with nanoseconds, which sorts as text; what a
// reader sees is in their own zone. Pure.

/**
 * @param {string} time RFC 3339 with nanoseconds
 * @returns {number} milliseconds since 1970
 */
export function toMs(time) {
  return Date.parse(time.length > 24 ? `${time.slice(0, 23)}Z` : time);
}

/**
 * @param {number} ms since 1970
 * @returns {string} RFC 3339 in UTC with nine digits, comparable with the times of lines
 */
export function fromMs(ms) {
  return `${new Date(ms).toISOString().slice(0, 23)}000000Z`;
}

const two = (/** @type {number} */ n) => (n < 10 ? `0${n}` : String(n));

/**
 * `14:03:07.120` in the reader's zone, or in UTC.
 * @param {string} time
 * @param {boolean} utc
 */
export function timeOfDay(time, utc) {
  if (utc) return time.slice(11, 23);
  const date = new Date(toMs(time));
  if (Number.isNaN(date.getTime())) return time.slice(11, 23);
  const second = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return second + time.slice(19, 23);
}

/**
 * `2024-05-01`, the day in the reader's zone, or in UTC.
 * @param {string} time
 * @param {boolean} utc
 */
export function day(time, utc) {
  if (utc) return time.slice(0, 10);
  const date = new Date(toMs(time));
  if (Number.isNaN(date.getTime())) return time.slice(0, 10);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/**
 * The exact time, to the nanosecond, with the zone's offset.
 * @param {string} time
 * @param {boolean} utc
 */
export function exact(time, utc) {
  if (utc) return time;
  const date = new Date(toMs(time));
  if (Number.isNaN(date.getTime())) return time;
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${day(time, false)} ${timeOfDay(time, false).slice(0, 8)}${time.slice(19, 29)} ${zone}`;
}

const SPAN = /^-?(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|d|秒|分|分钟|小时|时|天)(?:\s*(?:ago|前))?$/i;
/** @type {Record<string, number>} seconds */
const UNIT = {
  s: 1,
  sec: 1,
  秒: 1,
  m: 60,
  min: 60,
  分: 60,
  分钟: 60,
  h: 3600,
  小时: 3600,
  时: 3600,
  d: 86400,
  天: 86400,
};

/**
 * What a person types to say when: `14:03`, `14:03:07`, `05-01 14:03`, `2024-05-01`,
 * `2024-05-01 14:03`, RFC 3339, `10m`, `2h ago`, `3天前`.
 * @param {string} text
 * @param {number} now milliseconds since 1970
 * @param {boolean} [utc] it is read in UTC, not in the reader's zone
 * @returns {number | null} milliseconds since 1970
 */
export function parseTime(text, now, utc = false) {
  const said = text.trim();
  const span = SPAN.exec(said);
  if (span) return now - Number(span[1]) * UNIT[span[2].toLowerCase()] * 1000;
  if (/[zZ]$|[+-]\d\d:?\d\d$/.test(said) && /^\d{4}-\d\d-\d\d[Tt ]/.test(said)) {
    const ms = Date.parse(said.replace(" ", "T").replace(/(\.\d{3})\d+/, "$1"));
    return Number.isNaN(ms) ? null : ms;
  }
  const found =
    /^(?:(?:(\d{4})[-/.])?(\d{1,2})[-/.](\d{1,2}))?(?:[Tt\s]*(\d{1,2})[::](\d\d)(?:[::](\d\d)(?:[.,](\d{1,9}))?)?)?$/.exec(
      said,
    );
  if (!found || !said) return null;
  const [, year, month, date, hour, minute, second, fraction] = found;
  const today = new Date(now);
  const [thisYear, thisMonth, thisDay] = utc
    ? [today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate()]
    : [today.getFullYear(), today.getMonth(), today.getDate()];
  const on = Number(date ?? thisDay);
  const at = (/** @type {number} */ day) => {
    const parts = /** @type {const} */ ([
      year ? Number(year) : thisYear,
      month ? Number(month) - 1 : thisMonth,
      day,
      Number(hour ?? 0),
      Number(minute ?? 0),
      Number(second ?? 0),
      fraction ? Math.floor(Number(`0.${fraction}`) * 1000) : 0,
    ]);
    return utc ? new Date(Date.UTC(...parts)) : new Date(...parts);
  };
  const moment = at(on);
  const shown = utc ? moment.getUTCMonth() : moment.getMonth();
  if (month && shown !== Number(month) - 1) return null;
  // What a Date carries over to the next day or minute was no time.
  if (Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59 || Number(second ?? 0) > 59) return null;
  // A time of day that is still to come today was meant as yesterday's.
  return !month && moment.getTime() > now ? at(on - 1).getTime() : moment.getTime();
}
