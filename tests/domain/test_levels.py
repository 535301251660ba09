"""The level a line gives itself."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain import traces
from cloudbang.domain.first_sets import ASCII, first_set
from cloudbang.domain.levels import LEVELS, json_lines, level_of, text_lines, text_tables
from cloudbang.domain.levels.way import Way
from tests.domain.log_formats import read_formats

TABLES = (
    *json_lines.examples(),
    *text_tables.STARTS,
    *text_tables.HEADS,
    *text_tables.NAMED,
    *text_tables.NAMES,
    *text_tables.BRACKETS,
    *text_tables.BEHIND_TIME,
    *text_tables.SENTENCES,
    *text_tables.SHAPES,
    *text_tables.ENDINGS,
    *text_tables.PAIRS,
    *text_tables.PREFIXES,
)

# Judged otherwise by a person, and left: what each would cost elsewhere is more.
OTHERWISE = {
    "Nov 28, 2026 10:00:00 AM org.apache.catalina.startup.Catalina start": "its entry has it from the second line",
    "ORA-01034: ORACLE not available": "the codes of one program",
    '2026-11-28 10:00:00 +0000 Rack app ("GET /" - (127.0.0.1)): #<RuntimeError: boom>': "a sentence of one server",
    "2026-11-28T10:00:00.123Z app:db debug connected": "nothing but a bare word tells it",
    "/app/index.js:3": "its entry has it from the caret below",
}


@pytest.mark.parametrize("way", TABLES, ids=lambda way: way.name)
def test_rows_of_the_tables(way: Way) -> None:
    """The example of a row has its level, and what only looks like it has another."""
    assert level_of(way.example) == way.level
    assert level_of(way.example.encode()) == way.level
    assert level_of(way.counter) == way.counter_level


@pytest.mark.parametrize("name", ["programs.txt", "other_programs.txt", "later_programs.txt"])
def test_lines_of_programs(name: str) -> None:
    """Each line of common programs has the level that a person would give it."""
    wrong = [
        f"{program}: {line.text} is {level_of(line.text)}"
        for program, lines in read_formats(name).items()
        for line in lines
        if not line.continues and line.text not in OTHERWISE and level_of(line.text) != line.level
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("\x1b[31mERROR\x1b(B\x1b[m: queue is full", "error"),
        ("\x1b[?1h\x1b=fail: Shop.Api[3]", "error"),
        ("\ufeffINFO x", "info"),
        ('\ufeff{"level":"error","msg":"no stock"}', "error"),
        ('{"msg":"' + "x" * 2100 + '","level":"error"}', "error"),
        ('{"msg":"' + "x" * 40_000 + '","level":"error"}', None),
        ('{"level":"error","msg":"' + "x" * 40_000 + '"}', "error"),
        ('{"level":"error","msg":"cut in the midd', "error"),
        ('{"msg":"x","data":{"level":"error"},"lev', None),
        ('{"a":' * 5_000, None),
        ('{"level":true,"msg":"x"}', None),
        ('{"level":30.0,"msg":"x","time":1}', "info"),
        ('{"level":"[error]","msg":"x"}', "error"),
        ('{"level":"info","loss":NaN,"msg":"x"}', "info"),
        ('{"message":"2026-02-01 09:00:00 WARN slow","stream":"stderr"}', "warning"),
        ('{"message":"said ERROR","stream":"stderr"}', None),
        ('{"message":"{\\"level\\":\\"error\\"}"}', None),
        ('{"level":[1],"msg":"x"}', None),
        ("{not json} ERROR", None),
        ("2026-02-01 09:00:00 {worker} ERROR x", "error"),
        ("", None),
        (" ", None),
        ("[", None),
        ("level=", None),
    ],
)
def test_what_is_odd(text: str, level: str | None) -> None:
    """Escapes and marks are not seen; what is cut, deep, long or empty has the level it shows."""
    assert level_of(text) == level


@given(st.binary(max_size=3000))
def test_any_bytes(raw: bytes) -> None:
    """Whatever a container writes, the answer is a level or nothing, never an error."""
    assert level_of(raw) in (*LEVELS, None)


@given(st.text(alphabet="[]{}()<>|:=-.,/\\ \t\"'0129ERORerorWARNTZ{\x1b\u2a2f", max_size=200))
def test_any_head(text: str) -> None:
    """Whatever stands before a message."""
    assert level_of(text) in (*LEVELS, None)


@given(st.text(max_size=200))
def test_any_json(text: str) -> None:
    """A level field holding anything at all does not break a JSON line."""
    assert level_of(json.dumps({"level": text, "msg": text})) in (*LEVELS, None)


@pytest.mark.parametrize(
    "part",
    ["x ", "x", "[", "a=", "a:", "at ", "1 ", "\\", 'a="', '{"a":"x', "- ", "a.b::", "(", "Error"],
)
def test_one_megabyte_costs_no_more_than_its_start(part: str) -> None:
    """A huge line is judged by its first characters: a hundred of 1 MB take well under a second."""
    huge = part.encode() * (1_000_000 // len(part))
    start = time.process_time()
    for _ in range(100):
        level_of(huge)
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize("name", ["programs.txt", "found_lines_a.txt"])
def test_rows_that_may_begin_so_find_what_all_of_them_find(name: str) -> None:
    """Wherever in a line they are looked for."""
    lines = [line.text for lines in read_formats(name).values() for line in lines][::2]
    for table in (text_lines.STARTS, text_lines.HEADS, text_lines.SENTENCES, text_lines.SHAPES):
        for line in lines:
            for at in range(min(len(line), 40)):
                found, whole = table.match(line, at), table.whole(line, at)
                assert (found is None) == (whole is None), line[at:]
                if found and whole:
                    assert table.row(found) == table.row(whole), line[at:]
                    assert found.span() == whole.span(), line[at:]


@pytest.mark.parametrize("name", ["programs.txt", "found_lines_a.txt"])
def test_frames_that_may_begin_so_find_what_all_of_them_find(name: str) -> None:
    """The first row in order is the one that counts."""
    rows = [(re.compile(row.pattern), row.language) for row in traces.FRAMES]
    anywhere = [(re.compile(row.pattern), row.language) for row in traces.ANYWHERE.values()]
    for line in (line.text for lines in read_formats(name).values() for line in lines):
        languages = [language for row, language in (*rows, *anywhere) if row.match(line)]
        assert traces.frame(line) == (languages[0] if languages else ""), line


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        ("abc|(?:d|e?)f", "adef"),
        ("(?i:a)b", "aA"),
        (r"(?!x)[b-d]", "bcd"),
        (r"\d{0,2}-", "0123456789-"),
        ("(?:x*+)y", "xy"),
    ],
)
def test_what_an_expression_may_begin_with(pattern: str, first: str) -> None:
    """What may be left out is left out, and what only looks does not count."""
    assert first_set(pattern) == set(first)


def test_what_may_be_nothing_may_begin_with_anything() -> None:
    """And so does what is not known."""
    assert first_set("a?") == first_set(r"(a)?\1b") == ASCII
    assert first_set("[^a]") == ASCII - {"a"}
