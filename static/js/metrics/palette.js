// The colours of a chart. A canvas is told colours and cannot read custom properties: they are looked
// up when they are used, and anew when the theme changes.

const probe = document.createElement("i");
probe.hidden = true;

/** @type {Map<string, string>} */
const known = new Map();

/** Announces `change` when the theme is another one. */
export const palette = new EventTarget();

/**
 * @param {string} name of a custom property
 * @param {number} [alpha]
 * @returns {string} as a canvas takes it
 */
export function colourOf(name, alpha = 1) {
  let colour = known.get(name);
  if (colour === undefined) {
    if (!probe.isConnected) document.body.append(probe);
    probe.style.color = `var(${name})`;
    colour = getComputedStyle(probe).color;
    known.set(name, colour);
  }
  const parts = colour.match(/[\d.]+/g) ?? [];
  return alpha === 1 ? colour : `rgb(${parts.slice(0, 3).join(" ")} / ${alpha})`;
}

function changed() {
  known.clear();
  palette.dispatchEvent(new Event("change"));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
new MutationObserver(changed).observe(document.documentElement, {
  attributeFilter: ["data-theme"],
});
