// The few lines that stand in for a framework. Text goes in as text nodes, never as HTML:
// what a container wrote cannot become markup.

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {{[name: string]: any}} Props */

const SVG = "http://www.w3.org/2000/svg";

/**
 * One element. `class`, `dataset`, `on…` handlers (`onclick`), boolean attributes (`hidden: true`),
 * properties that are not attributes (`value`, `checked`), and any other attribute by its name.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Props | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  if (props) assign(element, props);
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {Props} props
 */
function assign(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on") && typeof value === "function") {
      handle(element, { ...handlers.get(element), [name.slice(2)]: value });
    } else if (name === "dataset") {
      Object.assign(/** @type {HTMLElement} */ (element).dataset, value);
    } else if (name === "value" || name === "checked" || name === "indeterminate") {
      /** @type {any} */ (element)[name] = value;
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/** What elements do, by the name of the event, as `h` was told. @type {WeakMap<Element, Record<string, EventListener>>} */
const handlers = new WeakMap();

/** @param {Element} element @param {Record<string, EventListener>} its */
function handle(element, its) {
  for (const [event, run] of Object.entries(handlers.get(element) ?? {})) {
    if (its[event] !== run) element.removeEventListener(event, run);
  }
  for (const [event, run] of Object.entries(its)) element.addEventListener(event, run);
  handlers.set(element, its);
}

/**
 * What `h` told one element to do, another one does from now on.
 *
 * @param {Element} from
 * @param {Element} to
 */
export function handOver(from, to) {
  const its = handlers.get(from);
  if (its || handlers.has(to)) handle(to, its ?? {});
}

/**
 * @param {Node} parent
 * @param {(Child | Child[])[]} children
 */
function append(parent, children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/**
 * An icon of templates/icons.svg, which is in every page. It says nothing to a screen reader: the words beside it do.
 *
 * @param {string} name
 * @param {string} [className]
 * @returns {SVGSVGElement}
 */
export function icon(name, className = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${className}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.appendChild(use);
  return svg;
}

/**
 * Sets the text of an element only when it differs, so that an unchanged row costs no layout.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string | null} value null takes the attribute away
 */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Puts exactly these children into the parent, in this order, moving only what is not in place:
 * focus, selection and scroll position of rows that stay are kept. What has the focus, or has text in it
 * that is selected, is never what is moved: that takes both away.
 *
 * @param {Element} parent
 * @param {Element[]} wanted
 */
export function setChildren(parent, wanted) {
  setNodes(parent, [...parent.children], wanted);
}

/**
 * The same of nodes of any kind.
 *
 * @param {Element} parent
 * @param {ChildNode[]} there those of its children that this is about
 * @param {ChildNode[]} wanted
 */
export function setNodes(parent, there, wanted) {
  const keep = new Set(wanted);
  for (const child of there) if (!keep.has(child)) child.remove();
  const held = heldIn(parent);
  const pin = held ? wanted.indexOf(held) : -1;
  if (pin > 0) place(parent, wanted.slice(0, pin), parent.firstChild, keep);
  const next = pin < 0 ? parent.firstChild : /** @type {ChildNode} */ (held).nextSibling;
  place(parent, wanted.slice(pin + 1), next, keep);
}

/**
 * @param {Element} parent
 * @param {ChildNode[]} wanted
 * @param {ChildNode | null} at where the first of them belongs
 * @param {Set<ChildNode>} keep
 */
function place(parent, wanted, at, keep) {
  for (const child of wanted) {
    while (at && !keep.has(at)) at = at.nextSibling;
    if (child === at) at = at.nextSibling;
    else parent.insertBefore(child, at);
  }
}

/**
 * Of an element's children the one with what somebody has the focus on, else the one where what is
 * selected begins.
 *
 * @param {Element} parent
 * @returns {ChildNode | null}
 */
function heldIn(parent) {
  const selected = getSelection();
  const at = [document.activeElement, selected?.isCollapsed ? null : selected?.anchorNode];
  for (let node of at) {
    if (!node || node === parent || !parent.contains(node)) continue;
    while (node.parentNode !== parent) node = /** @type {Node} */ (node.parentNode);
    return /** @type {ChildNode} */ (node);
  }
  return null;
}

/**
 * Does what may take an element out of the page and put it somewhere else: who had the focus in it has it
 * there.
 *
 * @param {() => void} change
 */
export function keepFocus(change) {
  const at = document.activeElement;
  change();
  if (at instanceof HTMLElement && at.isConnected && at !== document.activeElement) {
    at.focus({ preventScroll: true });
  }
}

/**
 * The element with this id; the page was made with it, so its absence is a bug and says so.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element #${id}`);
  return element;
}

/**
 * Whether a key press belongs to a field somebody is typing in.
 *
 * @param {EventTarget | null} target
 */
export function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) {
    return !["checkbox", "radio", "button", "submit", "range"].includes(target.type);
  }
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    target.isContentEditable
  );
}

/**
 * What the server put into the page as JSON, null where it did not.
 *
 * @param {string} id
 */
export function readData(id) {
  return JSON.parse(document.getElementById(id)?.textContent || "null");
}

/**
 * Runs it once the page was painted as it is now; where nobody looks at it, soon.
 *
 * @param {() => void} run
 */
export function afterPaint(run) {
  if (document.hidden) setTimeout(run);
  else requestAnimationFrame(() => setTimeout(run));
}
