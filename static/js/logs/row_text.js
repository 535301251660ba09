// What of a line a closed row shows: its text as it is seen, cut to the room there is. Of JSON the
// message and the fields that nothing else in the row shows. What is found is always in it. Pure.

import { LEVEL_NAMES } from "./seen_tables.js";
import { readJson, seenRuns } from "./seen_text.js";
import { addresses, clip, cut, linksOf, LONG, placed, SHORT } from "./text.js";
import { toMs } from "./times.js";

/** @typedef {import("./entry.js").Row} Row */
/** @typedef {import("./filter.js").Search} Search */
/** @typedef {import("./levels.js").Level} Level */
/** @typedef {import("./seen_text.js").JsonLine} JsonLine */
/** @typedef {import("./text.js").Link} Link */
/** @typedef {import("./text.js").PlacedRun} PlacedRun */

/** @typedef {{ runs: PlacedRun[], ranges: [number, number][], links: Link[] }} RowText */

const FIELDS = 30; // of a row
const VALUE = 60; // characters of a field
// Objects whose fields are shown: what went wrong, and where tracing in Rust has all of them.
const OPENED = /^(?:fields|error|err|exception|thrown)$/i;
const BEFORE = 20; // characters before what is found where a text is cut

/**
 * @param {Row} row
 * @param {Level | null} level what the row's column says
 * @param {{ json: boolean, wrap: boolean, times: boolean }} settings
 * @param {Search | null} search
 * @returns {RowText}
 */
export function rowText(row, level, settings, search) {
  const json = settings.json ? readJson(row[4]) : null;
  if (json) return jsonText(json, row, level, settings, search);
  const runs = placed(seenRuns(row[4]));
  const whole = runs.map((run) => run.text).join("");
  const ranges = search ? search.ranges(whole) : [];
  const to = cut(whole, settings.wrap ? LONG : SHORT).length;
  return { runs: placed(clip(runs, 0, to)), ranges, links: linksOf(runs) };
}

/**
 * @param {JsonLine} json
 * @param {Row} row
 * @param {Level | null} level
 * @param {{ wrap: boolean, times: boolean }} settings
 * @param {Search | null} search
 * @returns {RowText}
 */
function jsonText(json, row, level, settings, search) {
  const { message, fields } = json;
  const whole = [message, ...fields.map(([path, value]) => `${path}=${value}`)];
  const seen = whole.filter((part) => part !== null).join(" ");
  const ranges = search ? search.ranges(seen) : [];
  /** @type {PlacedRun[]} */
  const runs = [];
  /** @type {Link[]} */
  const links = [];
  /** @param {string} text @param {number} at @param {string} [part] */
  const add = (text, at, part) => runs.push({ text, at, part, style: null, href: null });
  /** @param {string} text @param {number} at @param {number} room @param {string} [part] */
  const addCut = (text, at, room, part) => {
    for (const { from, to, href } of addresses(text))
      links.push({ from: at + from, to: at + to, href });
    const [from, to] = windowOf(text, at, room, ranges);
    if (from) add("…", -1, part);
    add(text.slice(from, to), at + from, part);
    if (to < text.length) add("…", -1, part);
  };
  let at = 0;
  if (message !== null) {
    addCut(message, 0, settings.wrap ? LONG : SHORT);
    at = message.length + 1;
  }
  let shown = 0;
  /** @type {string | null} an object of which something is shown */
  let inside = null;
  for (const [path, value, within] of fields) {
    const start = at;
    at += path.length + 1 + value.length + 1;
    const found = ranges.some(([from, to]) => from < at - 1 && to > start);
    if (!found && (shown >= FIELDS || isShown(path, value, json, row, level, settings))) continue;
    const closed = !found && within !== null && !OPENED.test(within);
    if (closed && within === inside) continue;
    inside = within;
    // Without a message the first field is what the line says.
    const first = !runs.length;
    if (!first) add(" ", -1);
    if (closed) {
      add(`${within}=`, -1, "row-key");
      add("{…}", -1, "row-field");
    } else {
      add(`${path}=`, start, "row-key");
      addCut(value, start + path.length + 1, VALUE, first ? undefined : "row-field");
    }
    shown++;
  }
  return { runs, ranges, links };
}

/**
 * The part of a text that is shown: its beginning, or what is found with a little before it.
 * @param {string} text
 * @param {number} at its place
 * @param {number} room characters
 * @param {[number, number][]} ranges
 * @returns {[number, number]}
 */
function windowOf(text, at, room, ranges) {
  if (text.length <= room) return [0, text.length];
  const hit = ranges.find(([from, to]) => to > at && from < at + text.length);
  const wanted = hit && hit[0] - at > room - BEFORE ? Math.max(0, hit[0] - at - BEFORE) : 0;
  const from = isLowHalf(text, wanted) ? wanted - 1 : wanted;
  return [from, from + cut(text.slice(from), room).length];
}

/** @param {string} text @param {number} at */
function isLowHalf(text, at) {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}

// What the row shows already

const TIME =
  /^(?:@?(?:time|timestamp|t|ts|datetime|date|asctime|eventtime)|(?:\w+\.)?(?:@timestamp|timestamp))$/i;
const LEVEL =
  /^(?:@?(?:level|l)|lvl|severity|levelname|levelno|level_?name|log[._]?level|severity_?text|fields\.level)$/i;
const TEMPLATE = /^(?:@mt|message_?template)$/i;
const NEAR_MS = 5_000; // a line's own time, and when the engine took it
const QUARTER_MS = 900_000; // zones differ by such steps

/**
 * Whether a column, or the message, says what this field does.
 * @param {string} path
 * @param {string} value
 * @param {JsonLine} json
 * @param {Row} row
 * @param {Level | null} level
 * @param {{ times: boolean }} settings
 */
function isShown(path, value, json, row, level, settings) {
  if (settings.times && TIME.test(path)) return isTime(value, toMs(row[1]));
  // A number is of one scale or another: the server knows.
  if (level && LEVEL.test(path)) {
    const word = value.toLowerCase().replace(/[+-]\d+$/, "");
    return /^\d+$/.test(word) || LEVEL_NAMES[level].split(" ").includes(word);
  }
  if (!json.filled) return false;
  return TEMPLATE.test(path) || (value !== "" && (json.message?.includes(value) ?? false));
}

/**
 * Whether this is the time of the row, in whatever way it is written.
 * @param {string} value
 * @param {number} ms since 1970
 */
function isTime(value, ms) {
  if (/^\d{9,19}(?:\.\d+)?$/.test(value)) {
    // Seconds, milliseconds, microseconds, nanoseconds.
    const whole = value.split(".")[0].length;
    const unit = whole <= 10 ? 1000 : whole <= 13 ? 1 : whole <= 16 ? 1e-3 : 1e-6;
    return Math.abs(Number(value) * unit - ms) <= NEAR_MS;
  }
  const found = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d+)? ?(Z|UTC|[+-]\d\d:?\d\d)?$/.exec(
    value,
  );
  if (!found) return false;
  const [, day, time, zone = ""] = found;
  const offset = /\d/.test(zone) ? zone.replace(/^(...):?/, "$1:") : "Z";
  const apart = Date.parse(`${day}T${time}${offset}`) - ms;
  if (zone) return Math.abs(apart) <= NEAR_MS + 1000;
  // Which zone it is of is not said: the nearest quarter of an hour is as good.
  const rest = Math.abs(apart - QUARTER_MS * Math.round(apart / QUARTER_MS));
  return Math.abs(apart) <= 57 * QUARTER_MS && rest <= NEAR_MS + 1000;
}
