// Taking a file or a folder out of a container.

import { Problem } from "../lib/api.js";
import { nameIn } from "../lib/content_disposition.js";
import { openDialog } from "../lib/dialog.js";
import { h, icon, setText } from "../lib/dom.js";
import { isFilled } from "../lib/form.js";
import { formatBytes, t } from "../lib/i18n.js";
import { TAIL, noteIn } from "./archive_note.js";
import { FileRefused, whatWentWrong } from "./file_upload.js";

/** @typedef {import("./view.js").TerminalView} TerminalView */

/** @param {TerminalView} view */
export function openDownloadDialog(view) {
  const session = view.id;
  const place = view.socket.session?.name || view.name;
  const path = h("input", {
    class: "field mono",
    id: "take-path",
    type: "text",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    required: true,
  });
  const bar = h("progress", { hidden: true, "aria-label": t("Progress") });
  const status = h("p", { class: "muted files-status", role: "status" });
  const error = h("p", { class: "files-error", role: "alert", hidden: true });
  const start = h(
    "button",
    { class: "button main", type: "submit" },
    icon("download"),
    t("Take out"),
  );
  const cancel = h("button", { class: "button", type: "button" }, t("Cancel"));
  const form = h(
    "form",
    { class: "files-form" },
    h("label", { for: "take-path" }, t("Path in {name}", { name: place })),
    path,
    h("p", { class: "muted" }, t("A folder comes as one .tar file.")),
    bar,
    status,
    error,
    h("div", { class: "files-actions" }, cancel, start),
  );
  const dialog = openDialog(t("Take a file out of {name}", { name: place }), form);
  /** @type {AbortController | null} */
  let under = null;

  dialog.addEventListener("cancel", (event) => under && event.preventDefault());
  dialog.addEventListener("close", () => {
    under?.abort();
    view.focus();
  });
  cancel.addEventListener("click", () => {
    if (under) under.abort();
    else dialog.close();
  });
  form.noValidate = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (under) return;
    if (!isFilled(path, error)) return;
    under = new AbortController();
    path.disabled = start.disabled = true;
    setText(cancel, t("Stop"));
    bar.hidden = false;
    bar.removeAttribute("value");
    try {
      const { name, size, note } = await take(session, path.value, under.signal, (got, all) => {
        if (all) bar.value = got / all;
        const n = formatBytes(got);
        setText(status, all ? t("{n} of {all}", { n, all: formatBytes(all) }) : n);
      });
      setText(status, t("Saved {name}, {size}.", { name, size: formatBytes(size) }));
      if (note) {
        setText(error, noteWords(note));
        error.hidden = false;
      }
    } catch (thrown) {
      setText(status, "");
      const stopped = under.signal.aborted
        ? new FileRefused("taking-stopped", t("Stopped."))
        : thrown;
      setText(error, whatWentWrong(stopped));
      error.hidden = false;
    } finally {
      under = null;
      bar.hidden = true;
      path.disabled = start.disabled = false;
      setText(cancel, t("Close"));
      path.focus();
    }
  });
  path.focus();
  void view.shellFolder().then((folder) => {
    if (!path.value) path.value = folder.endsWith("/") ? folder : `${folder}/`;
  });
}

/**
 * Loads a file and hands it to the browser to be saved.
 *
 * @param {string} session
 * @param {string} path
 * @param {AbortSignal} signal
 * @param {(got: number, all: number) => void} progress bytes; `all` is 0 when it is not known
 */
async function take(session, path, signal, progress) {
  const query = new URLSearchParams({ path });
  const answer = await fetch(`/api/v1/terminals/${session}/files?${query}`, { signal }).catch(
    () => {
      throw new Problem(0, "unreachable", "");
    },
  );
  if (!answer.ok || !answer.body) {
    const problem = await answer.json().catch(() => null);
    throw new Problem(answer.status, problem?.code ?? "", problem?.detail ?? "");
  }
  const all = Number(answer.headers.get("Content-Length")) || 0;
  const reader = answer.body.getReader();
  /** @type {BlobPart[]} */
  const parts = [];
  let got = 0;
  progress(0, all);
  for (;;) {
    // The server cuts off what it cannot read to its end: half a file is not saved as a whole one.
    const { done, value } = await reader.read().catch(() => {
      throw new FileRefused("lost", "");
    });
    if (done) break;
    parts.push(/** @type {BlobPart} */ (value));
    got += value.byteLength;
    progress(got, all);
  }
  const name = nameIn(answer.headers.get("Content-Disposition")) || lastOf(path);
  const blob = new Blob(parts);
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  const tail =
    answer.headers.get("Content-Type") === "application/x-tar" ? blob.slice(-TAIL) : null;
  const note = tail && noteIn(new Uint8Array(await tail.arrayBuffer()));
  return { name, size: got, note };
}

const SHOWN = 3; // lines of what tar said; the archive has them all

/** @param {{kind: "missing" | "changed", said: string}} note */
function noteWords({ kind, said }) {
  const lines = said.split("\n");
  const more = lines.length > SHOWN ? "\n…" : "";
  const words =
    kind === "changed"
      ? t("The folder was being written meanwhile: its files may not fit together.")
      : t("Not all of the folder could be read: what is missing stands in the archive.");
  return `${words}\n${lines.slice(0, SHOWN).join("\n")}${more}`;
}

/** @param {string} path */
function lastOf(path) {
  return path.replace(/\/+$/, "").split("/").pop() || "root";
}
