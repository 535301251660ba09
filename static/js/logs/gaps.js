// Filling a gap from the store.

/** @typedef {import("./entry.js").Entry} Entry */

const PAGE = 2_000; // lines a request: what is still missing then stays a gap

/**
 * @param {{ model: import("./log_model.js").LogModel, history: import("./log_api.js").History,
 *   filter: Readonly<import("./filters.js").Filter> }} feed
 * @param {Entry} entry
 * @param {() => void} changed
 * @returns {Promise<unknown>} what went wrong, or null
 */
export async function loadGap({ model, history, filter }, entry, changed) {
  const { gap } = entry;
  if (!gap || gap.loading) return null;
  gap.loading = true;
  entry.version++;
  changed();
  try {
    const limit = Math.min(PAGE, gap.to - gap.from + 1);
    const page = await history.after(gap.from - 1, filter, limit);
    model.fillGap(entry, page.rows, page.hi);
    return null;
  } catch (error) {
    gap.loading = false;
    entry.version++;
    return error;
  }
}
