import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { countFields } from "../../../static/js/logs/field_counts.js";
import { fieldsOf } from "../../../static/js/logs/query/fields.js";
import {
  fieldTerm,
  levelsOf,
  parse,
  QueryError,
  written,
} from "../../../static/js/logs/query/language.js";
import { compare, quantity } from "../../../static/js/logs/query/quantities.js";
import { queryMatch } from "../../../static/js/logs/query/query_match.js";
import { readTerms, writeTerms } from "../../../static/js/logs/terms.js";

/** @typedef {import("../../../static/js/logs/entry.js").Row} Row */

const table = JSON.parse(readFileSync(new URL("../../data/query.json", import.meta.url), "utf-8"));

/** A term as the table has it. @param {import("../../../static/js/logs/query/language.js").Term} term */
function told({ kind, text, name, negated, op, pieces, levels }) {
  return {
    kind,
    text,
    ...(name && { name }),
    ...(negated && { negated }),
    ...(op !== "=" && { op }),
    ...(pieces.length && { pieces }),
    ...(levels.length && { levels }),
  };
}

/** @param {string} text @returns {Row} */
const row = (text) => [1, "", "0123456789ab", "stdout", text];

test("a query is read as the server reads it", () => {
  for (const [query, terms] of table.terms) assert.deepEqual(parse(query).map(told), terms, query);
  for (const [query, left] of table.levels) assert.deepEqual(levelsOf(parse(query)), left, query);
  for (const [text, term] of table.written) assert.equal(written(text), term);
});

test("what is wrong is said with its place", () => {
  for (const [query, mistake, at, part] of table.errors) {
    assert.throws(
      () => parse(query),
      (error) => {
        assert.ok(error instanceof QueryError);
        assert.deepEqual([error.mistake, error.at, error.part], [mistake, at, part], query);
        return true;
      },
    );
  }
});

test("a line has the fields that the server reads", () => {
  for (const [line, fields] of table.fields) assert.deepEqual(fieldsOf(line), fields, line);
});

test("quantities are compared as on the server", () => {
  for (const [text, limit, atLeast] of table.quantities) {
    const [found, least] = [quantity(text), quantity(limit)];
    const order = found && least && compare(found, least);
    assert.equal(order === null ? null : order >= 0, atLeast, `${text} >= ${limit}`);
  }
});

test("a query finds what the table says", () => {
  for (const { query, finds, leaves } of table.rows) {
    const terms = parse(query);
    const match = queryMatch(terms);
    assert.ok(match);
    // The level is what the server says.
    if (terms.some(({ kind }) => kind === "level")) continue;
    for (const text of finds) assert.ok(match([row(text)], null), `${query} finds ${text}`);
    for (const text of leaves) assert.ok(!match([row(text)], null), `${query} leaves ${text}`);
  }
});

test("terms may hold in different lines of an entry, and one with - for none", () => {
  const rows = ["ERROR payment failed", "  at Shop.pay", "Caused by: refused"].map(row);
  const wanted = queryMatch(parse("level:error payment refused -retried"));
  assert.ok(wanted?.(rows, "error"));
  assert.ok(!wanted?.(rows, "warning"));
  assert.ok(!wanted?.([...rows, row("retried")], "error"));
  assert.ok(!wanted?.(rows.slice(0, 2), "error"));
  assert.equal(queryMatch([]), null);
});

test("a field's value becomes a term that finds it", () => {
  for (const value of [
    "503",
    "two words",
    "a*b",
    ">=5",
    "1..2",
    "",
    "-",
    '"x"',
    "a\\b",
    "/x/",
    "*",
  ]) {
    for (const name of ["status", "user agent", "level", "a:b"]) {
      const text = fieldTerm(name, value);
      const [term, ...others] = parse(text);
      assert.deepEqual([term.kind, term.name, others.length], ["field", name, 0], text);
      assert.deepEqual(term.pieces, [value.toLowerCase()], text);
      assert.ok(parse(fieldTerm(name, value, true))[0].negated);
    }
  }
  assert.equal(fieldTerm("status", "503"), "status:503");
});

test("terms survive the address bar, those that are switched off as well", () => {
  const terms = [
    { text: "status:>=500", off: false },
    { text: "-path:/healthz", off: true },
    { text: '"two words"', off: false },
  ];
  const params = new URLSearchParams();
  writeTerms(terms, params);
  assert.equal(params.get("query"), 'status:>=500 "two words"');
  assert.deepEqual(readTerms(params), terms);
  const odd = new URLSearchParams({ query: '"no end' });
  assert.deepEqual(readTerms(odd), [{ text: '"no end', off: true }]);
  assert.deepEqual(readTerms(new URLSearchParams()), []);
});

test("fields are counted by the lines that have them", () => {
  const rows = ['{"a":[1,1,2]}', "a=1 b=x", "a=3", "nothing"].map(row);
  assert.deepEqual(countFields(rows), [
    {
      name: "a",
      count: 3,
      values: [
        ["1", 2],
        ["2", 1],
        ["3", 1],
      ],
    },
    { name: "b", count: 1, values: [["x", 1]] },
  ]);
});
