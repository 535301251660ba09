// Where to go after signing in. Pure.

/**
 * The path when it leads to a page of this server, else "/": an address that somebody made up
 * must not carry a person who has just signed in to another site.
 *
 * @param {string} next
 * @param {string} origin
 */
export function pathWithin(next, origin) {
  if (!next.startsWith("/")) return "/";
  try {
    const url = new URL(next, origin);
    const inside = url.origin === origin && !/^\/(sign-in|setup)\b/.test(url.pathname);
    return inside ? url.pathname + url.search + url.hash : "/";
  } catch {
    return "/";
  }
}
