// Runs before the first paint, and before any module: what the sidebar was like last time, what
// to do when a module, a style sheet or the texts do not come, and what somebody does before they have. A
// plain script, so that the browser waits for it.
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

  // Until the page's module is there, seconds on a slow line, nobody hears what is done to its fields and
  // buttons, and some fields are filled anew when it comes. What was done is kept, and done again then.
  /**
   * @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field
   *
   * @typedef {object} Done to one element
   * @property {Set<string>} told events of a field's value
   * @property {string} value
   * @property {boolean} checked
   * @property {boolean} entered
   * @property {boolean} pressed
   */
  /** The element that was used last is last. @type {Map<Element, Done>} */
  const early = new Map();
  const doneTo = (/** @type {Element} */ element) => {
    const done = early.get(element) ?? {
      told: new Set(),
      value: "",
      checked: false,
      entered: false,
      pressed: false,
    };
    early.delete(element);
    early.set(element, done);
    return done;
  };
  /** @returns {Field | null} */
  const fieldOf = (/** @type {Event} */ { target }) =>
    target instanceof HTMLInputElement ||
    target instanceof HTMLSelectElement ||
    target instanceof HTMLTextAreaElement
      ? target
      : null;
  const filled = (/** @type {Event} */ event) => {
    const field = fieldOf(event);
    if (!field) return;
    const done = doneTo(field);
    done.told.add(event.type);
    done.value = field.value;
    done.checked = "checked" in field && field.checked;
  };
  const entered = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || event.isComposing || event.repeat) return;
    const field = fieldOf(event);
    if (!(field instanceof HTMLInputElement)) return;
    event.preventDefault();
    doneTo(field).entered = true;
  };
  const pressed = (/** @type {MouseEvent} */ event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (!button) return;
    event.preventDefault(); // an empty menu would open
    doneTo(button).pressed = true; // who presses again since nothing happens wants it once
  };
  const EARLY = /** @type {const} */ ([
    ["input", filled],
    ["change", filled],
    ["keydown", entered],
    ["click", pressed],
  ]);
  for (const [type, keep] of EARLY) {
    addEventListener(type, /** @type {EventListener} */ (keep), true);
  }

  const fillAgain = (/** @type {Field} */ field, /** @type {Done} */ done) => {
    const before = field.value;
    if (before !== done.value) field.value = done.value;
    if (field.value !== done.value) {
      field.value = before; // there is no such choice any more
      return;
    }
    if ("checked" in field) field.checked = done.checked;
    for (const type of done.told) field.dispatchEvent(new Event(type, { bubbles: true }));
  };
  const enterAgain = (/** @type {HTMLInputElement} */ field) => {
    const key = { key: "Enter", code: "Enter", bubbles: true, cancelable: true };
    if (!field.dispatchEvent(new KeyboardEvent("keydown", key)) || !field.form) return;
    const send = field.form.querySelector("[type=submit]");
    if (send instanceof HTMLElement) send.click();
    else field.form.requestSubmit();
  };
  const doAgain = () => {
    for (const [type, keep] of EARLY) {
      removeEventListener(type, /** @type {EventListener} */ (keep), true);
    }
    for (const [element, done] of early) {
      if (!element.isConnected) continue;
      if (done.told.size) fillAgain(/** @type {Field} */ (element), done);
      if (done.entered) enterAgain(/** @type {HTMLInputElement} */ (element));
      if (done.pressed) /** @type {HTMLElement} */ (element).click();
    }
    early.clear();
  };
  addEventListener("DOMContentLoaded", () => {
    const page = /** @type {HTMLScriptElement | null} */ (
      document.querySelector("script[type=module][src]")
    );
    // The same module, once more: it is there when all of it, with the texts it waits for, has run.
    if (page) void import(page.src).then(doAgain, () => {});
  });
}
