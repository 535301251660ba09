// One way at a time: who goes somewhere else is not taken where they wanted to go before.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document ??= { querySelector: () => null, getElementById: () => null };
globalThis.localStorage ??= { getItem: () => null, setItem: () => {} };
const { Navigation } = await import("../../../static/js/logs/navigation.js");

/** A log of a thousand lines of which each question is answered when a test says so. */
function view() {
  const log = [];
  const waits = [];
  const later = (value) => new Promise((go) => waits.push(() => go(value)));
  const made = {
    linked: null,
    feed: {
      look: null,
      bounds: null,
      attached: true,
      loading: "",
      first: 1,
      recent: { last: 1_000 },
      model: { entries: [{ seq: 1 }], atStart: false, indexOf: () => 0, indexAt: () => 0 },
      dropOpening: () => log.push("drop"),
      seqAt: () => later(500),
      openAt: () => later(true),
      holds: () => false,
      goToEnd: () => log.push("end"),
      takeIn: () => {},
      seen: () => {},
    },
    rows: {
      place: { follow: false, seq: 7, offset: 3 },
      follow: () => log.push("follow"),
      stayAt: (seq, offset = 0) => log.push(`at ${seq}+${offset}`),
      toStart: () => log.push("start"),
      pause: () => {},
      repaint: () => {},
      changed: () => {},
    },
    cursor: { standOn: (_, seq) => log.push(`on ${seq}`) },
    choices: { range: null },
    url: { changed: () => {} },
    schedule: () => {},
    focusRows: () => {},
  };
  const nav = new Navigation(/** @type {any} */ (made));
  const answer = async () => {
    for (const go of waits.splice(0)) go();
    await new Promise((go) => setTimeout(go));
    const said = log.filter((one) => one !== "drop");
    log.length = 0;
    return said;
  };
  return { nav, answer };
}

/** @type {Record<string, (nav: import("../../../static/js/logs/navigation.js").Navigation) => void>} */
const WAYS = {
  "to a moment": (nav) => void nav.jumpTo(1_000),
  "to a line": (nav) => void nav.openAt(300),
  "to the beginning": (nav) => void nav.toTop(),
  "back to where one was": (nav) => void nav.comeBack({ follow: false, seq: 40, offset: 2 }),
};

for (const [name, go] of Object.entries(WAYS)) {
  test(`${name}, and to the end meanwhile: the end it is`, async () => {
    const { nav, answer } = view();
    go(nav);
    await 0;
    nav.follow();
    assert.equal((await answer()).at(-1), "follow");
    assert.deepEqual(await answer(), []);
    assert.deepEqual(await answer(), []);
  });

  test(`${name}, with nothing else under way`, async () => {
    const { nav, answer } = view();
    go(nav);
    const said = [...(await answer()), ...(await answer()), ...(await answer())];
    const ends = { "to a moment": "on 500", "to a line": "on 300", "to the beginning": "start" };
    assert.equal(said.at(-1), ends[name] ?? "at 40+2");
  });
}

test("of two ways the later one", async () => {
  const { nav, answer } = view();
  void nav.jumpTo(1_000);
  void nav.openAt(300);
  const said = [...(await answer()), ...(await answer())];
  assert.equal(said.at(-1), "on 300");
  assert.ok(!said.includes("on 500"));
});

test("where the reader is can be kept, and come back to", () => {
  const { nav } = view();
  assert.deepEqual(nav.place, { follow: false, seq: 7, offset: 3, linked: null });
});
