import assert from "node:assert/strict";
import { test } from "node:test";
import {
  lineAddress,
  NOTHING,
  readAsked,
  toCall,
  writeAsked,
} from "../../../static/js/search/asked.js";
import { LineReader, searchStream } from "../../../static/js/logs/search_stream.js";

test("what is asked survives the address bar", () => {
  const asked = {
    ...NOTHING,
    q: "a+b &ü",
    regex: true,
    capitals: true,
    terms: [
      { text: "status:>=500", off: false },
      { text: "-x", off: true },
    ],
    level: "warning",
    apps: ["api", "web"],
    since: "2026-11-29T10:00:00.000000000Z",
    until: "2026-11-29T11:00:00.000000000Z",
  };
  assert.deepEqual(readAsked(writeAsked(asked)), asked);
  assert.deepEqual(readAsked(writeAsked({ ...NOTHING, q: "x", last: 60 })).last, 60);
  const odd = "level=none&last=7&since=yesterday&app=b&app=a&app=b";
  assert.deepEqual(readAsked(new URLSearchParams(odd)), { ...NOTHING, apps: ["a", "b"] });
});

test("a call has a time to begin at, and warnings are errors as well", () => {
  const now = Date.parse("2026-11-29T12:00:00Z");
  assert.equal(toCall({ ...NOTHING, apps: ["web"], last: 60 }, now), null);
  const call = toCall({ ...NOTHING, level: "warning", last: 60 }, now);
  assert.deepEqual(call?.getAll("level"), ["error", "warning"]);
  assert.equal(call?.get("since"), "2026-11-29T11:00:00.000000000Z");
  assert.equal(call?.has("last"), false);
});

test("a line that was found leads to its place, with the words marked", () => {
  const asked = { ...NOTHING, q: "a b", regex: true };
  assert.equal(lineAddress("web", 7, asked), "/apps/web/logs?q=a+b&regex=1#L7");
  assert.equal(lineAddress("web", 7, { ...NOTHING, level: "error" }), "/apps/web/logs#L7");
});

test("lines are put together of pieces that end in the middle of a letter", () => {
  const reader = new LineReader();
  const bytes = new TextEncoder().encode('{"a":"库"}\n{"b":1}\n{"c"');
  const found = [...bytes].flatMap((one) => reader.push(Uint8Array.of(one)));
  assert.deepEqual(found, ['{"a":"库"}', '{"b":1}']);
});

/** @param {string} text @param {number} [status] */
function answering(text, status = 200) {
  globalThis.fetch = async () => new Response(text, { status });
  return searchStream(new URLSearchParams(), new AbortController().signal);
}

test("an answer that stops before its end is not the whole", async () => {
  const ops = [];
  const whole = '{"op":"begin","apps":[]}\n{"op":"end","found":0,"cursor":null,"failed":[]}\n';
  for await (const message of answering(whole)) ops.push(message.op);
  assert.deepEqual(ops, ["begin", "end"]);
  await assert.rejects(
    async () => {
      for await (const message of answering('{"op":"begin","apps":[]}\n')) ops.push(message.op);
    },
    { code: "unreachable" },
  );
  await assert.rejects(async () => void (await answering('{"code":"bad-request"}', 400).next()), {
    code: "bad-request",
  });
});
