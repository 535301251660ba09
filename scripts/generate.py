"""Writes the files that are made of what Python declares: for the pages' JavaScript, and for people.

``make generated`` runs it; ``tests/test_generated.py`` fails while one of them is out of date.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flask import Flask  # noqa: E402

from cloudbang.domain import entry, pattern_groups, patterns, seen_text, traces  # noqa: E402
from cloudbang.domain.levels import json_lines, text_tables, words  # noqa: E402
from cloudbang.domain.query import access_tables, fields, quantities  # noqa: E402
from cloudbang.web import api_blueprints  # noqa: E402
from cloudbang.web.api.openapi import describe  # noqa: E402
from cloudbang.web.api.patterns import SEVERAL  # noqa: E402

MADE = "// Made by scripts/generate.py of {source}: change it there, then `make generated`.\n"


def levels_page() -> str:
    """The tables by which lines have a level and belong together, for people."""
    rows = [
        "# Levels and entries",
        "",
        "<!-- Made by scripts/generate.py of cloudbang/domain/levels and cloudbang/domain/traces.py. -->",
        "",
        "The server decides how bad a line is, and which lines belong together. It reads a line as a person does: from its "
        "start, through what tells when and where it comes from, to the word that names the level; words inside a message, "
        "inside quotes and inside objects that a line is about say nothing. There is a table for each place, its rows are "
        "ways of writing and not programs, and every example here is a test.",
        "",
        "| level | what writers call it |",
        "| --- | --- |",
        *(f"| {level} | {', '.join(names.split())} |" for level, names in words.NAMES.items()),
        "",
        "In other languages, before a colon: "
        + "; ".join(
            f"{level}: {', '.join(names.split())}" for level, names in words.TRANSLATED.items()
        )
        + ".",
        "",
    ]
    for title, ways in (
        ("JSON: fields and scales", tuple(json_lines.examples())),
        ("Text: at its very start", text_tables.STARTS),
        (
            "Text: behind a time and a place",
            text_tables.HEADS + text_tables.NAMED + text_tables.NAMES,
        ),
        ("Text: in brackets", (*text_tables.BRACKETS, *text_tables.BEHIND_TIME)),
        ("Text: pairs", text_tables.PAIRS),
        (
            "Text: what runtimes and shells say",
            text_tables.SENTENCES + text_tables.SHAPES + text_tables.ENDINGS,
        ),
        ("What may stand before all of it", text_tables.PREFIXES),
    ):
        rows += [
            f"## {title}",
            "",
            "| way | example | is | looks like it | is | source |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for way in ways:
            cells = [way.name, _code(way.example), way.level or "none", _code(way.counter)]
            rows.append(f"| {' | '.join([*cells, way.counter_level or 'none', way.source])} |")
        rows.append("")
    rows += [
        "## What belongs together",
        "",
        "An entry is a line with what belongs to it, of one container and stream. A line that begins as a line of a log does, with "
        "a time or its level, belongs to no line before it (but for a database's `DETAIL:` of the same process, and the second "
        "line of java.util.logging; what stands in a box that the entry drew; and what an announcement such as `Error:` is followed by). "
        "What one process, rank or request writes is told by what stands before each of its lines (`(worker pid=7) `, `[rank1]: `, "
        "`web-1  | `): they are read without it, and another's belong elsewhere. Where each line of a trace has in front what its first "
        "line has (a wrapper's time, the whole head of a logger that knows one line), its frames and what belongs to them are read without "
        "that. A head without a message has it on the lines below; what begins with `-->` goes on, and a document of markup belongs to the line that ends in a colon. "
        "Below a warning or an error, what is indented and what opens a trace belongs to it; any "
        "other line only once a frame proves it, and then all that stands between. What came 1.5 s later is something else. "
        f"An entry has at most {entry.LINES_AT_MOST:,} lines and about {entry.BYTES_AT_MOST // 1024:,} KiB; "
        "a trace without a level of its own is an error.",
        "",
        "| language | kind | example | looks like it and is not |",
        "| --- | --- | --- | --- |",
    ]
    for kind, lines in (
        ("frame", (*traces.FRAMES, *traces.ANYWHERE.values())),
        ("opens", traces.OPENINGS),
        ("goes on", traces.GOES_ON),
    ):
        for line in lines:
            rows.append(
                f"| {line.language} | {kind} | {_code(line.example)} | {_code(line.counter)} |"
            )
    return "\n".join(rows) + "\n"


def _code(text: str) -> str:
    """A line as code in a cell of a table."""
    text = text.replace("|", "\\|").replace("\t", "⇥").replace("\ufeff", "").strip(" ")
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def query_page() -> str:
    """The language of filters, with the tables that the tests run."""
    table = json.loads((ROOT / "tests/data/query.json").read_text("utf-8"))
    about = (ROOT / "scripts/query_page.txt").read_text("utf-8")
    examples = ["| query | finds | leaves | |", "| --- | --- | --- | --- |"]
    for row in table["rows"]:
        finds, leaves = (
            " ".join(_code(_shown(text)) for text in row[n]) for n in ("finds", "leaves")
        )
        examples.append(f"| {_code(row['query'])} | {finds} | {leaves} | {row['says']} |")
    ways = [
        "| way | example | fields | looks like it and is not | source |",
        "| --- | --- | --- | --- | --- |",
    ]
    for way in access_tables.WAYS:
        fields = " ".join(_code(f"{name}={value}") for name, value in way.fields)
        cells = [way.name, _code(way.example), fields, _code(way.counter), way.source]
        ways.append(f"| {' | '.join(cells)} |")
    return about.format(examples="\n".join(examples), ways="\n".join(ways))


def _shown(text: str) -> str:
    return text.replace("\x1b", "␛")


def query_tables() -> str:
    """The tables of ``domain/query`` as a module."""
    sizes = {**quantities.SIZES}
    rows = [
        MADE.format(source="cloudbang/domain/query"),
        f"export const METHOD_SIGN = /{_for_js(access_tables.SIGN)}/;",
        "/** How servers write what they were asked; the first that fits counts. */",
        "export const WAYS = [",
        *(f"  /{_for_js(way.pattern)}/," for way in access_tables.WAYS),
        "];",
        f"export const CLIENT = /{_for_js(access_tables.CLIENT)}/;",
        f"export const USER = /{_for_js(access_tables.USER)}/;",
        f"export const PAIR = /{_for_js(fields.PAIR.pattern)}/g;",
        "/** Nanoseconds. @type {Record<string, number>} */",
        f"export const TIMES = {json.dumps(dict(quantities.TIMES), ensure_ascii=False)};",
        "/** Bytes. @type {Record<string, number>} */",
        f"export const SIZES = {json.dumps(sizes)};",
        f"export const WHOLE = /^{_for_js(quantities.WHOLE.pattern)}$/;",
        f"export const PARTS = /^{_for_js(quantities.PARTS.pattern)}$/;",
        f"export const PART = /{_for_js(quantities.PART.pattern)}/g;",
        f"export const NAMED = /{_for_js(quantities.NAMED.pattern)}/;",
    ]
    return "\n".join(rows) + "\n"


def _for_js(pattern: str) -> str:
    """The pattern in JavaScript's syntax, between slashes."""
    return re.sub(r"(?<!\\)/", r"\/", pattern.replace("(?P<", "(?<"))


def seen_tables() -> str:
    """The tables of ``domain/seen_text`` as a module."""
    lists = [
        "MESSAGES",
        "TEMPLATES",
        "HOLDERS",
        "NAMED_AFTER_IT",
        "INNER",
        "OTHERWISE",
        "PROPERTIES",
    ]
    rows = [
        MADE.format(source="cloudbang/domain/seen_text.py"),
        *(_exported(name, getattr(seen_text, name)) for name in lists),
        f"export const VALUE_OF = {json.dumps(seen_text.VALUE_OF)};",
        f"export const WITHIN = {seen_text.WITHIN}; // strings, one in the other, are read",
        "// eslint-disable-next-line no-control-regex",
        *(
            f"export const {name} = /{getattr(seen_text, name).pattern}/g;"
            for name in ("HOME", "LEFT", "TOKEN")
        ),
        f"export const LAST = /{seen_text.LAST.pattern}/i;",
        "",
        "/** What writers call a level. @type {Record<string, string>} */",
        f"export const LEVEL_NAMES = {json.dumps(words.NAMES, ensure_ascii=False)};",
    ]
    return "\n".join(rows) + "\n"


def pattern_tables() -> str:
    """The table of ``domain/patterns`` as a module."""
    names = [kind.name for kind in patterns.KINDS]
    rows = [
        MADE.format(source="cloudbang/domain/patterns.py"),
        _exported("KINDS", tuple(names)),
        f"export const LOOKED_AT = {patterns.LOOKED_AT}; // characters of a line",
        f"export const LONGEST = {patterns.LONGEST}; // characters of a pattern",
        f"export const NAMES = {patterns.NAMES}; // of them that are kept for the names of fields",
        "",
        "/** Words, which are passed over; then a group a kind. */",
        f"export const MASK = {json.dumps(patterns.MASK.pattern, ensure_ascii=False)};",
        f"export const STATUS_PATH = /^{patterns.STATUS_PATH.pattern}$/i;",
    ]
    return "\n".join(rows) + "\n"


def patterns_page() -> str:
    """By what patterns are made, for people."""
    rows = [
        "# Patterns of lines",
        "",
        "<!-- Made by scripts/generate.py of cloudbang/domain/patterns.py. -->",
        "",
        "A pattern is what entries of a log have in common: the first line of an entry, as it is seen ([log.md](log.md)), with what "
        "changes from one to the next left out. It is made of a line by itself, so the same line always has the same "
        f"pattern; of a line {patterns.LOOKED_AT:,} characters are looked at, and a pattern has {patterns.LONGEST} at most. At each place the first row of this table "
        "that fits is it; every example is a test.",
        "",
        "| what | example | looks like it and is not |",
        "| --- | --- | --- |",
        *(
            f"| {'`5xx`: the class of an HTTP status' if kind.name == 'status' else f'`<{kind.name}>`'} | {_code(kind.example)} | {_code(kind.counter)} |"
            for kind in patterns.KINDS
        ),
        "",
        "- Of JSON it is the message, and in braces the names of the other fields but for time and level, by name; of JSON without a "
        "message the names in the order of writing.",
        "- Of a traceback of Python it is its last line, which says what failed.",
        f"- Where more than {pattern_groups.MANY} different words (or {pattern_groups.MANY_PATHS} paths) stand at one place of patterns that are otherwise the same, they are "
        "one, with `<*>` there.",
        "- What differs in its digits alone has the same pattern, but for the class of a status.",
        "- The level of an entry is a part of what tells patterns apart.",
        "- A text that has one of these placeholders itself, as a usage message may, has it as `‹n›` in its pattern.",
        "",
        "The page folds entries that follow each other: those that are the same but for their times, or, as the view is set, those of one "
        "pattern.",
        "",
        "## Counted",
        "",
        "`GET /api/v1/apps/{app}/patterns` counts the entries of an app by pattern in two stretches of time, `now` (`since` to `until`; the "
        "last 24 hours unless given) and `before` (`against` to `against_until`; the same a day earlier unless given). With "
        "`since=deployment` it is since the release that serves was started (of an app that was not deployed here, since its newest container was "
        "made), against the 24 hours before: what has `before` 0 is new. Errors come first, then warnings, what is new before the rest, what is no more last; "
        "`limit` (300, at most 1,000) patterns are given, and `others` says how often what is beyond them came.",
        "",
        "It is counted when somebody asks, by a process of its own that has one processor at most and gives way to everything else, "
        "a second of counting a question; what was counted is kept for the next. Where that is not enough, the blocks that are counted are spread over the "
        "whole stretch, `sampled` is true, `looked` and `of` say how many bytes of text the numbers are of, and the counts are estimates for all of it; "
        "who asks again gets more of it, until it is whole. A pattern that is rare may be missing in a sample. While others ask, a question waits for 10 s at "
        "most, and is told so (503 `too-busy`).",
        "",
        f"`GET /api/v1/patterns?app=…` does the same for several apps (all that one may view where none is named, {SEVERAL} at most in one answer), as if they were one log: "
        "`apps` says of each pattern how often it came in which, `app` whose the last line is, `left` how many are not counted (yet), `failed` which could not be read. With `since=deployment` each app is counted since its own last deployment, against the 24 hours before that: new is what is new in one of them (`before` 0 there), `now` and `before` are around all of these stretches, `deployed` says of how many `apps` one knows it, the `first` and the `last`, and `undeployed` how many are left out because nobody does.",
        "",
        "`expression` finds the lines of a pattern in RE2's syntax, as `q` with `regex=1`, or as `/…/` in a query: all of them, and hardly any other.",
    ]
    return "\n".join(rows) + "\n"


def _exported(name: str, values: tuple[str, ...]) -> str:
    return f"/** @type {{readonly string[]}} */\nexport const {name} = {json.dumps(list(values))};"


def api_types() -> str:
    """What the HTTP API takes and gives, as types."""
    app = Flask(__name__)
    for blueprint in api_blueprints():
        app.register_blueprint(blueprint)
    rows = [MADE.format(source="cloudbang/web/api/schemas")]
    for name, schema in describe(app)["components"]["schemas"].items():
        if about := schema.get("description"):
            rows.append(f"/** {' '.join(about.replace('``', '`').split())} */")
        rows.append(f"export type {name} = {_type(schema)};\n")
    return "\n".join(rows)


def _type(schema: dict[str, Any]) -> str:
    """TypeScript's word for a JSON Schema, of the kinds that pydantic makes of our shapes."""
    match schema:
        case {"$ref": reference}:
            return str(reference).rsplit("/", 1)[1]
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return " | ".join(json.dumps(value) for value in values)
        case {"anyOf": kinds}:
            return " | ".join(_type(kind) for kind in kinds)
        case {"prefixItems": kinds}:
            return f"[{', '.join(_type(kind) for kind in kinds)}]"
        case {"type": "array", "items": kind}:
            one = _type(kind)
            return f"({one})[]" if " " in one else f"{one}[]"
        case {"type": "object", "properties": properties}:
            required = schema.get("required", ())
            fields = [
                f"  {name}{'' if name in required else '?'}: {_type(kind)};"
                for name, kind in properties.items()
            ]
            return "\n".join(["{", *fields, "}"])
        case {"type": "object", "additionalProperties": {"type": _} as kind}:
            return f"Record<string, {_type(kind)}>"
        case {"type": "object"}:
            return "Record<string, unknown>"
        case {"type": "integer" | "number"}:
            return "number"
        case {"type": "string" | "boolean" | "null" as kind}:
            return str(kind)
    if not schema.keys() - {"description", "default"}:
        return "unknown"
    raise ValueError(f"there is no type for {schema}")


FILES: dict[str, Callable[[], str]] = {
    "docs/protocols/levels.md": levels_page,
    "docs/protocols/query.md": query_page,
    "docs/protocols/patterns.md": patterns_page,
    "static/js/logs/pattern_tables.js": pattern_tables,
    "static/js/logs/query/query_tables.js": query_tables,
    "static/js/logs/seen_tables.js": seen_tables,
    "static/js/types/api.d.ts": api_types,
}


def main() -> None:
    """Write those that have changed."""
    for path, make in FILES.items():
        file, text = ROOT / path, make()
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"{path} was made again")


if __name__ == "__main__":
    main()
