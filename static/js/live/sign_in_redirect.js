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
  const here = location.pathname + location.search + location.hash;
  location.assign(back ? `/sign-in?next=${encodeURIComponent(here)}` : "/sign-in");
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
