// Names: what an app can be called, by what it is made of, and where the credentials for that are kept.

/** As the server has it (`domain/names`). */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** @param {string} name */
export function isName(name) {
  return NAME.test(name);
}

/**
 * The nearest name that can be one, "" where nothing of it can stay.
 *
 * @param {string} text
 */
export function nameOf(text) {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_.-]+/g, "-")
    .replace(/^[^a-z0-9_]+|[^a-z0-9_]+$/g, "")
    .slice(0, 60);
}

/**
 * The app that an image is mostly called: `ghcr.io/team/web:1.2` is `web`.
 *
 * @param {string} image
 */
export function nameOfImage(image) {
  const path = image.trim().split("@")[0].split("/").at(-1) ?? "";
  return nameOf(path.split(":")[0]);
}

/**
 * That of a Git address: `https://example.com/team/web.git` is `web`.
 *
 * @param {string} address
 */
export function nameOfAddress(address) {
  const path = address
    .trim()
    .replace(/[?#].*$/, "")
    .replace(/\/+$/, "")
    .replace(/^[a-z]+:\/\/[^/]*/i, "");
  return nameOf((path.split(/[/:]/).at(-1) ?? "").replace(/\.git$/, ""));
}

/**
 * The registry that an image's name leads to, "" for that of Docker.
 *
 * @param {string} image
 */
export function registryOf(image) {
  const [first, ...rest] = image.trim().split("/");
  return rest.length && (/[.:]/.test(first) || first === "localhost") ? first : "";
}

/**
 * What somebody pasted: a line for Docker, the text of a Compose file, a Git address, or an image.
 *
 * @param {string} text
 * @returns {"run" | "compose" | "git" | "image"}
 */
export function kindOf(text) {
  const told = text.trim();
  if (/^(\$\s+)?(sudo\s+)?(docker|podman)\s+(container\s+)?run\s/.test(told)) return "run";
  if (/^services:\s*$/m.test(told) && told.includes("\n")) return "compose";
  if (/^(https?|ssh|git):\/\/\S+$/.test(told) || /^git@\S+:\S+$/.test(told)) return "git";
  return "image";
}

/**
 * Where credentials are kept: those of a team are used for its apps alone.
 *
 * @param {"registry" | "git"} kind
 * @param {string} host
 * @param {string | undefined} team of the app
 */
export function credentialsPath(kind, host, team) {
  const path = `/api/v1/credentials/${kind}/${encodeURIComponent(host)}`;
  return team ? `${path}?team=${encodeURIComponent(team)}` : path;
}
