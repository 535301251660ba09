"""The language of filters and the fields of lines, by the table that the pages are held to as well."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.domain.levels import LEVELS
from cloudbang.domain.query import QueryError, Term, fields_of, levels_of, parse, written
from cloudbang.domain.query.access_tables import NAMES, WAYS
from cloudbang.domain.query.fields import FIELDS_AT_MOST
from cloudbang.domain.query.language import LONGEST, TERMS
from cloudbang.domain.query.quantities import compare, quantity
from cloudbang.domain.query.wanted import fits

TABLE = json.loads((Path(__file__).parents[1] / "data" / "query.json").read_text("utf-8"))


def told(term: Term) -> dict[str, Any]:
    """A term as the table has it: without what is as ever."""
    found: dict[str, Any] = {"kind": term.kind, "text": term.text}
    if term.name:
        found["name"] = term.name
    if term.negated:
        found["negated"] = True
    if term.op != "=":
        found["op"] = term.op
    if term.pieces:
        found["pieces"] = list(term.pieces)
    if term.levels:
        found["levels"] = [one for one in (*LEVELS, "none") if one in term.levels]
    return found


@pytest.mark.parametrize(("query", "terms"), TABLE["terms"])
def test_a_query_is_read_as_the_table_says(query: str, terms: list[dict[str, Any]]) -> None:
    assert [told(term) for term in parse(query)] == terms


def test_a_term_knows_where_it_stands() -> None:
    query = ' -a:b  "c d"'
    assert [query[term.at : term.end] for term in parse(query)] == ["-a:b", '"c d"']


@pytest.mark.parametrize(("query", "left"), TABLE["levels"])
def test_terms_leave_levels(query: str, left: list[str] | None) -> None:
    assert levels_of(parse(query)) == (None if left is None else set(left))


@pytest.mark.parametrize(("query", "code", "at", "part"), TABLE["errors"])
def test_what_is_wrong_is_said_with_its_place(query: str, code: str, at: int, part: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    error = caught.value
    assert (error.code, error.at, error.part) == (code, at, part)


def test_a_query_is_bounded() -> None:
    with pytest.raises(QueryError):
        parse("x" * (LONGEST + 1))
    assert len(parse("x " * TERMS)) == TERMS
    with pytest.raises(QueryError):
        parse("x " * (TERMS + 1))


@pytest.mark.parametrize(("text", "term"), TABLE["written"])
def test_words_are_written_as_a_term(text: str, term: str) -> None:
    assert written(text) == term


@settings(max_examples=300)
@given(st.text('ab -:"/\\*.>=1 ', min_size=1, max_size=12))
def test_any_words_can_be_written_as_a_term(text: str) -> None:
    """And no query is anything else than read or refused."""
    [term] = parse(written(text))
    assert (term.kind, term.text, term.negated) == ("text", text, False)
    with suppress(QueryError):
        parse(text)


@pytest.mark.parametrize(("line", "fields"), TABLE["fields"])
def test_the_fields_of_a_line(line: str, fields: list[list[str]]) -> None:
    assert [list(field) for field in fields_of(line)] == fields


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_ways_to_write_a_request(way: Any) -> None:
    assert fields_of(way.example) == list(way.fields)
    assert {name for name, _ in way.fields} <= set(NAMES)
    assert fields_of(way.counter) == []


def test_fields_are_bounded() -> None:
    many = json.dumps({f"k{i}": list(range(100)) for i in range(100)})
    assert len(fields_of(many)) == FIELDS_AT_MOST
    assert len(fields_of(" ".join(f"k{i}={i}" for i in range(2000)))) == FIELDS_AT_MOST


@pytest.mark.parametrize(
    "piece", ["a=", '"', 'a="\\', '{"', "GET /", "0 200 1 ", "1.1.1.1", "::", ",a"]
)
def test_no_line_takes_long(piece: str) -> None:
    """What takes longer than linear time would not end here."""
    fields_of(piece * 60_000)


@pytest.mark.parametrize(("text", "limit", "at_least"), TABLE["quantities"])
def test_quantities_are_compared(text: str, limit: str, at_least: bool | None) -> None:
    found, least = quantity(text), quantity(limit)
    assert least is not None
    order = None if found is None else compare(found, least)
    assert (None if order is None else order >= 0) is at_least


@given(st.lists(st.text("ab", max_size=2), min_size=1, max_size=4), st.text("abc", max_size=8))
def test_wildcards(pieces: list[str], text: str) -> None:
    import re

    assert fits(pieces, text) is (re.fullmatch(".*".join(pieces), text) is not None)
