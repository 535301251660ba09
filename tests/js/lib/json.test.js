import assert from "node:assert/strict";
import { test } from "node:test";
import { formatJson, readObject } from "../../../static/js/lib/json.js";

test("every digit and every key is as it was written", () => {
  const text =
    '{"order":812345678901234567,"e":1.50e+10,"a":1,"a":2,"list":[true,null,"\\u00e9\\n"],"x":{}}';
  const value = readObject(text);
  assert.ok(value);
  assert.equal(
    formatJson(value).replace(/\n\s*/g, "").replaceAll('": ', '":'),
    text.replace("\\u00e9", "é"),
  );
  assert.equal(
    formatJson(/** @type {any} */ (readObject('{"a":{"b":[1]}}'))),
    '{\n  "a": {\n    "b": [\n      1\n    ]\n  }\n}',
  );
});

test("reads what JSON.parse reads, and nothing else", () => {
  for (const text of [
    '{"a" : [ ] , "b":{ } }',
    ' \t{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u12Ab"}\r\n',
    '{"a":[[],[[1,2],"x"]],"b":-0.5E-7}',
    '{"":{"":""}}',
  ]) {
    const value = readObject(text);
    assert.ok(value, text);
    assert.deepEqual(JSON.parse(formatJson(value)), JSON.parse(text));
  }
  for (const text of [
    '{"a":1,}',
    "{,}",
    '{"a":01}',
    '{"a":"\t"}',
    '{"a":"\\x"}',
    '{"a" 1}',
    '{"a":1}}',
  ])
    assert.equal(readObject(text), null, text);
  assert.equal(readObject(`{"a":"${"x".repeat(300_000)}"}`), null);
});
