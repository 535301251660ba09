// What a .dockerignore leaves out, by the rules of Docker (Go's filepath.Match with `**` and `!`).

/** @typedef {{pattern: RegExp, keeps: boolean}} Rule */

/**
 * The rules of a .dockerignore; the last one that matches decides.
 *
 * @param {string} text
 * @returns {Rule[]}
 */
export function rulesOf(text) {
  /** @type {Rule[]} */
  const rules = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    let written = line.trim();
    const keeps = written.startsWith("!");
    if (keeps) written = written.slice(1).trim();
    const path = written.split("/").filter((part) => part !== "" && part !== ".");
    if (path.length) rules.push({ pattern: patternOf(path), keeps });
  }
  return rules;
}

/**
 * Whether it is left out: by a rule about itself, or about a folder above.
 *
 * @param {string} path from the folder on
 * @param {Rule[]} rules
 */
export function isIgnored(path, rules) {
  const parts = path.split("/");
  let ignored = false;
  for (const { pattern, keeps } of rules) {
    if (keeps !== ignored) continue;
    for (let n = parts.length; n > 0; n--) {
      if (pattern.test(parts.slice(0, n).join("/"))) {
        ignored = !keeps;
        break;
      }
    }
  }
  return ignored;
}

/** @param {string[]} path */
function patternOf(path) {
  const source = path.map((part, n) => {
    const last = n === path.length - 1;
    if (part === "**") return last ? ".*" : "(?:.*/)?";
    return piece(part) + (last ? "" : "/");
  });
  return new RegExp(`^${source.join("")}$`, "u");
}

/** @param {string} part */
function piece(part) {
  let made = "";
  for (let n = 0; n < part.length; n++) {
    const letter = part[n];
    const set = letter === "[" ? /^\[(\^?)([^\]]+)\]/.exec(part.slice(n)) : null;
    if (set) {
      made += `[${set[1]}${set[2].replace(/[\\\]^[&]/g, "\\$&")}]`;
      n += set[0].length - 1;
    } else if (letter === "*") {
      if (part[n + 1] === "*") {
        made += ".*";
        n++;
      } else made += "[^/]*";
    } else if (letter === "?") made += "[^/]";
    else if (letter === "\\" && n + 1 < part.length) made += literal(part[++n]);
    else made += literal(letter);
  }
  return made;
}

/** @param {string} letter */
function literal(letter) {
  return letter.replace(/[$()*+.?[\\\]^{|}/]/g, "\\$&");
}
