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
 * What a person pasted as a Git source: a command that clones it, the address for ssh, or that of a
 * page which shows a branch and a folder of it.
 *
 * @param {string} text
 * @returns {{git: string, branch: string, folder: string}} "" where it says nothing of them
 */
export function gitSource(text) {
  const words = text.trim().split(/\s+/);
  let branch = "";
  let address = words[0] ?? "";
  if (words.length > 1) {
    const at = words.findIndex((word) => word === "-b" || word === "--branch");
    branch = at < 0 ? "" : (words[at + 1] ?? "");
    address = words.find((word) => /^\w+:\/\/|^\w+@[\w.-]+:/.test(word)) ?? text.trim();
  }
  address = address
    .replace(/^ssh:\/\/(?:[\w.-]+@)?([\w.-]+)(?::\d+)?\//, "https://$1/")
    .replace(/^[\w.-]+@([\w.-]+):\/?(?!\/)/, "https://$1/");
  // GitLab; Gitea; GitHub and Gitee.
  const page =
    /^(https?:\/\/.+?)\/-\/tree\/([^/?#]+)\/?([^?#]*)/.exec(address) ??
    /^(https?:\/\/[^/]+\/[^/]+\/[^/]+)\/src\/branch\/([^/?#]+)\/?([^?#]*)/.exec(address) ??
    /^(https?:\/\/[^/]+\/[^/]+\/[^/]+)\/tree\/([^/?#]+)\/?([^?#]*)/.exec(address);
  if (!page) return { git: address, branch, folder: "" };
  return {
    git: page[1],
    branch: decodeURIComponent(page[2]),
    folder: decodeURIComponent(page[3]).replace(/\/+$/, ""),
  };
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
  if (/^services:\s*$/m.test(told) && told.includes("\n")) return "compose";
  // With a prompt before it, perhaps, or other commands.
  if (/(^|\s)(docker|podman|nerdctl)(\.exe)?\s+(container\s+)?(run|create)\s/.test(told)) {
    return "run";
  }
  if (/^(\$\s+)?git\s+clone\s/.test(told)) return "git";
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
