// The set-up token, out of the fragment of the address. Imported before everything else: the token
// leaves the address bar and the history before any other script has run.

/** "" when the address has none. */
export const token = decode(location.hash.slice(1));

history.replaceState(null, "", location.pathname + location.search);

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
