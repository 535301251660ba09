// A call that is asked for more often than it is worth.

/**
 * `call` at once, then at most every so often, with what was given last.
 *
 * @template T
 * @param {number} every ms
 * @param {(value: T) => void} call
 * @returns {{(value: T): void, cancel: () => void}}
 */
export function throttle(every, call) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** What waits. @type {T[]} */
  let waits = [];
  const run = () => {
    timer = undefined;
    const [value] = waits.splice(0);
    if (value !== undefined) now(value);
  };
  /** @param {T} value */
  const now = (value) => {
    timer = setTimeout(run, every);
    call(value);
  };
  /** @param {T} value */
  const throttled = (value) => {
    if (timer === undefined) now(value);
    else waits = [value];
  };
  throttled.cancel = () => {
    clearTimeout(timer);
    waits = [];
    timer = undefined;
  };
  return throttled;
}
