// What stands after the # of an address: no browser sends it to a server.

/**
 * A fragment without its `#`, decoded; as it is when it cannot be decoded.
 *
 * @param {string} hash
 */
export function decodeFragment(hash) {
  const text = hash.slice(1);
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
