// Images and ports as short as a list needs them; the whole is told on hover. Pure.

/**
 * An image without its registry and digest, which nobody reads in a list; an id as ids are shown.
 *
 * @param {string} image
 */
export function shortImage(image) {
  const bare = image.replace(/@sha256:[0-9a-f]+$/, "");
  if (/^(sha256:)?[0-9a-f]{64}$/.test(bare)) return bare.replace("sha256:", "").slice(0, 12);
  // The registry: a first part with a dot or a port in it, as the engine tells it from a name.
  return bare.replace(/^(?:localhost|[^/]*[.:][^/]*)\//, "");
}

/**
 * `0.0.0.0:8080->80/tcp` as `8080→80`: what is usual goes without saying. A port that only other
 * containers reach keeps its protocol, so that it does not look like one that is open here.
 *
 * @param {string} port
 */
export function shortPort(port) {
  const [outside, inside] = port.split("->");
  if (!inside) return port;
  const at = outside
    .replace(/^(?:0\.0\.0\.0|\[?::\]?):/, "")
    .replace(/^127\.0\.0\.1:/, "localhost:");
  const to = inside.replace(/\/tcp$/, "");
  return at.split(":").at(-1) === to ? at : `${at}→${to}`;
}

/**
 * The ports that are open to the outside, else those that only other containers reach.
 *
 * @param {string[]} ports
 * @param {number} most
 * @returns {{text: string, open: boolean}}
 */
export function shortPorts(ports, most) {
  const published = ports.filter((port) => port.includes("->"));
  // The same port on IPv4 and on IPv6 is one to whoever reads it.
  const names = [...new Set((published.length ? published : ports).map(shortPort))];
  const more = names.length - most;
  const text = names.slice(0, most).join(", ") + (more > 0 ? ` +${more}` : "");
  return { text, open: published.length > 0 };
}
