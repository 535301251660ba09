// The table of what takes room: the largest first, and who uses it.

import { ColumnWidths } from "../lib/column_widths.js";
import { h, setChildren } from "../lib/dom.js";
import { formatBytes, t, tn } from "../lib/i18n.js";
import { showRelative } from "../lib/relative_time.js";
import { bySize, kindWord, nameOf, sizeWord, usersOf, useSentence } from "./things.js";

/** @typedef {import("../types/api.js").StorageThing} Thing */

const SHOWN = 100; // of one kind, until somebody asks for all: a build cache has hundreds

const FIXED = new Set(["name", "size"]); // who uses it has the rest

export class ThingTable {
  #box;
  #widths;
  /** Kinds of which all is shown. @type {Set<string>} */
  #whole = new Set();
  /** @type {{things: Thing[], kinds: Thing["kind"][]}} */
  #now = { things: [], kinds: [] };

  /** @param {HTMLElement} box */
  constructor(box) {
    this.#box = box;
    this.#widths = new ColumnWidths("storage", box, (name) =>
      box.querySelectorAll(`tr > .${name}`),
    );
  }

  /**
   * @param {Thing[]} things
   * @param {Thing["kind"][]} kinds that are shown
   */
  show(things, kinds) {
    this.#now = { things, kinds };
    const parts = kinds.flatMap((kind) => {
      const its = things.filter((one) => one.kind === kind).sort(bySize);
      return its.length ? [this.#section(kind, its)] : [];
    });
    const nothing = h("p", { class: "muted storage-none" }, t("There is nothing here."));
    setChildren(this.#box, parts.length ? parts : [nothing]);
  }

  /**
   * @param {Thing["kind"]} kind
   * @param {Thing[]} its
   */
  #section(kind, its) {
    const id = `storage-${kind}`;
    const shown = this.#whole.has(kind) ? its : its.slice(0, SHOWN);
    const rest = its.length - shown.length;
    const all = () => {
      this.#whole.add(kind);
      this.show(this.#now.things, this.#now.kinds);
    };
    return h(
      "section",
      { "aria-labelledby": id, class: "storage-kind" },
      h("h2", { id }, kindWord(kind), h("span", { class: "muted" }, ` ${its.length}`)),
      h(
        "table",
        { class: "list-table fixed storage-table", "aria-labelledby": id },
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            head().map(([name, label]) =>
              h(
                "th",
                { class: name, scope: "col", "aria-label": label },
                label,
                FIXED.has(name) && this.#widths.handle(name, label),
              ),
            ),
          ),
        ),
        h("tbody", null, shown.map(row)),
      ),
      rest > 0 &&
        h(
          "button",
          { class: "button small", type: "button", onclick: all },
          tn("Show {n} more", "Show {n} more", rest),
        ),
    );
  }
}

function head() {
  return [
    ["name", t("Item")],
    ["size", t("Size")],
    ["users", t("Used by")],
    ["when", t("Since")],
  ];
}

/** @param {Thing} thing */
function row(thing) {
  const when = h("time");
  if (thing.created) showRelative(when, thing.created);
  const uses = thing.used_by.map(useSentence).join("\n");
  const more = thing.names.slice(1);
  const shared = thing.shared
    ? t("and {size} that others have as well", { size: formatBytes(thing.shared) })
    : "";
  return h(
    "tr",
    { dataset: { row: thing.id }, tabindex: "-1" },
    h(
      "td",
      { class: "name" },
      h(
        "div",
        null,
        h("span", { class: "mono cut", title: [thing.name, ...more].join("\n") }, nameOf(thing)),
        more.length > 0 && h("span", { class: "badge", title: more.join("\n") }, `+${more.length}`),
        thing.note && h("span", { class: "faint note" }, thing.note),
      ),
    ),
    h(
      "td",
      { class: "size", title: shared },
      thing.kind === "network" ? "" : sizeWord(thing.size),
      shared && h("span", { class: "faint" }, ` + ${formatBytes(thing.shared)}`),
    ),
    h("td", { class: "users cut", title: uses }, users(thing)),
    h("td", { class: "when" }, when),
  );
}

/** @param {Thing} thing */
function users(thing) {
  const names = usersOf(thing.used_by);
  if (names) return names;
  if (thing.kept) return h("span", { class: "muted" }, t("stays"));
  return h("span", { class: "faint" }, t("nobody"));
}
