// The page of what takes room on the engine's disk.

import "../frame/frame.js";
import { bind } from "../frame/keys.js";
import { choose, onStep } from "../lib/address.js";
import { call, Problem } from "../lib/api.js";
import { byId, h, setAttribute, setChildren, setText } from "../lib/dom.js";
import { sentence } from "../lib/form.js";
import { formatBytes, t, tn } from "../lib/i18n.js";
import { openCleanUp } from "./clean_up_dialog.js";
import { ThingTable } from "./thing_table.js";
import { KINDS, kindWord, matches } from "./things.js";

/** @typedef {import("../types/api.js").Storage} Storage */
/** @typedef {import("./things.js").Kind} Kind */

const filter = /** @type {HTMLInputElement} */ (byId("storage-filter"));
const clean = /** @type {HTMLButtonElement} */ (byId("storage-clean"));
const error = byId("storage-error");
const list = byId("storage-list");
const table = new ThingTable(list);

/** What is shown; null for all kinds. @type {Kind | null} */
let shown = null;

/** @param {URLSearchParams} params */
function readAddress(params) {
  shown = KINDS.find((kind) => kind === params.get("kind")) ?? null;
  filter.value = params.get("q") ?? "";
}
/** @type {Storage | null} */
let storage = null;

async function load() {
  try {
    storage = await call("GET", "/api/v1/storage");
    error.hidden = true;
    clean.disabled = false;
    draw();
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    setText(error, sentence(thrown));
    error.hidden = false;
  }
  setAttribute(list, "aria-busy", "false");
}

function draw() {
  drawChips();
  if (!storage) return;
  const query = filter.value.trim();
  const things = query ? storage.things.filter((one) => matches(one, query)) : storage.things;
  table.show(things, shown ? [shown] : KINDS);
  drawSums(storage);
  const seen = things.filter((one) => !shown || one.kind === shown).length;
  setText(byId("storage-count"), tn("{n} thing", "{n} things", seen));
}

/** @param {Storage} storage */
function drawSums({ bytes, disk, cache_budget }) {
  const budget = t("Build cache {size} of {budget} at most", {
    size: formatBytes(bytes.cache),
    budget: formatBytes(cache_budget),
  });
  const facts = [
    disk &&
      t("{free} free of {total}", {
        free: formatBytes(disk.free),
        total: formatBytes(disk.total),
      }),
    `${kindWord("image")} ${formatBytes(bytes.image)}`,
    `${kindWord("volume")} ${formatBytes(bytes.volume)}`,
    budget,
  ];
  setChildren(
    byId("storage-sums"),
    facts.flatMap((fact) => (fact ? [h("span", null, fact)] : [])),
  );
}

function drawChips() {
  const chips = [null, ...KINDS].map((kind) => {
    const count = storage?.things.filter((one) => !kind || one.kind === kind).length;
    return h(
      "button",
      {
        class: "chip",
        type: "button",
        "aria-pressed": String(kind === shown),
        onclick: () => show(kind),
      },
      kind ? kindWord(kind) : t("All"),
      count !== undefined && h("span", { class: "muted" }, count),
    );
  });
  const box = byId("storage-kinds");
  const at = [...box.children].indexOf(/** @type {Element} */ (document.activeElement));
  setChildren(box, chips);
  if (at >= 0) chips[at].focus();
}

/** @param {Kind | null} kind */
function show(kind) {
  shown = kind;
  remember();
  draw();
}

/** @param {boolean} [typing] more of it may come */
function remember(typing = false) {
  choose({ kind: shown ?? "", q: filter.value.trim() }, typing);
}

/** @param {number} step */
function move(step) {
  const rows = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[data-row]")]);
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const offer = () => openCleanUp(() => void load());

filter.addEventListener("input", () => {
  remember(true);
  draw();
});
readAddress(new URLSearchParams(location.search));
onStep((params) => {
  readAddress(params);
  draw();
});
clean.addEventListener("click", offer);

const group = t("Storage");
bind({ keys: ["j", "ArrowDown"], label: t("Next"), group, run: () => move(1) });
bind({ keys: ["k", "ArrowUp"], label: t("Previous"), group, run: () => move(-1) });
bind({ keys: "f", label: t("Filter"), group, run: () => filter.focus() });
bind({ keys: "c", label: t("Clean up"), group, run: () => void (clean.disabled || offer()) });

draw();
void load();
