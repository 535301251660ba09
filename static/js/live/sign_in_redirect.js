// The way to the sign-in and back. Every socket of a page learns by itself that the login has ended, and
// two navigations at once can crash the tab (Chromium 156, in a quarter of the runs of one test).

const GONE_WITHIN = 10_000; // ms; after that the navigation was stopped, or has failed

let leaving = false;
let back = true;

/**
 * Whether the sign-in leads back to this page: not after a sign-out, when the next one who signs in
 * may be somebody else.
 *
 * @param {boolean} wanted
 */
export function setComesBack(wanted) {
  back = wanted;
}

/** Go to the sign-in, unless the page is on its way there. */
export function goToSignIn() {
  if (leaving) return;
  leaving = true;
  setTimeout(() => {
    leaving = false;
  }, GONE_WITHIN);
  // Brought back by the browser as it was left, its sockets are closed for good.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  location.assign(back ? signInAddress(location) : "/sign-in");
}

/**
 * The address of the sign-in that leads back to `here`. What stands in the fragment, such as the key
 * of a shared terminal, stays there: a query is in the log of every proxy on the way.
 *
 * @param {{pathname: string, search: string, hash: string}} here
 */
export function signInAddress({ pathname, search, hash }) {
  return `/sign-in?next=${encodeURIComponent(pathname + search)}${hash}`;
}

/**
 * Where to go after signing in: where `next` leads, with the fragment that the sign-in was opened with.
 *
 * @param {string} next
 * @param {{origin: string, hash: string}} here
 */
export function addressAfterSignIn(next, { origin, hash }) {
  const to = safeRedirect(next, origin);
  return to.includes("#") ? to : to + hash;
}

/**
 * The path when it leads to a page of this server, else "/": an address that somebody made up
 * must not carry a person who has just signed in to another site.
 *
 * @param {string} next
 * @param {string} origin
 */
export function safeRedirect(next, origin) {
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
