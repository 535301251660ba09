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
    const path = url.pathname + url.search + url.hash;
    // What was "/.//x" is now "//x", which is the page of another site.
    const inside = url.origin === origin && !/^\/(\/|sign-in\b|setup\b)/.test(path);
    return inside ? path : "/";
  } catch {
    return "/";
  }
}
