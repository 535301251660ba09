// What live data draws anew takes the place of what says the same. Whoever has the focus on something, has
// it open, has text in it selected or is about to press it goes on with it: elements stay, and only what
// they say changes.

import { handOver, setAttribute, setNodes } from "./dom.js";

/** What does something when it is pressed: another one never takes its place below a hand. */
const PRESSED = new Set(["a", "button", "input", "option", "select", "textarea"]);
/** What the reader has done to an element, which no drawing knows of. @type {Record<string, string>} */
const OPENED = { details: "open", dialog: "open" };

/**
 * Shows in `parent` what `fresh` says. Elements are known again by their `data-key`, or their id; links by
 * where they lead, buttons and fields by what they are called; all others, where none is equal, by their
 * order.
 *
 * What has a `data-as` stays whole for as long as that is the same, and goes when it is another: so does what
 * is filled when it is opened, which a drawing does not know of.
 *
 * What is given was made for this call, by `h`: its handlers go over to the element that stays, and must
 * not speak of elements that were made beside them, but for `event.currentTarget`. Elements that are kept
 * from one call to the next belong to `setChildren`.
 *
 * @param {Element} parent
 * @param {Element[]} fresh
 */
export function redraw(parent, fresh) {
  const there = [...parent.children];
  const at = document.activeElement;
  const row = at && there.find((one) => one.contains(at));
  setNodes(parent, there, matched(there, fresh));
  if (row && !at?.isConnected) keepPlace(row);
}

/**
 * One element: what stands in the page for it from now on, which is `old` where that is of the same kind.
 *
 * @template {Element} T
 * @param {T | undefined} old
 * @param {T} fresh
 * @returns {T}
 */
export function redrawn(old, fresh) {
  if (!old || old.localName !== fresh.localName) return fresh;
  const at = document.activeElement;
  const within = at && old.contains(at);
  update(old, fresh);
  if (within && !at.isConnected) keepPlace(old);
  return old;
}

/**
 * Who was at a button that is not offered any more is at its row: the next key presses nothing else, and
 * goes on from there.
 *
 * @param {Element} row
 */
function keepPlace(row) {
  if (!(row instanceof HTMLElement) || !row.isConnected) return;
  if (!row.hasAttribute("tabindex")) row.tabIndex = -1;
  row.focus({ preventScroll: true });
}

/**
 * @param {ChildNode[]} there
 * @param {ChildNode[]} fresh
 * @returns {ChildNode[]} what stands for each of them
 */
function matched(there, fresh) {
  /** By what they are known again, in order. @type {Map<string, ChildNode[]>} */
  const left = new Map();
  for (const node of there) {
    const name = nameOf(node);
    const known = left.get(name);
    if (known) known.push(node);
    else left.set(name, [node]);
  }
  /** @type {Map<ChildNode, ChildNode>} */
  const pairs = new Map();
  for (const equal of [true, false]) {
    for (const node of fresh) {
      const known = pairs.has(node) ? undefined : left.get(nameOf(node));
      const at = known?.findIndex((old) => !equal || old.isEqualNode(node)) ?? -1;
      if (known && at >= 0) pairs.set(node, known.splice(at, 1)[0]);
    }
  }
  return fresh.map((node) => {
    const old = pairs.get(node);
    if (!old) return node;
    if (old instanceof Element) update(old, /** @type {Element} */ (node));
    else if (old.nodeValue !== node.nodeValue) old.nodeValue = node.nodeValue;
    return old;
  });
}

/** By what a node is known again among those beside it. @param {ChildNode} node */
function nameOf(node) {
  if (!(node instanceof HTMLElement)) return node.nodeName;
  const { localName, id, dataset } = node;
  if (dataset.as !== undefined) return `${localName} as ${dataset.as}`;
  if (dataset.key !== undefined) return `${localName} ${dataset.key}`;
  if (id) return `${localName}#${id}`;
  if (!PRESSED.has(localName)) return localName;
  const label = node.getAttribute("aria-label");
  if (node instanceof HTMLAnchorElement) return `a ${node.href || node.textContent}`;
  if (node instanceof HTMLOptionElement) return `option ${node.value}`;
  if (node instanceof HTMLButtonElement) return `button ${label ?? node.textContent}`;
  const { name, type, value } = /** @type {HTMLInputElement} */ (node);
  return `${localName} ${type} ${name} ${label ?? ""} ${isChoice(node) ? value : ""}`;
}

/** @param {Element} element @returns {element is HTMLInputElement} */
function isChoice(element) {
  return element instanceof HTMLInputElement && ["checkbox", "radio"].includes(element.type);
}

/**
 * @param {Element} old
 * @param {Element} fresh
 */
function update(old, fresh) {
  // It is of the same; or it was pressed, and asks whether that was meant.
  if (old instanceof HTMLElement && (old.dataset.as !== undefined || old.dataset.sure)) return;
  handOver(fresh, old);
  updateAttributes(old, fresh);
  // What is typed in a field is the reader's.
  if (isChoice(old) && isChoice(fresh)) {
    old.checked = fresh.checked;
    old.indeterminate = fresh.indeterminate;
  }
  const there = /** @type {ChildNode[]} */ ([...old.childNodes]);
  const wanted = /** @type {ChildNode[]} */ ([...fresh.childNodes]);
  if (there.length || wanted.length) setNodes(old, there, matched(there, wanted));
}

/**
 * @param {Element} old
 * @param {Element} fresh
 */
function updateAttributes(old, fresh) {
  const own = OPENED[old.localName];
  for (const name of old.getAttributeNames()) {
    const held = name === "tabindex" && old === document.activeElement;
    if (name !== own && !held && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const name of fresh.getAttributeNames()) {
    if (name === own) continue;
    // As an attribute it would be a style of the page's source, which is not allowed.
    if (name === "style")
      /** @type {any} */ (old).style.cssText = /** @type {any} */ (fresh).style.cssText;
    else setAttribute(old, name, fresh.getAttribute(name));
  }
}
