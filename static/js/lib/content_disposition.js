// The name that a server gives a download (RFC 6266), read as the header is written: what stands
// between quotes is part of a name, whatever it looks like. Names come from containers.

const PART = /;\s*([\w!#$%&'+.^`|~-]+\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*/y;

/**
 * @param {string | null} header
 * @returns {string} "" where there is none
 */
export function nameIn(header) {
  const text = header ?? "";
  /** @type {Map<string, string>} */
  const parts = new Map();
  PART.lastIndex = /^[^;]*/.exec(text)?.[0].length ?? 0;
  for (let found; (found = PART.exec(text));) {
    const name = found[1].toLowerCase();
    const value = found[2]?.replace(/\\(.)/g, "$1") ?? found[3];
    if (!parts.has(name)) parts.set(name, value);
  }
  const encoded = /^utf-8'[^']*'(.+)$/i.exec(parts.get("filename*") ?? "")?.[1];
  try {
    if (encoded) return decodeURIComponent(encoded);
  } catch {
    // Then the plain one.
  }
  return parts.get("filename") ?? "";
}
