// Builds what is served: of each page (static/js/*/*_page.js, static/css/*/*_page.css) one script
// and one style sheet, and what several pages share in chunks of their own. What a module asks for
// with import() stays apart until it is asked for.
//
//   node scripts/build.mjs [FOLDER]        (static/build unless said)
//
// Names carry a hash of what they name: a file never changes and may be kept for ever. The same
// sources make the same bytes. The manifest is renamed into place last, so that a server sees the
// old build or the new one; the files of the build before stay, for pages that are open.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "esbuild";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const STATIC = join(ROOT, "static");
const OUT = resolve(process.argv[2] ?? join(STATIC, "build"));
const MANIFEST = join(OUT, "manifest.json");
const BOOT = "js/frame/boot.js";
const LICENCES = "LICENSES.txt"; // of what is built in from others
// Styles that come with a module that is asked for later.
const LATER = ["css/terminal/panel_terminal.css"];
// What every page with the frame stands on.
const GROUND =
  /^js\/(lib|live|frame)\/|^js\/apps\/(app_header|containers_dialog|delete_deployed|deployed|format_container|operable|operate|take_over)\.js$/;
const AS_THEY_ARE = ["favicon.svg"];
const WORTH_PACKING = 400; // bytes

const started = Date.now();

/**
 * @typedef {object} Page addresses are names of files in the folder
 * @property {string} script
 * @property {string[]} imports what the script imports, and they in turn: asked for at once
 * @property {string} style
 *
 * @typedef {object} Manifest
 * @property {Record<string, Page>} pages by area and module: "logs/log_page"
 * @property {Record<string, string>} files what else there is, by its path in static/
 */

const options = {
  absWorkingDir: STATIC,
  outbase: ".",
  outdir: OUT,
  entryNames: "[name]-[hash]",
  chunkNames: "shared-[hash]",
  bundle: true,
  write: false,
  metafile: true,
  minify: true,
  charset: /** @type {const} */ ("utf8"),
  sourcemap: /** @type {const} */ ("linked"),
  target: "es2022",
  banner: { js: `/* ${LICENCES} */` },
  legalComments: /** @type {const} */ ("none"), // they are all in LICENCES
  logLevel: /** @type {const} */ ("warning"),
};

/** Every module's path from static/. */
const sources = (await readdir(join(STATIC, "js"), { recursive: true }))
  .filter((name) => name.endsWith(".js"))
  .sort()
  .map((name) => `js/${name}`);
const scripts = sources.filter((name) => name.endsWith("_page.js"));
const alone = scripts.filter((name) => name.startsWith("js/sign_in/"));
const framed = scripts.filter((name) => !alone.includes(name));
const styles = scripts.map((name) => name.replace(/^js(.*)js$/, "css$1css"));

/** Modules that are asked for with import(). @type {string[]} */
const later = [];
for (const path of sources) {
  const text = await readFile(join(STATIC, path), "utf8");
  for (const [, to] of text
    .replaceAll(/\/\*\*.*?\*\//gs, "")
    .matchAll(/\bimport\("(\.[^"]+)"\)/g)) {
    later.push(relative(STATIC, resolve(STATIC, dirname(path), to)));
  }
}

/**
 * Has every page take in all of the rooms that they stand on. Of what each page uses a little else,
 * esbuild makes a chunk for each set of pages that share something: a dozen of a few hundred bytes.
 *
 * @type {import("esbuild").Plugin}
 */
const ground = {
  name: "ground",
  setup(build) {
    const rooms = sources.filter((path) => GROUND.test(path) && path !== BOOT);
    const standing = new Set([...framed, ...later.filter((path) => path.startsWith("js/"))]);
    build.onResolve({ filter: /^ground:$/ }, () => ({ path: "ground", namespace: "ground" }));
    build.onLoad({ filter: /.*/, namespace: "ground" }, () => ({
      contents: rooms.map((path) => `import "./${path}";`).join("\n"),
      resolveDir: STATIC,
    }));
    build.onLoad({ filter: /\.js$/ }, async ({ path }) => {
      if (!standing.has(relative(STATIC, path))) return undefined;
      return { contents: `${await readFile(path, "utf8")}import "ground:";\n` };
    });
  },
};

const builds = await Promise.all([
  build({ ...options, entryPoints: framed, format: "esm", splitting: true, plugins: [ground] }),
  build({ ...options, entryPoints: alone, format: "esm" }),
  // Not a module: it runs before the first paint.
  build({ ...options, entryPoints: [BOOT], format: "iife" }),
  build({ ...options, entryPoints: [...styles, ...LATER], banner: {} }),
]);

/** @type {Map<string, Uint8Array>} */
const made = new Map();
/** Names of outputs by the source that they begin with. @type {Record<string, string>} */
const named = {};
/** What an output imports at once. @type {Record<string, string[]>} */
const imported = {};
for (const { outputFiles, metafile } of builds) {
  for (const file of outputFiles) made.set(basename(file.path), file.contents);
  for (const [path, output] of Object.entries(metafile.outputs)) {
    const name = basename(path);
    if (output.entryPoint) named[output.entryPoint] = name;
    imported[name] = output.imports
      .filter((one) => one.kind === "import-statement")
      .map((one) => basename(one.path));
  }
}

for (const path of AS_THEY_ARE) {
  const contents = await readFile(join(STATIC, path));
  const hash = createHash("sha256").update(contents).digest("hex").slice(0, 8).toUpperCase();
  const [name, end] = path.split(".");
  named[path] = `${name}-${hash}.${end}`;
  made.set(named[path], contents);
}
const licences = ["xterm", "yaml", "uplot"].map((name) =>
  readFile(join(STATIC, `vendor/${name}/LICENSE`)),
);
made.set(LICENCES, Buffer.concat(await Promise.all(licences)));

/** Everything that an output imports, in the order in which it is found. @param {string} name */
function closure(name, found = new Set()) {
  for (const one of imported[name]) {
    if (found.has(one)) continue;
    found.add(one);
    closure(one, found);
  }
  return [...found];
}

/** @type {Manifest} */
const manifest = { pages: {}, files: {} };
for (const path of scripts) {
  const page = path.slice("js/".length, -".js".length);
  const script = named[path];
  manifest.pages[page] = { script, imports: closure(script), style: named[`css/${page}.css`] };
}
for (const path of [BOOT, ...LATER, ...AS_THEY_ARE]) {
  manifest.files[path] = named[path];
}

await mkdir(OUT, { recursive: true });
const before = await readManifest();
const there = new Set(await readdir(OUT));
await Promise.all([...made].map(([name, contents]) => put(name, contents)));
const files = [...made.keys()].sort();
const text = `${JSON.stringify({ ...manifest, made: files }, null, 1)}\n`;
if (JSON.stringify(before.made) === JSON.stringify(files)) {
  // The same build again: that of before stays the one before.
  await utimes(MANIFEST, new Date(), new Date());
} else {
  const keep = new Set(
    [...files, ...before.made].flatMap((one) => [one, `${one}.gz`, `${one}.br`]),
  );
  await writeFile(`${MANIFEST}.new`, text);
  await rename(`${MANIFEST}.new`, MANIFEST);
  for (const name of there) {
    if (!keep.has(name) && !name.startsWith("manifest")) await rm(join(OUT, name));
  }
}
console.log(`The pages are built: ${files.length} files in ${Date.now() - started} ms.`);

/** @returns {Promise<Manifest & { made: string[] }>} what was built here last */
async function readManifest() {
  try {
    return JSON.parse(await readFile(MANIFEST, "utf8"));
  } catch {
    return { pages: {}, files: {}, made: [] };
  }
}

/**
 * Writes a file and what it is packed, once for all who ask: maps and licences are seldom asked for.
 *
 * @param {string} name
 * @param {Uint8Array} contents
 */
async function put(name, contents) {
  const packs = { [name]: async () => contents };
  if (contents.length > WORTH_PACKING) {
    packs[`${name}.gz`] = () => promisify(gzip)(contents, { level: 9 });
    if (!/\.(map|txt)$/.test(name)) {
      const params = { [constants.BROTLI_PARAM_SIZE_HINT]: contents.length };
      packs[`${name}.br`] = () => promisify(brotliCompress)(contents, { params });
    }
  }
  for (const [path, pack] of Object.entries(packs)) {
    // What is there under its hash is the same.
    if (there.has(path) && name !== LICENCES) continue;
    await writeFile(join(OUT, `${path}.new`), await pack());
    await rename(join(OUT, `${path}.new`), join(OUT, path));
  }
}
