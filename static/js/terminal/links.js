// Links that a container printed: opened only on purpose, and only where they lead to the web.

const mac = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/** Whether a plain tap opens a link: a finger holds no key. */
export function tapOpens() {
  return matchMedia("(pointer: coarse)").matches;
}

/**
 * @param {MouseEvent} event
 * @param {string} address
 */
export function openLink(event, address) {
  if (!tapOpens() && !(mac ? event.metaKey : event.ctrlKey)) return;
  if (!/^https?:\/\//i.test(address)) return;
  window.open(address, "_blank", "noopener,noreferrer");
}
