// Files of a terminal: what is dropped on it goes into the folder its shell is in, and a path is
// taken out. The dialogs come when they are needed.

import { h, icon } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

/** @typedef {import("./view.js").TerminalView} TerminalView */

/**
 * Lets files be dropped on a terminal, and puts two entries into its menu.
 *
 * @param {TerminalView} view
 */
export function attachFiles(view) {
  const { element } = view;
  const put = entry("upload", t("Put a file in…"), () => choose(view));
  const take = entry("download", t("Take a file out…"), () => void openTake(view));
  view.addEntry(put);
  view.addEntry(take);
  element.addEventListener(
    "beforetoggle",
    () => {
      put.hidden = take.hidden = !mayMove(view);
    },
    true,
  );

  const veil = h(
    "div",
    { class: "term-drop", hidden: true },
    h("p", null, icon("upload"), t("Drop it here to put it into the container.")),
  );
  element.append(veil);
  // Children are entered and left while the pointer stays over the terminal.
  let over = 0;
  const show = (/** @type {boolean} */ on) => (veil.hidden = !on);
  element.addEventListener("dragenter", (event) => {
    if (!hasFiles(event) || !mayMove(view)) return;
    event.preventDefault();
    over++;
    show(true);
  });
  element.addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    over = Math.max(0, over - 1);
    if (!over) show(false);
  });
  element.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    // Also where it may not be: the browser would leave the page for the file.
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = mayMove(view) ? "copy" : "none";
  });
  element.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    over = 0;
    show(false);
    if (mayMove(view) && event.dataTransfer) void openPut(view, dropped(event.dataTransfer));
  });
}

/**
 * @param {string} name
 * @param {string} label
 * @param {() => void} run
 */
function entry(name, label, run) {
  const button = h("button", { class: "menu-item", type: "button" }, icon(name), label);
  button.addEventListener("click", () => {
    const menu = button.closest("[popover]");
    if (menu instanceof HTMLElement) menu.hidePopover();
    run();
  });
  return button;
}

/** Whoever may type, while it runs, and only in a container. @param {TerminalView} view */
function mayMove({ socket }) {
  const { mode, phase, session } = socket;
  return mode !== "watch" && phase === "attached" && session?.kind !== "share";
}

/** @param {DragEvent} event */
function hasFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/**
 * What was dropped; of a folder the browser gives only its name.
 *
 * @param {DataTransfer} data
 * @returns {{files: File[], folders: string[]}}
 */
function dropped(data) {
  /** @type {{files: File[], folders: string[]}} */
  const found = { files: [], folders: [] };
  for (const item of data.items) {
    if (item.kind !== "file") continue;
    const file = item.getAsFile();
    if (item.webkitGetAsEntry?.()?.isDirectory) found.folders.push(file?.name ?? "");
    else if (file) found.files.push(file);
  }
  return found;
}

/** @param {TerminalView} view */
function choose(view) {
  const input = h("input", { type: "file", multiple: true });
  input.addEventListener("change", () => {
    if (input.files?.length) void openPut(view, { files: [...input.files], folders: [] });
  });
  input.click();
}

/**
 * @param {TerminalView} view
 * @param {{files: File[], folders: string[]}} what
 */
async function openPut(view, what) {
  const { openUploadDialog } = await import("./upload_dialog.js");
  openUploadDialog(view, what);
}

/** @param {TerminalView} view */
async function openTake(view) {
  const { openDownloadDialog } = await import("./download_dialog.js");
  openDownloadDialog(view);
}
