// What of a page's filter stands in its address: a copied link opens the same view, and the browser's
// Back undoes what was chosen.

const GOES_ON = 3_000; // ms within which what is typed is one step

let typed = -Infinity;

/**
 * Makes this the page's address. What was there before is a step back, but for what is typed letter by
 * letter: that is one step.
 * @param {string | URL} address
 * @param {boolean} [typing]
 */
export function goTo(address, typing = false) {
  const wanted = new URL(address, location.href);
  const now = performance.now();
  const goesOn = typing && now - typed < GOES_ON;
  typed = typing ? now : -Infinity;
  if (wanted.href === location.href) return;
  if (goesOn) history.replaceState(history.state, "", wanted);
  else history.pushState(null, "", wanted);
}

/**
 * The same for parts of its query; those without a value are left out.
 * @param {Record<string, string>} values by name
 * @param {boolean} [typing]
 */
export function choose(values, typing = false) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  goTo(address, typing);
}

/**
 * Called with the query of the address when the reader goes a step back or on.
 * @param {(params: URLSearchParams) => void} read
 */
export function onStep(read) {
  addEventListener("popstate", () => {
    typed = -Infinity;
    read(new URLSearchParams(location.search));
  });
}
