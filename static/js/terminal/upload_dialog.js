// Putting files into a container: where to, how far, and what went wrong.

import { openDialog } from "../lib/dialog.js";
import { h, icon, setText } from "../lib/dom.js";
import { isFilled } from "../lib/form.js";
import { formatBytes, t, tn } from "../lib/i18n.js";
import { FileRefused, FileUpload, PROTOCOL, whatWentWrong } from "./file_upload.js";

/** @typedef {import("./view.js").TerminalView} TerminalView */

const OPEN_WITHIN = 15_000; // ms

/**
 * @param {TerminalView} view
 * @param {{files: File[], folders: string[]}} what
 */
export function openUploadDialog(view, { files, folders }) {
  const session = view.id;
  const place = view.socket.session?.name || view.name;
  const folder = h("input", {
    class: "field mono",
    id: "put-folder",
    type: "text",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    required: true,
    placeholder: "/",
  });
  const rows = files.map((file) => new Row(file));
  const error = h("p", { class: "files-error", role: "alert", hidden: true });
  const status = h("p", { class: "muted files-status", role: "status" });
  const start = h("button", { class: "button main", type: "submit" }, icon("upload"), t("Put in"));
  const cancel = h("button", { class: "button", type: "button" }, t("Cancel"));
  const form = h(
    "form",
    { class: "files-form" },
    h("label", { for: "put-folder" }, t("Folder in {name}", { name: place })),
    folder,
    h(
      "ul",
      { class: "files-list" },
      rows.map((row) => row.element),
    ),
    folders.length > 0 &&
      h(
        "p",
        { class: "files-error" },
        t("Folders are not put in: pack {names} into one file first.", {
          names: folders.join(t(", ")),
        }),
      ),
    status,
    error,
    h("div", { class: "files-actions" }, cancel, start),
  );
  const title = tn("Put {n} file into {name}", "Put {n} files into {name}", files.length, {
    name: place,
  });
  const dialog = openDialog(title, form);
  start.disabled = !files.length;
  /** @type {UploadSocket | null} */
  let upload = null;

  // A stray Escape must not throw away half an hour of sending.
  dialog.addEventListener("cancel", (event) => upload && event.preventDefault());
  dialog.addEventListener("close", () => {
    upload?.stop();
    view.focus();
  });
  cancel.addEventListener("click", () => {
    if (upload) upload.stop();
    else dialog.close();
  });
  form.noValidate = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (upload) return;
    if (rows.every((row) => row.done)) return dialog.close();
    if (!isFilled(folder, error)) return;
    folder.disabled = start.disabled = true;
    setText(cancel, t("Stop"));
    const waiting = rows.filter((row) => !row.done);
    /** Where one goes on: what was refused mostly wants another folder. @type {HTMLElement} */
    let asked = start;
    upload = new UploadSocket(session, folder.value.trim());
    try {
      for (const row of waiting) {
        setText(status, t("Putting in {name}", { name: row.file.name }));
        await row.put(upload);
      }
      setText(
        status,
        tn("{n} file is in the container.", "{n} files are in the container.", rows.length),
      );
      setText(start, t("Done"));
    } catch (thrown) {
      setText(status, "");
      setText(error, whatWentWrong(thrown));
      error.hidden = false;
      setText(start, t("Try again"));
      asked = thrown instanceof FileRefused && thrown.code === "file-refused" ? folder : start;
    } finally {
      upload.stop();
      upload = null;
      folder.disabled = start.disabled = false;
      setText(cancel, t("Close"));
      asked.focus();
    }
  });
  void view.shellFolder().then((found) => {
    if (!folder.value) folder.value = found;
    if (document.activeElement === folder) folder.select();
  });
  (files.length ? start : cancel).focus();
}

/** One file of the dialog. */
class Row {
  done = false;
  #bar = h("progress", { max: 1, value: 0, hidden: true });
  #words;

  /** @param {File} file */
  constructor(file) {
    this.file = file;
    this.#bar.setAttribute("aria-label", file.name);
    this.#words = h("span", { class: "muted" }, formatBytes(file.size));
    this.element = h(
      "li",
      null,
      h("span", { class: "mono cut", title: file.name }, file.name),
      this.#words,
      this.#bar,
    );
  }

  /** @param {UploadSocket} upload */
  async put(upload) {
    const { file } = this;
    this.#bar.hidden = false;
    const show = (/** @type {number} */ sent) => {
      this.#bar.value = file.size ? sent / file.size : 1;
      setText(
        this.#words,
        t("{n} of {all}", { n: formatBytes(sent), all: formatBytes(file.size) }),
      );
    };
    show(0);
    const path = await upload.put(file, show);
    this.done = true;
    this.#bar.hidden = true;
    setText(this.#words, t("is at {path}", { path }));
  }
}

/** One socket, over which one file goes after the other. */
class UploadSocket {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {FileUpload | null} */
  #put = null;
  #stopped = false;

  /**
   * @param {string} session
   * @param {string} folder
   */
  constructor(session, folder) {
    this.session = session;
    this.folder = folder;
  }

  /**
   * @param {File} file
   * @param {(sent: number) => void} progress
   * @returns {Promise<string>} where it is
   * @throws {FileRefused}
   */
  async put(file, progress) {
    const socket = await this.#open();
    const source = {
      name: file.name,
      size: file.size,
      read: (/** @type {number} */ from, /** @type {number} */ to) =>
        file
          .slice(from, to)
          .arrayBuffer()
          .catch(() => {
            throw new FileRefused("unreadable", "");
          }),
    };
    const put = new FileUpload(source, (message) => socket.send(/** @type {any} */ (message)));
    this.#put = put;
    put.addEventListener("progress", () => progress(put.confirmed));
    put.begin(this.session, this.folder);
    return put.done;
  }

  /** @returns {Promise<WebSocket>} */
  #open() {
    if (this.#stopped) throw new FileRefused("stopped", "");
    const there = this.#socket;
    if (there?.readyState === WebSocket.OPEN) return Promise.resolve(there);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/terminal_files`, PROTOCOL);
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => socket.close(), OPEN_WITHIN);
      socket.onopen = () => {
        clearTimeout(late);
        resolve(socket);
      };
      socket.onmessage = (event) => {
        if (typeof event.data === "string") this.#put?.receive(JSON.parse(event.data));
      };
      socket.onclose = () => {
        clearTimeout(late);
        const why = new FileRefused(this.#stopped ? "stopped" : "lost", "");
        reject(why);
        this.#put?.fail(why);
      };
    });
  }

  stop() {
    this.#stopped = true;
    this.#socket?.close();
  }
}
