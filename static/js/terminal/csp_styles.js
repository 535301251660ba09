// Our pages allow no inline styles, so that nothing that slips into them can dress up as something
// else. xterm.js writes three <style> elements and, where no graphics card draws, style attributes.
// On a page with a terminal its <style> elements fill constructed sheets and its attributes are set
// through the style object: the policy allows both, and stays as it is.
//
// xterm.js has an option for a document to use, but half of its parts ask the page's own.

/** A <style> element in name: it takes its place in the page, its text goes into a sheet. */
function styleElement() {
  const sheet = new CSSStyleSheet();
  const element = make("template");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  Object.defineProperty(element, "textContent", {
    get: () => [...sheet.cssRules].map((rule) => rule.cssText).join("\n"),
    set: (text) => sheet.replaceSync(text),
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

/**
 * @this {HTMLElement}
 * @param {string} name
 * @param {string} value
 */
function setAttribute(name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

/**
 * @param {string} tag
 * @param {ElementCreationOptions} [options]
 */
function createElement(tag, options) {
  if (tag === "style") return styleElement();
  const element = make(tag, options);
  if (tag === "span") element.setAttribute = setAttribute;
  return element;
}

/** @type {(tag: string, options?: ElementCreationOptions) => HTMLElement} */
const make = Document.prototype.createElement.bind(document);

/** Makes it so for the rest of the page's life. */
export function keepStylesOutOfThePage() {
  document.createElement = /** @type {typeof document.createElement} */ (createElement);
}
