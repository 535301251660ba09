// All charts of a page: which there are, one crosshair over all of them, and what happened above
// them. Those that are out of sight are not drawn.

import { h, setChildren, setText } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { isOwn, ownChart, SECTIONS } from "./catalogue.js";
import { ChartCard } from "./chart_card.js";
import { COLOURS, EventLane } from "./event_lane.js";
import { nearest } from "./columns.js";

/** @typedef {import("./chart_card.js").Page} Page */
/** @typedef {import("./span_source.js").SpanSource} SpanSource */
/** @typedef {import("./catalogue.js").Section} Section */

const NEAR = "600px"; // below the window: charts are there when one comes to them

/**
 * @typedef {object} Settings what the page is set to
 * @property {() => import("../lib/units.js").Units} units
 * @property {() => boolean} each
 * @property {(container: string) => string} nameOf
 */

/** Announces `pick` (a moment) and `mark` (a span) as CustomEvents, and `move` with the crosshair. */
export class Board extends EventTarget {
  /** By id of the chart. @type {Map<string, ChartCard>} */
  cards = new Map();
  /** Where the crosshair is, in seconds since 1970. @type {number | null} */
  moment = null;

  /** @type {Map<string, HTMLElement>} */
  #boxes = new Map();
  #lane;
  #said = h("p", { class: "quiet", role: "status" });
  #framed = false;
  /** @type {Map<Element, ChartCard>} */
  #byElement = new Map();
  #sight;
  #sizes = new ResizeObserver(() => this.draw());

  /**
   * @param {HTMLElement} box
   * @param {HTMLElement} lane
   * @param {SpanSource} source
   * @param {import("./happenings.js").Happenings} happenings
   * @param {Settings} settings
   * @param {Section[]} [sections]
   */
  constructor(box, lane, source, happenings, settings, sections = SECTIONS) {
    super();
    this.box = box;
    this.source = source;
    this.settings = settings;
    this.sections = sections;
    this.#lane = new EventLane(lane, happenings, (moment) => this.pick(moment));
    this.#sight = new IntersectionObserver((changes) => this.#onSight(changes), {
      root: box.closest(".frame-main"),
      rootMargin: `0px 0px ${NEAR} 0px`,
    });
    box.append(
      this.#said,
      h(
        "p",
        { class: "quiet", id: "metric-keys" },
        t("Arrow keys move through its values, Enter shows the log there."),
      ),
    );
    this.#arrange();
    source.addEventListener("data", () => this.draw());
    source.addEventListener("names", () => this.#arrange());
    happenings.addEventListener("change", () => this.draw());
    box.addEventListener("keydown", (event) => this.#onKey(event));
    this.#sizes.observe(box);
    addEventListener("pagehide", () => this.#vanish());
    addEventListener("pageshow", (event) => event.persisted && this.#comeBack());
  }

  /** @type {Page} */
  #page = {
    source: /** @type {any} */ (null),
    units: () => this.settings.units(),
    each: () => this.settings.each(),
    nameOf: (container) => this.settings.nameOf(container),
    signs: () => this.#lane.markers.map(({ moment, tone }) => ({ moment, colour: COLOURS[tone] })),
    move: (card, moment) => this.move(moment, card),
    pick: (moment) => this.pick(moment),
    mark: (since, until) =>
      void this.dispatchEvent(new CustomEvent("mark", { detail: { since, until } })),
  };

  /** Once a frame at most. */
  draw() {
    if (this.#framed) return;
    this.#framed = true;
    requestAnimationFrame(() => {
      this.#framed = false;
      const [since, until] = this.source.edges;
      this.#lane.draw(since, until);
      for (const card of this.cards.values()) {
        if (!card.isSeen) continue;
        card.resize();
        card.draw();
      }
      this.#hideEmpty();
      // Time goes on below a hand that rests; without one the crosshair goes with its moment.
      const held = [...this.cards.values()].find((card) => card.underHand !== null);
      if (held) this.move(held.underHand, held);
    });
  }

  /**
   * The crosshair is there now, on all charts.
   *
   * @param {number | null} moment
   * @param {ChartCard} [from] on which a hand has put it
   */
  move(moment, from) {
    this.moment = moment;
    for (const card of this.cards.values()) if (card.isSeen) card.show(moment, card !== from);
    this.#lane.near(moment);
    this.dispatchEvent(new Event("move"));
  }

  /** @param {number} moment */
  pick(moment) {
    this.dispatchEvent(new CustomEvent("pick", { detail: moment }));
  }

  // Which charts there are

  #arrange() {
    this.#page.source = this.source;
    const own = [...this.source.names].filter(([name]) => isOwn(name) && !name.startsWith("http."));
    own.sort(([a], [b]) => (a < b ? -1 : 1));
    const sections = [
      ...this.sections,
      { id: "own", title: t("Its own"), charts: own.map(([name, unit]) => ownChart(name, unit)) },
    ];
    const wanted = sections.map(({ id, title, charts }) => this.#section(id, title, charts));
    setChildren(this.box, [...[...this.box.querySelectorAll(":scope > .quiet")], ...wanted]);
    this.#hideEmpty();
  }

  /**
   * @param {string} id
   * @param {string} title
   * @param {import("./catalogue.js").ChartDef[]} charts
   */
  #section(id, title, charts) {
    let box = this.#boxes.get(id);
    if (!box) {
      const grid = h("div", { class: "metric-grid" });
      const named = `metrics-${id}`;
      box = h(
        "section",
        { class: "metric-section", "aria-labelledby": named },
        h("h2", { id: named }, title),
        grid,
      );
      this.#boxes.set(id, box);
    }
    const elements = charts.map((def) => {
      let card = this.cards.get(def.id);
      if (!card) {
        card = new ChartCard(def, this.#page);
        this.cards.set(def.id, card);
        this.#byElement.set(card.element, card);
        this.#sight.observe(card.element);
      }
      return card.element;
    });
    setChildren(/** @type {Element} */ (box.lastElementChild), elements);
    return box;
  }

  /** Charts of what only some apps have, and headings over nothing. */
  #hideEmpty() {
    for (const { def, element } of this.cards.values()) {
      const there = !def.seldom || def.lines.some(({ name }) => this.source.names.has(name));
      element.hidden = !there;
    }
    for (const box of this.#boxes.values()) {
      const cards = [.../** @type {Element} */ (box.lastElementChild).children];
      box.hidden = cards.every((one) => /** @type {HTMLElement} */ (one).hidden);
    }
  }

  /** @param {IntersectionObserverEntry[]} changes */
  #onSight(changes) {
    for (const { target, isIntersecting } of changes) {
      const card = this.#byElement.get(target);
      if (isIntersecting) card?.appear();
      else card?.vanish();
    }
  }

  #vanish() {
    this.#sight.disconnect();
    for (const card of this.cards.values()) card.vanish();
  }

  #comeBack() {
    for (const { element } of this.cards.values()) this.#sight.observe(element);
  }

  // By keyboard

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const target = /** @type {Element} */ (event.target);
    const card = this.#byElement.get(target.closest(".metric-card") ?? target);
    if (!card || target !== card.box || event.ctrlKey || event.metaKey || event.altKey) return;
    const { times } = card.plot;
    const last = times.length - 1;
    const at = this.moment === null ? last : nearest(times, this.moment);
    const far = Math.max(1, Math.round(times.length / 10));
    /** @type {Record<string, number>} */
    const steps = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      PageUp: at - far,
      PageDown: at + far,
      Home: 0,
      End: last,
    };
    if (event.key in steps && last >= 0) {
      const to = this.moment === null && event.key === "ArrowRight" ? last : steps[event.key];
      this.move(times[Math.max(0, Math.min(last, to))]);
      setText(this.#said, card.sentence());
    } else if (event.key === "Enter" && this.moment !== null) this.pick(this.moment);
    else if (event.key === "Escape" && this.moment !== null) this.move(null);
    else return;
    event.preventDefault();
  }
}
