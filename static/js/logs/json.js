// JSON lines: the message first, the other fields folded behind it. Pure.

/** @typedef {{ message: string | null, fields: [string, unknown][], value: Record<string, unknown> }} JsonLine */

const MESSAGE = [
  "message",
  "msg",
  "@m",
  "@mt",
  "text",
  "event",
  "log",
  "short_message",
  "error",
  "err",
];
// What the row shows already, in its own columns.
const SHOWN =
  /^(?:time|timestamp|ts|@timestamp|@t|t|datetime|date|asctime|level|lvl|severity|levelname|levelno|log\.level|loglevel|log_level|level_name|@l|@level|v)$/i;

const PARSE_UP_TO = 256 * 1024; // characters; parsing more costs a frame

/**
 * @param {string} text without escape sequences
 * @returns {JsonLine | null} null when the text is not one JSON object
 */
export function readJson(text) {
  const start = text.trimStart();
  if (start[0] !== "{" || text.length > PARSE_UP_TO || !text.trimEnd().endsWith("}")) return null;
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (value === null || typeof value !== "object") return null;
  const name = MESSAGE.find((key) => typeof value[key] === "string" && value[key] !== "");
  const fields = Object.entries(value).filter(([key]) => key !== name && !SHOWN.test(key));
  return { message: name === undefined ? null : value[name], fields, value };
}

/**
 * A value in a few characters, for the folded row.
 * @param {unknown} value
 * @param {number} [length] characters at most
 * @returns {string}
 */
export function brief(value, length = 60) {
  let text;
  if (typeof value === "string") text = value;
  else if (Array.isArray(value)) text = value.length ? `[${value.length}]` : "[]";
  else if (value !== null && typeof value === "object")
    text = Object.keys(value).length ? "{…}" : "{}";
  else text = String(value);
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
