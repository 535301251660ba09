// A folder of the reader's machine, as it was chosen or dropped: what of it is sent, and the few
// texts that tell how it is built. Nothing of the rest is read before it is sent.

import { isIgnored, rulesOf } from "./ignored.js";
import { tarOf } from "./tar.js";

const TEXT = 64 * 1024; // bytes of a text that is looked at
const SKIPPED = ".git";
const IGNORES = ".dockerignore";
const NEEDED = /(^|\/)(Dockerfile|\.dockerignore)$/; // whatever is written there
const AT_ONCE = 32; // files of which it is seen whether they can be read

/** @typedef {{path: string, file: File}} Found */
/**
 * `left`: how many files a .dockerignore leaves out; `texts` by their paths.
 *
 * @typedef {{name: string, files: Found[], bytes: number, left: number, texts: Record<string, string>}} Folder
 * @typedef {import("./ignored.js").Rule} Rule
 */

/** By the archives that were made of them. @type {WeakMap<Blob, Folder>} */
const packedFolders = new WeakMap();

/** A file or folder that the browser may not read, or that is gone. */
export class Unreadable extends Error {
  /** @param {string} path */
  constructor(path) {
    super(path);
    this.path = path;
  }
}

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
  const alone = entries.length === 1 && entries[0].isDirectory ? entries[0] : null;
  const start = alone ? await children(alone, alone.name) : entries;
  const list = start.find((one) => one.isFile && one.name === IGNORES);
  const walk = new Walk(await rulesIn(list && (await fileOf(list, IGNORES))));
  for (const entry of start) await walk.take(entry, "");
  const made = await folderOf(alone?.name ?? "", walk.found, wanted);
  return { ...made, left: made.left + walk.left };
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
export function packed(folder) {
  const entries = folder.files.map(({ path, file }) => ({
    path,
    size: file.size,
    executable: true,
    body: file,
  }));
  const archive = new Blob(tarOf(entries), { type: "application/x-tar" });
  packedFolders.set(archive, folder);
  return archive;
}

/**
 * The path of a file of an archive that cannot be read any more: it may not be, or it was changed or
 * deleted since it was chosen. A browser that fails to send does not tell; "" where there is none.
 *
 * @param {Blob} archive
 */
export async function unreadableIn(archive) {
  const files = packedFolders.get(archive)?.files ?? [];
  for (let n = 0; n < files.length; n += AT_ONCE) {
    const some = files.slice(n, n + AT_ONCE);
    const read = await Promise.allSettled(some.map(({ file }) => file.slice(0, 1).arrayBuffer()));
    const bad = read.findIndex((one) => one.status === "rejected");
    if (bad >= 0) return some[bad].path;
  }
  return "";
}

/**
 * @param {string} name
 * @param {Found[]} found
 * @param {string[]} wanted
 * @returns {Promise<Folder>}
 */
async function folderOf(name, found, wanted) {
  const there = found.filter(({ path }) => !path.split("/").includes(SKIPPED));
  const rules = await rulesIn(there.find(({ path }) => path === IGNORES)?.file);
  const files = there
    .filter(({ path }) => NEEDED.test(path) || !isIgnored(path, rules))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  /** @type {Record<string, string>} */
  const texts = {};
  for (const { path, file } of files) {
    const last = path.split("/").at(-1) ?? "";
    const near = path.split("/").length <= 3;
    const looked = wanted.includes(last) || /^Dockerfile|\.(ya?ml|env)$|^\.env/.test(last);
    if (near && looked && file.size <= TEXT) texts[path] = await textOf(file, path);
  }
  const bytes = files.reduce((all, { file }) => all + file.size, 0);
  return { name, files, bytes, left: there.length - files.length, texts };
}

/** Goes through what was dropped, and not into what is left out: nobody may read all of it. */
class Walk {
  /** @type {Found[]} */
  found = [];
  /** Files and folders that a .dockerignore leaves out. */
  left = 0;

  /** @param {Rule[]} rules */
  constructor(rules) {
    this.rules = rules;
    this.excepts = rules.some(({ keeps }) => keeps);
  }

  /**
   * @param {FileSystemEntry} entry
   * @param {string} above its folder's path with a `/`
   */
  async take(entry, above) {
    if (entry.name === SKIPPED) return;
    const path = above + entry.name;
    const ignored = isIgnored(path, this.rules);
    if (!entry.isDirectory) {
      if (ignored && !NEEDED.test(path)) this.left++;
      else this.found.push({ path, file: await fileOf(entry, path) });
    } else if (!ignored || this.excepts) {
      for (const one of await children(entry, path)) await this.take(one, `${path}/`);
    } else {
      this.left++;
      // Its own Dockerfile may be the one that is asked for.
      const within = await children(entry, path).catch(() => []);
      for (const one of within) {
        if (one.isFile && NEEDED.test(one.name)) await this.take(one, `${path}/`);
      }
    }
  }
}

/** @param {File | undefined} list a .dockerignore */
async function rulesIn(list) {
  return list && list.size <= TEXT ? rulesOf(await textOf(list, IGNORES)) : [];
}

/**
 * @param {Blob} file
 * @param {string} path
 */
async function textOf(file, path) {
  try {
    return await file.text();
  } catch {
    throw new Unreadable(path);
  }
}

/**
 * @param {FileSystemEntry} entry
 * @param {string} path
 * @returns {Promise<File>}
 */
function fileOf(entry, path) {
  const its = /** @type {FileSystemFileEntry} */ (entry);
  return new Promise((resolve, reject) => its.file(resolve, () => reject(new Unreadable(path))));
}

/**
 * @param {FileSystemEntry} entry
 * @param {string} path
 * @returns {Promise<FileSystemEntry[]>}
 */
async function children(entry, path) {
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  // At most a hundred come at a time.
  for (;;) {
    const some = await /** @type {Promise<FileSystemEntry[]>} */ (
      new Promise((resolve, reject) => {
        reader.readEntries(resolve, () => reject(new Unreadable(path)));
      })
    );
    if (!some.length) return all;
    all.push(...some);
  }
}
