// Leaving for the sign-in. Every socket of a page learns by itself that the session has ended, and
// two navigations at once can crash the tab (Chromium 156, in a quarter of the runs of one test).

let leaving = false;

/**
 * Go to the sign-in, unless the page is on its way there.
 *
 * @param {{ back?: boolean }} [options] `back`: come back here afterwards.
 */
export function toSignIn({ back = false } = {}) {
  if (leaving) return;
  leaving = true;
  addEventListener("pageshow", stay);
  const here = location.pathname + location.search + location.hash;
  location.assign(back ? `/sign-in?next=${encodeURIComponent(here)}` : "/sign-in");
}

/**
 * The browser has brought the page back as it was left.
 *
 * @param {PageTransitionEvent} event
 */
function stay({ persisted }) {
  if (persisted) leaving = false;
}
