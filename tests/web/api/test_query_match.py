"""Queries at work: on lines as the table says, and on blocks as on lines."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.domain.levels import level_of
from cloudbang.domain.query import parse
from cloudbang.domain.query.numbers_written import in_text
from cloudbang.domain.query.wanted import field_holds
from cloudbang.errors import BadRequest
from cloudbang.storage.logs.block_search import BlockSearch, hits
from cloudbang.storage.logs.entry_pages import NO_LEVEL
from cloudbang.web.api.query_match import BadQuery, entry_filter, terms_of
from tests.storage.logs.records import line

TABLE = json.loads((Path(__file__).parents[2] / "data" / "query.json").read_text("utf-8"))
ROWS = TABLE["rows"]
LINES = [text for row in ROWS for text in (*row["finds"], *row["leaves"])]


def finds(query: str, text: str) -> bool:
    """Whether an entry of one line is found."""
    match, levels = entry_filter(terms_of(query))
    raw = line(text)
    if levels is not None and (level_of(text.encode()) or NO_LEVEL) not in levels:
        return False
    if match is None:
        return True
    assert isinstance(match, BlockSearch)
    return match(raw) and (match.entry is None or match.entry([raw]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["query"])
def test_a_query_finds_what_the_table_says(row: dict[str, Any]) -> None:
    for text in row["finds"]:
        assert finds(row["query"], text), text
    for text in row["leaves"]:
        assert not finds(row["query"], text), text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["query"])
def test_a_look_at_blocks_finds_the_same(row: dict[str, Any]) -> None:
    """In a block without escapes, in one with colours, and in one that is JSON with escapes."""
    terms = terms_of(row["query"])
    match, levels = entry_filter(terms)
    plain = [text for text in LINES if "\x1b" not in text and "\\u" not in text]
    for texts in (LINES, plain):
        lines = [line(text, at) for at, text in enumerate(texts)]
        if isinstance(match, BlockSearch):
            _same(lines, match)
    if match is None:
        assert levels


numbers = st.one_of(
    st.integers(-50, 12_000).map(str),
    st.floats(0, 2_000).map(lambda number: f"{number:.2f}"),
    st.sampled_from(["5e2", "0500", ".5", "+7", "1.", "-0", "1e3", "99999999", "7%"]),
    st.builds(
        lambda n, unit: f"{n}{unit}",
        st.integers(0, 2_000),
        st.sampled_from(["ms", "s", " ms", "µs", "m", "B", "kB", "MiB", "G", "h2m", "m3s"]),
    ),
)
limits = st.sampled_from(
    [
        "0",
        "1",
        "7",
        "10",
        "99",
        "500",
        "503",
        "999",
        "1000",
        "4.5",
        "-3",
        "100ms",
        "1s",
        "1m",
        "2kB",
        "1MiB",
        "0s",
    ]
)


@settings(max_examples=300)
@given(numbers, limits, st.sampled_from([">", ">=", "<", "<=", "..", "a"]))
def test_numbers_are_found_in_blocks(number: str, limit: str, op: str) -> None:
    """However a number is written that is wanted, it is found before lines are read."""
    value = f"..{limit}" if op == ".." else f"{limit}.." if op == "a" else f"{op}{limit}"
    [term] = parse(f"n:{value}")
    if field_holds(term, [("n", number)]):
        assert re.match(in_text(term).replace("(?m:$)", "$"), number, re.IGNORECASE), (
            number,
            in_text(term),
        )
    match, _ = entry_filter([term])
    assert isinstance(match, BlockSearch)
    written = json.dumps(number)
    _same(
        [
            line(f'{{"n":{written}}}'),
            line(f"n={number}", 1),
            line(f'{{"a":{{"n": {written} }}}}', 2),
        ],
        match,
    )


def test_a_place_in_the_query_is_told() -> None:
    with pytest.raises(BadQuery) as caught:
        terms_of("refused status:>=5oo")
    assert caught.value.at == 17
    assert "5oo" in str(caught.value)
    assert "18" in str(caught.value)
    with pytest.raises(BadRequest):
        entry_filter(terms_of("/(/"))


def test_terms_may_hold_in_different_lines_of_an_entry() -> None:
    match, levels = entry_filter(terms_of("level:error Payment -retried refused"))
    assert levels == {"error"}
    assert isinstance(match, BlockSearch)
    assert match.entry
    whole = [line("ERROR payment failed"), line("  at Shop.pay", 1), line("Caused by: refused", 2)]
    assert match.entry(whole)
    assert any(match(raw) for raw in whole)
    assert not match.entry([*whole, line("retried", 3)])
    assert not match.entry(whole[:2])


def test_levels_are_restricted_from_both_sides() -> None:
    assert entry_filter(terms_of("level:>=warning"), frozenset(("error", "info")))[1] == {"error"}
    _, none = entry_filter(terms_of("level:warning"), frozenset(("error",)))
    assert none
    assert not none & {"trace", "debug", "info", "warning", "error", "none"}
    assert not finds("level:warning level:error", "ERROR x")


def _same(lines: list[bytes], search: BlockSearch) -> None:
    plain = b"".join(lines)
    found = [(hit.number, plain[hit.start : hit.stop + 1]) for hit in hits(search, plain)]
    assert found == [(at, raw) for at, raw in enumerate(lines) if search(raw)]
