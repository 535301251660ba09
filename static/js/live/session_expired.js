// Leaving for the sign-in. Every socket of a page learns by itself that the session has ended, and
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
export function wayBack(wanted) {
  back = wanted;
}

/** Go to the sign-in, unless the page is on its way there. */
export function toSignIn() {
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
