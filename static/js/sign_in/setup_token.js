// The set-up token, out of the fragment of the address. Imported before everything else: the token
// leaves the address bar and the history before any other script has run.

import { decodeFragment } from "../lib/fragment.js";

/** "" when the address has none. */
export const token = decodeFragment(location.hash);

history.replaceState(null, "", location.pathname + location.search);
