// The page that searches through the logs of all apps, or of some.

import "../frame/frame.js";
import { AppPicker } from "../frame/app_picker.js";
import { bind } from "../frame/keys.js";
import { openSearches } from "../frame/search_dialog.js";
import { goTo, onStep } from "../lib/address.js";
import { Problem } from "../lib/api.js";
import { byId, h, setAttribute, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatBytes, t, tn } from "../lib/i18n.js";
import { inventory } from "../live/inventory.js";
import { Columns } from "../logs/columns.js";
import { FieldPanel } from "../logs/field_panel.js";
import { ActiveFilter, NO_FILTER } from "../logs/filter.js";
import { Histogram } from "../logs/histogram.js";
// One file with the pages of logs, which a browser has already, and not one for what both need.
import "../logs/log_source.js";
import "../logs/log_view.js";
import { Marks } from "../logs/marks.js";
import { TermBar } from "../logs/term_bar.js";
import { day, fromMs, timeOfDay, toMs } from "../logs/times.js";
import { NOTHING, readAsked, toCall, writeAsked } from "./asked.js";
import { HitList } from "./hit_list.js";
import { searchStream } from "../logs/search_stream.js";

/** @typedef {import("./asked.js").Asked} Asked */
/** @typedef {import("../logs/search_stream.js").Message} Message */

const MARKS = 300; // ms that a search waits for the reader's marks, from when the page came

const form = /** @type {HTMLFormElement} */ (byId("search-form"));
const field = /** @type {HTMLInputElement} */ (byId("search-q"));
const regex = byId("search-regex");
const capitals = byId("search-case");
const level = /** @type {HTMLSelectElement} */ (byId("search-level"));
const time = /** @type {HTMLSelectElement} */ (byId("search-time"));
const go = /** @type {HTMLButtonElement} */ (byId("search-go"));
const stop = byId("search-stop");
const status = byId("search-status");
const error = byId("search-error");
const list = byId("search-hits");
const empty = byId("search-empty");
const more = /** @type {HTMLButtonElement} */ (byId("search-more"));
const picker = new AppPicker(byId("search-apps"), byId("search-apps-menu"));
const terms = new TermBar("search-terms");
const columns = new Columns("search");
const hits = new HitList(list, byId("search-heads"), columns, (seen) => histogram.see(seen));
const only = (/** @type {number} */ since, /** @type {number} */ until) =>
  ask({
    ...asked,
    last: 0,
    since: fromMs(since),
    until: fromMs(until - 1).replace("000000Z", "999999Z"),
  });
const histogram = new Histogram(
  {
    box: byId("search-bars"),
    from: byId("search-from"),
    to: byId("search-to"),
    said: byId("search-marked"),
    seen: byId("search-seen"),
  },
  { go: only, choose: only },
);

const marks = new Marks();
// Without them what is found is as good, and nobody waits for them.
const marksCame = Promise.race([
  marks.load().catch(() => {}),
  new Promise((go) => setTimeout(go, MARKS)),
]);

/** @type {Asked} */
let asked = NOTHING;
/** The address is where the choice comes from. */
let stepping = false;
/** @type {AbortController | null} */
let running = null;
/** Where older ones begin. @type {string | null} */
let cursor = null;
/** What a call asked for: with older ones the time it counts from stays. @type {URLSearchParams} */
let called = new URLSearchParams();

// -- what is asked

/** @param {Asked} next */
function ask(next) {
  asked = next;
  hits.forget();
  sayInAddress();
  showAsked();
  void run(false);
}

/** What is asked and shown stands there; what was before is a step back. */
function sayInAddress() {
  const params = writeAsked(asked);
  columns.write(params);
  goTo(`${location.pathname}${params.size ? `?${params}` : ""}`);
}

/** The fields as the address says. */
function showAsked() {
  field.value = asked.q;
  setAttribute(regex, "aria-pressed", String(asked.regex));
  setAttribute(capitals, "aria-pressed", String(asked.capitals));
  level.value = asked.level;
  terms.show(asked.terms);
  picker.show(asked.apps);
  showTime();
}

function showTime() {
  const span = asked.since || asked.until;
  let given = /** @type {HTMLOptionElement | null} */ (time.querySelector("[value=span]"));
  if (!span) {
    given?.remove();
    time.value = String(asked.last || "");
    return;
  }
  if (!given) {
    given = h("option", { value: "span" });
    time.append(given);
  }
  const word = (/** @type {string} */ moment) =>
    moment ? `${day(moment, false).slice(5)} ${timeOfDay(moment, false).slice(0, 8)}` : "…";
  setText(given, t("{from} to {to}", { from: word(asked.since), to: word(asked.until) }));
  time.value = "span";
}

/** @returns {Asked} what the fields say */
function fields() {
  const kept = time.value === "span";
  return {
    q: field.value,
    regex: regex.getAttribute("aria-pressed") === "true",
    capitals: capitals.getAttribute("aria-pressed") === "true",
    terms: terms.terms,
    level: level.value,
    apps: [...picker.chosen].sort(),
    last: kept ? 0 : Number(time.value),
    since: kept ? asked.since : "",
    until: kept ? asked.until : "",
  };
}

// -- one search

/** @param {boolean} older go on where the last one ended, without counting again */
async function run(older) {
  running?.abort();
  running = null;
  const { q, regex: isRegex, capitals: isCase, terms: chosen } = asked;
  const { marks: search, searchError: odd } = new ActiveFilter({
    ...NO_FILTER,
    q,
    regex: isRegex,
    capitals: isCase,
    terms: chosen,
  });
  showError(odd ?? "");
  if (!older) {
    hits.clear();
    histogram.clear();
    setText(status, "");
    cursor = null;
    const params = toCall(asked, Date.now());
    if (params) called = params;
    showEmpty(params ? "" : t("Words, or an expression, in the logs of all apps: newest first."));
    if (!params || odd) return showRunning();
  }
  const params = new URLSearchParams(called);
  if (older && cursor) {
    params.set("cursor", cursor);
    params.set("count", "0");
  }
  const mine = (running = new AbortController());
  more.hidden = true;
  showRunning();
  await marksCame;
  if (running !== mine) return;
  try {
    for await (const message of searchStream(params, mine.signal)) {
      if (running !== mine) return;
      take(message, marks.beside(search), older);
    }
  } catch (thrown) {
    if (running !== mine) return;
    if (!(thrown instanceof Problem)) throw thrown;
    showError(sentence(thrown));
  }
  running = null;
  more.hidden = cursor === null;
  showRunning();
  if (hits.comeBack() && cursor !== null) void run(true);
}

/**
 * @param {Message} message
 * @param {import("../logs/filter.js").Search | null} search
 * @param {boolean} older
 */
function take(message, search, older) {
  switch (message.op) {
    case "range":
      histogram.begin({
        start: toMs(message.start),
        width: message.width * 1_000,
        bins: message.bins,
      });
      break;
    case "hits":
      hits.add(message.hits, { asked, search });
      break;
    case "counts":
      if (older) break;
      histogram.count(
        message.bins.map(([at, count]) => [at, { count, errors: null, warnings: null }]),
      );
      setText(status, progress(message));
      break;
    case "end":
      cursor = message.cursor;
      if (!older) setText(status, tn("{n} entry found", "{n} entries found", message.found));
      if (!list.childElementCount) showEmpty(t("Nothing was found."));
      showFailed(message.failed);
      break;
    default:
  }
}

/** @param {import("../logs/search_stream.js").Counts} counts */
function progress({ found, looked, of, back_to }) {
  const words = [
    tn("{n} entry found", "{n} entries found", found),
    t("looked at {looked} of {of}", { looked: formatBytes(looked), of: formatBytes(of) }),
  ];
  if (back_to && !Number.isNaN(toMs(back_to))) {
    const when = `${day(back_to, false)} ${timeOfDay(back_to, false).slice(0, 5)}`;
    words.push(t("back to {time}", { time: when }));
  }
  return words.join(" · ");
}

// -- what is said

function showRunning() {
  const busy = running !== null;
  stop.hidden = !busy;
  go.hidden = busy;
  setAttribute(list, "aria-busy", String(busy));
}

/** @param {string} words */
function showError(words) {
  setText(error, words);
  error.hidden = !words;
}

/** @param {string} words */
function showEmpty(words) {
  setText(empty, words);
  empty.hidden = !words;
}

/** @param {{ app: string, message: string }[]} failed */
function showFailed(failed) {
  if (!failed.length) return;
  const [{ app, message }] = failed;
  const one = t("The log of {app} could not be read to its end: {reason}", {
    app,
    reason: message,
  });
  const others = failed.length - 1;
  showError(others ? `${one} ${tn("And {n} more.", "And {n} more.", others)}` : one);
}

function cancel() {
  if (!running) return;
  running.abort();
  running = null;
  more.hidden = cursor === null;
  setText(status, `${status.textContent} · ${t("stopped")}`);
  showRunning();
}

// -- hands and keys

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(fields());
});
for (const toggle of [regex, capitals]) {
  toggle.addEventListener("click", () => {
    setAttribute(toggle, "aria-pressed", String(toggle.getAttribute("aria-pressed") !== "true"));
    if (field.value) ask(fields());
  });
}
for (const choice of [level, time]) choice.addEventListener("change", () => ask(fields()));
picker.addEventListener("change", () => ask(fields()));
terms.addEventListener("change", () => ask(fields()));
stop.addEventListener("click", cancel);
byId("search-save").addEventListener("click", save);
more.addEventListener("click", () => void run(true));
field.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  const first = list.querySelector("a");
  if (running) cancel();
  else if (first) first.focus();
});
columns.addEventListener("change", () => {
  if (!stepping) sayInAddress();
});
onStep((params) => {
  stepping = true;
  columns.restore(params);
  stepping = false;
  const before = String(writeAsked(asked));
  asked = readAsked(params);
  if (String(writeAsked(asked)) === before) return;
  showAsked();
  void run(false);
});
addEventListener("pagehide", () => running?.abort());

const group = t("Search");
bind({
  keys: ["mod+f", "f"],
  label: t("What to look for"),
  group,
  run: () => {
    field.focus();
    field.select();
  },
});
bind({ keys: ["j", "ArrowDown"], label: t("Next line"), group, run: () => step(1) });
bind({ keys: ["k", "ArrowUp"], label: t("Line before"), group, run: () => step(-1) });
bind({
  keys: "s",
  label: t("Save what is looked for, and saved searches"),
  group,
  run: save,
});
bind({
  keys: "v",
  label: t("Fields of the lines in sight"),
  group,
  run: () => void byId("search-fields-menu").togglePopover(),
});
bind({
  keys: "Escape",
  label: t("Stop the search"),
  group,
  run: () => (running && !document.querySelector(":popover-open") ? cancel() : false),
});

function save() {
  const params = writeAsked(asked);
  params.delete("app");
  columns.write(params);
  const { q: name, apps } = asked;
  openSearches({ name: name.slice(0, 64), view: "search", apps, query: params.toString() });
}

/** @param {1 | -1} by */
function step(by) {
  const links = [...list.querySelectorAll("a.hit-line")];
  const at = links.indexOf(/** @type {Element} */ (document.activeElement));
  const next = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))];
  if (!(next instanceof HTMLElement)) return;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

inventory.addEventListener("apps", () => {
  if (!byId("search-apps-menu").matches(":popover-open")) picker.show(picker.chosen);
});
new FieldPanel("search-fields", { rows: () => hits.rows(), terms, columns });
go.disabled = false;
asked = readAsked(new URLSearchParams(location.search));
showAsked();
void run(false);
if (!asked.q) field.focus();
