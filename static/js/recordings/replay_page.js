// The page that replays a terminal: loads the recording piece by piece, plays it, and joins the
// bar, the keys, the search and the address to the player.

import "../frame/frame.js";
import { choose, goTo, onStep } from "../lib/address.js";
import { call, Problem } from "../lib/api.js";
import { copyAndSay, toast } from "../lib/toast.js";
import { byId, h, icon, setAttribute, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatBytes, formatTime, t } from "../lib/i18n.js";
import { redraw } from "../lib/redraw.js";
import { bind } from "../frame/keys.js";
import { recall, remember } from "../lib/storage.js";
import { CastReader, NotARecording } from "./recording.js";
import { FindPanel } from "./find_panel.js";
import { formatPosition, positionHash, readPosition, Timeline } from "./timeline.js";
import { Player, SPEEDS } from "./player.js";
import { markWords, pauseWords, SeekBar } from "./seek_bar.js";
import { ReplayScreen } from "./replay_screen.js";
import { commandWords, endWords, placeWords } from "../terminal/session_info.js";

/** @typedef {import("../terminal/session_info.js").TerminalRecord} TerminalRecord */

const session = byId("main").dataset.session ?? "";
const source = `/api/v1/terminals/${encodeURIComponent(session)}/recording`;
const STEP = 5; // seconds an arrow key goes
const LONGEST_FRAME = 0.25; // seconds; a page that was not drawn for longer has not been watched
const PATIENCE = 400; // ms after which a long way to a moment is told
const PAUSES = [Infinity, 1, 2, 5, 10]; // seconds watched of a pause
const SLICE = 65_536; // bytes of a recording read in one go
const TURN = 10; // ms of reading before the page gets its turn

const reader = new CastReader();
const { recording } = reader;
const timeline = new Timeline(recording, Number(recall("replay-pauses") ?? 2) || Infinity);
const screen = new ReplayScreen(byId("replay-stage"), byId("replay-screen"));
const player = new Player(recording, timeline, screen);
const bar = new SeekBar(player, jump);
const find = new FindPanel(recording, showHit, () => player.at, sayFound);
const playButton = /** @type {HTMLButtonElement} */ (byId("replay-play"));
const speed = /** @type {HTMLSelectElement} */ (byId("replay-speed"));
const pauses = /** @type {HTMLSelectElement} */ (byId("replay-pauses"));
/** @type {TerminalRecord | null} */
let terminal = null;

/**
 * @param {string} title
 * @param {string} text
 */
function fail(title, text) {
  toast("");
  byId("replay-screen").hidden = true;
  const box = byId("replay-problem");
  setChildren(box, [
    h("h2", null, title),
    h("p", { class: "muted" }, text),
    h("a", { class: "button", href: "/terminals" }, t("To the terminals")),
  ]);
  box.hidden = false;
}

// Moments

/**
 * @param {number} time
 * @returns {Promise<void>}
 */
async function go(time) {
  const late = setTimeout(() => {
    if (player.target === null) return;
    const show = () => {
      const part = `${Math.round(player.progress * 100)} %`;
      toast(t("Reading to {time}: {part}", { time: formatPosition(player.target ?? 0), part }), {
        stays: true,
      });
    };
    show();
    screen.away(true);
    player.addEventListener("seek", show);
    void there.finally(() => player.removeEventListener("seek", show));
  }, PATIENCE);
  const there = player.seek(time);
  const arrived = await there;
  clearTimeout(late);
  if (!arrived) return;
  screen.away(false);
  toast("");
  address();
}

/** The address says where one is: a copied one opens the same moment. */
function address() {
  if (!player.playing) here();
}

function here() {
  history.replaceState(history.state, "", positionHash(player.at));
}

/** Goes where the reader wants to: where they were is a step back. @param {number} time */
function jump(time) {
  here();
  goTo(positionHash(time), true);
  void go(time);
}

/** To the moment that the address names. */
function goToHash() {
  const time = readPosition(location.hash);
  if (time !== null) void go(time);
}

/** What is looked for, and whether its panel is open, stand in the address. @param {boolean} typing */
function sayFound(typing) {
  choose({ find: find.open ? find.query || " " : "" }, typing);
}

/** As the address has it. @param {URLSearchParams} params */
function lookAsAsked(params) {
  const asked = params.get("find");
  find.restore(asked === null ? null : asked.trim());
}

/**
 * @param {import("./transcript.js").Hit} hit
 * @param {string} query
 */
function showHit(hit, query) {
  player.pause();
  here();
  goTo(positionHash(hit.time), true);
  void go(hit.time).then(() => screen.find(query));
}

// What is shown

let drawing = false;

function schedule() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw();
  });
}

function draw() {
  const { playing } = player;
  const label = playing ? t("Pause") : t("Play");
  setAttribute(playButton, "aria-label", label);
  playButton.querySelector("use")?.setAttribute("href", `#icon-${playing ? "pause" : "play"}`);
  const hours = recording.duration >= 3600;
  setText(byId("replay-clock"), formatPosition(player.target ?? player.at, hours));
  setText(byId("replay-length"), formatPosition(recording.duration, hours));
  if (speed.value !== String(player.speed)) speed.value = String(player.speed);
  bar.show();
  showPause();
}

/** The pause that was told last. */
let told = -1;

function showPause() {
  const pause = player.playing ? timeline.pauseAt(player.at) : null;
  if (!pause || pause.from === told) return;
  told = pause.from;
  toast(pauseWords(pause.to - pause.from));
}

function showMarks() {
  const box = byId("replay-marks");
  const words = recording.markers.map(({ time, label }) =>
    h(
      "button",
      { class: "replay-note", type: "button", onclick: () => jump(time) },
      icon("warning"),
      `${formatPosition(time)} ${markWords(label)}`,
    ),
  );
  redraw(box, words);
  box.hidden = !words.length;
}

async function describe() {
  terminal = await call("GET", `/api/v1/terminals/${encodeURIComponent(session)}`);
  if (!terminal) return;
  const place = placeWords(terminal);
  setText(byId("replay-title"), terminal.app || place);
  const end = terminal.ended ? endWords(terminal) : t("still open");
  const facts = [
    terminal.app && place !== terminal.app && place,
    commandWords(terminal),
    terminal.account,
    formatTime(terminal.started),
    end,
  ];
  const words = facts.filter(Boolean).join(" · ");
  setText(byId("replay-facts"), words);
  byId("replay-facts").title = words;
  document.title = `${t("Replay")} ${terminal.app || place} · ${t("CloudBang")}`;
}

// Loading: it can be watched and searched while it comes.

async function load() {
  const answer = await fetch(source, { headers: { Accept: "application/x-asciicast" } }).catch(
    () => {
      throw new Problem(0, "unreachable", "");
    },
  );
  if (!answer.ok || !answer.body) {
    const problem = await answer.json().catch(() => null);
    throw new Problem(answer.status, problem?.code ?? "", problem?.detail ?? "");
  }
  const body = answer.body.getReader();
  let bytes = 0;
  let turn = performance.now();
  for (;;) {
    const { done, value } = await body.read().catch(() => {
      throw new Problem(0, "unreachable", "");
    });
    if (done) break;
    for (let at = 0; at < value.byteLength; at += SLICE) {
      const slice = value.subarray(at, at + SLICE);
      bytes += slice.byteLength;
      reader.push(slice);
      if (performance.now() - turn < TURN) continue;
      // What comes fast is read for a few milliseconds at a time: the page stays at hand.
      await new Promise((next) => setTimeout(next));
      turn = performance.now();
    }
    timeline.extend();
    begin();
    showLoading(bytes);
    schedule();
  }
  reader.end();
  timeline.extend();
  toast("");
  begin();
  showMarks();
  schedule();
  await find.look();
}

/** @param {number} bytes */
function showLoading(bytes) {
  if (player.target !== null || (player.playing && !player.starved)) return;
  const all = terminal?.recording_bytes ?? 0;
  const so = formatBytes(bytes);
  if (all > bytes && all > 1_000_000) {
    toast(t("Loading: {n} of {all}", { n: so, all: formatBytes(all) }), { stays: true });
  }
}

let begun = false;
/** The moment that the address asks for, until it is there. */
let wanted = readPosition(location.hash);

/** Begins as soon as there is enough to begin with. */
function begin() {
  const enough = recording.complete || (recording.count > 0 && recording.duration >= (wanted ?? 0));
  if (!enough) return;
  if (!begun) {
    begun = true;
    playButton.disabled = false;
    screen.reset(recording.size.columns, recording.size.rows);
    if (wanted === null && !matchMedia("(prefers-reduced-motion: reduce)").matches) player.play();
  }
  if (wanted !== null) {
    void go(wanted);
    wanted = null;
  }
}

// What the reader does

function toggle() {
  if (playButton.disabled) return;
  player.toggle();
  toast("");
  address();
}

function setUpChoices() {
  setChildren(
    speed,
    SPEEDS.map((n) => h("option", { value: String(n) }, t("{n}×", { n }))),
  );
  speed.addEventListener("change", () => player.setSpeed(Number(speed.value)));
  setChildren(
    pauses,
    PAUSES.map((n) =>
      h(
        "option",
        { value: String(n) },
        n === Infinity ? t("Pauses in full") : t("Pauses of {n} s at most", { n }),
      ),
    ),
  );
  if (!PAUSES.includes(timeline.limit)) timeline.setLimit(2);
  pauses.value = String(timeline.limit);
  pauses.addEventListener("change", () => {
    timeline.setLimit(Number(pauses.value));
    remember("replay-pauses", pauses.value);
    schedule();
  });
}

function bindKeys() {
  const group = t("Replay");
  /** @type {(keys: string | string[], label: string, run: () => void) => void} */
  const key = (keys, label, run) =>
    void bind({ keys, label, group, run: () => (run(), undefined) });
  key("space", t("Play or pause"), toggle);
  key(">", t("Faster"), () => player.stepSpeed(1));
  key("<", t("Slower"), () => player.stepSpeed(-1));
  key("ArrowRight", t("5 seconds on"), () => jump(player.at + STEP));
  key("ArrowLeft", t("5 seconds back"), () => jump(player.at - STEP));
  key("Home", t("To the beginning"), () => jump(0));
  key("End", t("To the end"), () => jump(recording.duration));
  const tenths = [..."0123456789"];
  for (const n of tenths) {
    const label = n === "0" ? t("To a tenth of it") : "";
    key(n, label, () => jump(timeline.toReal((timeline.length * Number(n)) / 10)));
  }
  key("n", t("Next place found"), () => find.step(1));
  key("N", t("Previous place found"), () => find.step(-1));
  key("l", t("Copy a link to this moment"), () => void copyLink());
  bind({
    keys: "mod+f",
    label: t("Find in what was printed"),
    group,
    typing: true,
    run: () => find.show(),
  });
  bind({ keys: "Escape", run: () => (find.open ? find.close() : false) });
}

async function copyLink() {
  const link = new URL(location.href);
  link.hash = positionHash(player.at);
  await copyAndSay(link.href, t("Link copied"));
}

let last = performance.now();

/** @param {number} now */
function frame(now) {
  player.tick(Math.min(LONGEST_FRAME, (now - last) / 1000));
  last = now;
  requestAnimationFrame(frame);
}

setUpChoices();
bindKeys();
playButton.addEventListener("click", toggle);
byId("replay-link").addEventListener("click", () => void copyLink());
/** @type {HTMLAnchorElement} */ (byId("replay-download")).href = source;
byId("replay-download").setAttribute("download", `${session}.cast`);
player.addEventListener("change", schedule);
addEventListener("hashchange", goToHash);
onStep((params) => {
  lookAsAsked(params);
  // Where the query is another one, nobody is told that the moment is.
  goToHash();
});
lookAsAsked(new URLSearchParams(location.search));
requestAnimationFrame(frame);
schedule();

async function fetchAll() {
  try {
    await Promise.all([describe(), load()]);
  } catch (error) {
    if (error instanceof NotARecording) {
      fail(t("This recording cannot be read."), t("It is damaged, or it was never written."));
    } else if (error instanceof Problem) {
      fail(t("There is nothing to replay."), sentence(error));
    } else throw error;
  }
}

void fetchAll();
