"""The text of a line as it is seen: one definition, for the server and (by the same vectors) for the pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.json_line import DEEPEST, LONGEST, read_object
from cloudbang.domain.seen_text import found_in, hints_of, plain_text, seen_bytes, seen_text

VECTORS = json.loads((Path(__file__).parent.parent / "data" / "seen.json").read_text("utf-8"))

ODD = st.text(alphabet='\x1b[]{}()0;:?mGK\\"u01 aé\u0301云\r\n\ufeff=.,@', max_size=60)
WRITTEN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from(["msg", "Message", "@mt", "fields", "error", "event", "k", "@r"]), WRITTEN
)
LINES = ODD | FIELDS.map(json.dumps) | FIELDS.map(lambda one: json.dumps(one, ensure_ascii=False))


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["text"][:40])
def test_what_is_seen(case: dict[str, str]) -> None:
    """The same as text, as bytes, and in the page (tests/js/logs/seen_text.test.js)."""
    assert seen_text(case["text"]) == case["seen"]
    assert plain_text(case["text"]) == case["plain"]
    assert seen_bytes(case["text"].encode()) == case["seen"].encode()


@given(LINES)
def test_bytes_and_text_say_the_same(line: str) -> None:
    """Whatever a container writes; and what is seen can always be sent."""
    assert seen_bytes(line.encode()).decode() == seen_text(line)


@given(st.binary(max_size=300))
def test_any_bytes(line: bytes) -> None:
    """What is no UTF-8 is seen as the rows show it."""
    assert seen_bytes(line).decode() == seen_text(line.decode("utf-8", "replace"))


def test_a_line_that_needs_nothing_is_itself() -> None:
    """Nothing is copied: that it is the same object tells a search not to look twice."""
    for line in (b"2026-02-01 INFO ready", "库存不足".encode(), b"call {a} done", b""):
        assert seen_bytes(line) is line


@given(LINES, st.data())
def test_what_is_seen_is_found_whatever_is_ruled_out(line: str, data: st.DataObject) -> None:
    """Lines that are not decoded, because they cannot hold what is looked for, do not."""
    seen = seen_text(line)
    start = data.draw(st.integers(0, len(seen)))
    wanted = seen[start : start + data.draw(st.integers(1, 12))].encode()
    small = wanted.lower()
    assert found_in(line.encode(), lambda text: wanted in text, hints_of(wanted.decode()))
    assert found_in(line.encode(), lambda text: small in text.lower(), hints_of(small.decode()))


def test_a_line_is_found_by_what_is_seen_and_by_how_it_was_written() -> None:
    """Both, and nothing else."""
    line = rb'{"level":"info","msg":"done","status":503,"note":"\u5e93\u5b58"}'
    for q in ("status=503", '"status":503', "库存", "\\u5e93"):
        assert found_in(line, lambda text, q=q: q.encode() in text, hints_of(q)), q
    assert not found_in(line, lambda text: b"504" in text, hints_of("504"))


def test_json_is_read_to_a_depth_and_a_length() -> None:
    """What is deeper or longer is text, in the page as here."""
    deep = "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)
    assert read_object(f'{{"x":{deep}}}') is not None
    assert read_object(f'{{"x":[{deep}]}}') is None
    assert read_object('{"x":' + "[" * 100_000 + "]" * 100_000 + "}") is None
    assert read_object(f'{{"x":"{"a" * (LONGEST - 8)}"}}') is not None
    assert read_object(f'{{"x":"{"a" * LONGEST}"}}') is None
    assert read_object(f'{{"x":"{"😀" * (LONGEST // 2)}"}}') is None
