// Marks beside the scroll bar: errors, warnings, matches and markers of what is loaded.

/** @typedef {import("./virtual_list.js").VirtualList} VirtualList */
/** @typedef {import("./log_model.js").Entry} Entry */

const WIDTH = 10; // px
const PALEST = 0.3; // opacity of a tick that many others stand thicker than
const EVERY = 200; // ms between two drawings

/** Which of several ticks at one height is drawn: the first. */
const KINDS = /** @type {const} */ (["match", "error", "marker", "warning"]);

/**
 * @param {Entry} entry
 * @returns {(typeof KINDS)[number] | null}
 */
function kindOf(entry) {
  if (entry.hit) return "match";
  if (entry.level === "error" || entry.level === "warning") return entry.level;
  return entry.row && entry.kind === "line" ? null : "marker";
}

export class ScrollMarks {
  #dueAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {VirtualList} rows
   * @param {(index: number) => void} go
   */
  constructor(canvas, rows, go) {
    this.canvas = canvas;
    this.rows = rows;
    canvas.addEventListener("click", (event) => {
      const part = event.offsetY / Math.max(1, canvas.clientHeight);
      const index = rows.indexAtY(part * rows.height);
      if (index >= 0) go(this.#nearest(index));
    });
  }

  /**
   * The tick nearest to where was clicked, a few px around it.
   * @param {number} index
   */
  #nearest(index) {
    const { entries } = this.rows.model;
    const reach = Math.ceil((entries.length / Math.max(1, this.canvas.clientHeight)) * 4);
    for (let d = 0; d <= reach; d++) {
      for (const at of [index - d, index + d]) if (entries[at] && kindOf(entries[at])) return at;
    }
    return index;
  }

  /** Draws soon; often called, seldom done. */
  changed() {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#dueAt - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#dueAt = performance.now() + EVERY;
      this.#draw();
    }, wait);
  }

  #draw() {
    const { canvas, rows } = this;
    const scale = devicePixelRatio || 1;
    const height = canvas.clientHeight;
    if (!height) return;
    // Beside the scroll bar, which takes room on some systems and none on others.
    canvas.style.right = `${rows.scroller.offsetWidth - rows.scroller.clientWidth + 2}px`;
    canvas.width = WIDTH * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext("2d");
    if (!pen) return;
    pen.scale(scale, scale);
    const { entries } = rows.model;
    const total = Math.max(rows.height, rows.view);
    /** How many stand at each px. @type {Record<string, Map<number, number>>} */
    const at = { match: new Map(), error: new Map(), marker: new Map(), warning: new Map() };
    for (let i = 0; i < entries.length; i++) {
      const kind = kindOf(entries[i]);
      if (!kind) continue;
      const y = Math.round((rows.topOf(i) / total) * (height - 2));
      at[kind].set(y, (at[kind].get(y) ?? 0) + 1);
    }
    const style = getComputedStyle(canvas);
    for (const kind of [...KINDS].reverse()) {
      pen.fillStyle = style.getPropertyValue(`--tick-${kind}`) || "gray";
      const wide = kind === "match" || kind === "marker";
      const most = Math.max(...at[kind].values());
      for (const [y, count] of at[kind]) {
        // Where they stand everywhere it is told apart where they stand close.
        pen.globalAlpha = PALEST + (1 - PALEST) * (count / most) ** 2;
        pen.fillRect(wide ? 1 : 3, y, wide ? WIDTH - 2 : WIDTH - 6, 2);
      }
    }
  }
}
