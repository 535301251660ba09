// The name of this browser tab towards the server, kept over reloads: by it a terminal knows that
// the page that comes back is the one that left. A duplicated tab gets a name of its own.

const NAME = "terminal-client";
const USED = "terminal-client-used";

function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @returns {string} */
function find() {
  try {
    // A tab that is duplicated takes its storage along while the page in it is still open.
    const known = sessionStorage.getItem(USED) ? null : sessionStorage.getItem(NAME);
    const name = known ?? fresh();
    sessionStorage.setItem(NAME, name);
    sessionStorage.setItem(USED, "1");
    addEventListener("pagehide", () => sessionStorage.removeItem(USED));
    addEventListener("pageshow", () => sessionStorage.setItem(USED, "1"));
    return name;
  } catch {
    return fresh();
  }
}

export const client = find();
