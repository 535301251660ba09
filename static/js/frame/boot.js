// Runs before the first paint, and before any module: what the sidebar was like last time, and what
// to do when a module, a style sheet or the texts do not come. A plain script, so that the browser waits for it.
{
  const TRIES = 3; // in a minute
  const root = document.documentElement;
  try {
    const width = Number(localStorage.getItem("sidebar-width"));
    if (width) root.style.setProperty("--sidebar", `${width}px`);
    if (localStorage.getItem("sidebar") === "closed") root.dataset.sidebar = "closed";
  } catch {
    // Storage is forbidden to this page: it looks as it does the first time.
  }

  // Without one of its modules a page is dead, without its styles it cannot be read, and without its
  // texts half of it is in another language. Browsers give up what they fetch when the network
  // changes: a laptop moves, or a container starts on the browser's own machine.
  const loadAgain = () => {
    const now = Date.now();
    /** @type {number[]} */
    const before = JSON.parse(sessionStorage.getItem("loaded-again") ?? "[]");
    const tries = before.filter((at) => now - at < 60_000);
    if (tries.length >= TRIES) return false;
    sessionStorage.setItem("loaded-again", JSON.stringify([...tries, now]));
    setTimeout(() => location.reload(), 300 * 2 ** tries.length);
    return true;
  };
  let trying = false;
  const notLoaded = () => {
    if (trying) return;
    trying = true;
    let again = false;
    try {
      again = loadAgain();
    } catch {
      // Storage is forbidden: nobody could count, so it is left to the reader.
    }
    if (!again) root.dataset.notLoaded = "";
  };
  const failed = (/** @type {Event} */ { target }) => {
    const isStyle = target instanceof HTMLLinkElement && target.rel === "stylesheet";
    if (isStyle || target instanceof HTMLScriptElement) notLoaded();
  };
  addEventListener("error", failed, true);
  addEventListener("not-loaded", notLoaded); // said by whoever loads a part by itself
}
