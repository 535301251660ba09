// A folder of the reader's machine, as it was chosen or dropped: what of it is sent, and the few
// texts that tell how it is built. Nothing of the rest is read before it is sent.

import { isIgnored, rulesOf } from "./ignored.js";
import { tarOf } from "./tar.js";

const TEXT = 64 * 1024; // bytes of a text that is looked at
const SKIPPED = ".git";

/** @typedef {{path: string, file: File}} Found */
/**
 * `left`: how many files a .dockerignore leaves out; `texts` by their paths.
 *
 * @typedef {{name: string, files: Found[], bytes: number, left: number, texts: Record<string, string>}} Folder
 */

/**
 * What was chosen with `<input webkitdirectory>`: every path begins with the folder's name.
 *
 * @param {FileList} list
 * @param {string[]} wanted names of texts
 */
export function chosenFolder(list, wanted) {
  const found = [...list].map((file) => ({
    path: file.webkitRelativePath.split("/").slice(1).join("/") || file.name,
    file,
  }));
  return folderOf(list[0]?.webkitRelativePath.split("/")[0] ?? "", found, wanted);
}

/**
 * What was dropped: a folder, or several things. To be called at once: later they are gone.
 *
 * @param {DataTransferItemList} items
 * @param {string[]} wanted
 */
export async function droppedFolder(items, wanted) {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  /** @type {Found[]} */
  const found = [];
  const alone = entries.length === 1 && entries[0].isDirectory ? entries[0] : null;
  const start = alone ? await children(alone) : entries;
  for (const entry of start) await walk(entry, "", found);
  return folderOf(alone?.name ?? "", found, wanted);
}

/**
 * A folder with one text in it.
 *
 * @param {string} name of the file
 * @param {string} text
 */
export function folderWith(name, text) {
  const file = new File([text], name);
  return { name: "", files: [{ path: name, file }], bytes: file.size, left: 0, texts: {} };
}

/**
 * The archive of a folder, which the browser reads from the disk as it sends it. Whether a file can
 * be run no browser tells: all can, as of a folder that Docker sends from Windows.
 *
 * @param {Folder} folder
 */
export function packed({ files }) {
  const entries = files.map(({ path, file }) => ({
    path,
    size: file.size,
    executable: true,
    body: file,
  }));
  return new Blob(tarOf(entries), { type: "application/x-tar" });
}

/**
 * @param {string} name
 * @param {Found[]} found
 * @param {string[]} wanted
 * @returns {Promise<Folder>}
 */
async function folderOf(name, found, wanted) {
  const there = found.filter(({ path }) => !path.split("/").includes(SKIPPED));
  const list = there.find(({ path }) => path === ".dockerignore");
  const rules = list && list.file.size <= TEXT ? rulesOf(await list.file.text()) : [];
  // These two are always needed, whatever is written there.
  const files = there
    .filter(
      ({ path }) => /(^|\/)(Dockerfile|\.dockerignore)$/.test(path) || !isIgnored(path, rules),
    )
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  /** @type {Record<string, string>} */
  const texts = {};
  for (const { path, file } of files) {
    const last = path.split("/").at(-1) ?? "";
    const near = path.split("/").length <= 3;
    const looked = wanted.includes(last) || /^Dockerfile|\.(ya?ml|env)$|^\.env/.test(last);
    if (near && looked && file.size <= TEXT) texts[path] = await file.text();
  }
  const bytes = files.reduce((all, { file }) => all + file.size, 0);
  return { name, files, bytes, left: there.length - files.length, texts };
}

/**
 * @param {FileSystemEntry} entry
 * @param {string} above
 * @param {Found[]} found
 */
async function walk(entry, above, found) {
  if (entry.name === SKIPPED) return;
  const path = above + entry.name;
  if (entry.isDirectory) {
    for (const one of await children(entry)) await walk(one, `${path}/`, found);
  } else {
    const file = /** @type {FileSystemFileEntry} */ (entry);
    found.push({ path, file: await new Promise((resolve, reject) => file.file(resolve, reject)) });
  }
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<FileSystemEntry[]>}
 */
async function children(entry) {
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  // At most a hundred come at a time.
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}
