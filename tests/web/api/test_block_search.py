"""A look at a whole block finds the lines that a look at each line finds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.domain.search_text import required
from cloudbang.errors import BadRequest
from cloudbang.storage.logs.block_search import MANY, BlockSearch, EmptyBlocks, hits
from cloudbang.web.api.search import matcher
from tests.storage.logs.records import line
from tests.storage.logs.text_ways import JOINTS, WAYS, WORDS, as_json, texts_of

words = st.sampled_from(WORDS)
joints = st.sampled_from((*JOINTS, '": ', "/"))


def _behind(text: str) -> str:
    return f"{text} {as_json(text)}"


def _said(text: str) -> str:
    return f'he said "{text}" of {{"order":17}}'


texts = texts_of(words, joints, (*WAYS, _behind, _said))
queries = st.one_of(
    words,
    st.builds(lambda a, b, c: a + b + c, words, joints, words),
    st.builds(lambda a, b, c, d: f"{a}{b}{c[:4]}{d}", joints, words, words, joints),
    st.sampled_from(
        (
            "e",
            "rder",
            "msg=order",
            'order" of order=1',
            'said "order',
            "stdout",
            "2026",
            "level=info",
            "17",
            "\ufffd",
            "é",
        )
    ),
)
expressions = st.sampled_from(
    (
        *("order|stock", "^order", "order$", r"o.der", r"\d+", "[^a]+order", "(?i)ORDER-1[0-9]"),
        *("caf.", r"\bpay\b", "(order){1,2}", "order{2,3}", "x*", "库存.足", "r{1}der", "(?s)a.b"),
        *(
            '"msg": "order',
            '"order.*17',
            'order": ?[0-9"]',
            r"order\\",
            "order.*stock",
            "Order-17.*caf.",
        ),
        *(r"\Aorder", r"order\z", "[[:alpha:]]+-17", "order+-?", r"10\.0", "^.order", "^$", "."),
    )
)


def _plain(lines: list[bytes]) -> bytes:
    return b"".join(lines)


@settings(max_examples=150)
@given(st.lists(texts, max_size=12), queries, st.booleans())
def test_words_are_found_however_they_are_written(written: list[str], q: str, case: bool) -> None:
    _same([line(text, at) for at, text in enumerate(written)], matcher(q, case=case))


@settings(max_examples=150)
@given(st.lists(texts, max_size=12), expressions, st.booleans())
def test_expressions_find_the_same_in_a_block(written: list[str], q: str, case: bool) -> None:
    _same([line(text, at) for at, text in enumerate(written)], matcher(q, regex=True, case=case))


def test_bytes_that_are_no_text_are_looked_at() -> None:
    lines = [line("a", 0)[:-1] + b"\xff\xfe order \x00\n", line("b", 1)]
    for search in (matcher("order"), matcher("a..order", regex=True), matcher(".", regex=True)):
        _same(lines, search)


def test_quotes_before_json_are_seen_without_a_backslash() -> None:
    """They stand in what is before the object, and beside what is made of it."""
    for text in (
        'he said "order" of {"n":17}',
        '{x "order" \r said "order" of {"n":17}',
        ' "order" of {"n":17}',
    ):
        for q, regex in (('"order" of n=17', False), ('"order" of n=[0-9]', True)):
            search = matcher(q, regex=regex)
            assert search is not None
            assert search(line(text)), text
            _same([line('{"n":17}'), line(text, 1)], search)


def test_what_is_quoted_decodes_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quotation mark is seen only where one stood behind a backslash, and of two words both stand in
    the line: what has them elsewhere is told apart by its bytes."""
    decoded: list[bytes] = []

    def seen_bytes(text: bytes) -> bytes:
        decoded.append(text)
        return text

    monkeypatch.setattr("cloudbang.domain.seen_text.seen_bytes", seen_bytes)
    texts = [
        json.dumps({"msg": "stored", "status": 200, "n": at}, separators=(",", ":"))
        for at in range(90)
    ]
    texts[40] = json.dumps({"msg": 'it said "status": 2, then \n', "n": 503}, separators=(",", ":"))
    lines = [line(text, at) for at, text in enumerate(texts)]
    for q, regex in (('"status": 200', False), ("status=503", False), ('"status": ?20[1-9]', True)):
        search = matcher(q, regex=regex)
        assert not list(hits(search, b"".join(lines[:40])))
        assert not decoded
        _same(lines, search)
        assert set(decoded) <= {texts[40].encode()}
        decoded.clear()


@pytest.mark.parametrize("often", [1, 3, 5, 40])
def test_where_much_is_found_each_line_is_looked_at(often: int) -> None:
    """Also where the frame of each line holds what is looked for, and its text does not."""
    lines = [line("order" if at % often == 0 else "stdout", at) for at in range(10 * MANY)]
    for q in ("order", "stdout", "2026", "0"):
        _same(lines, matcher(q))


def _same(lines: list[bytes], search: object) -> None:
    assert isinstance(search, BlockSearch)
    plain = b"".join(lines)
    found = [(hit.number, plain[hit.start : hit.stop + 1]) for hit in hits(search, plain)]
    assert found == [(at, raw) for at, raw in enumerate(lines) if search(raw)]


def test_what_an_expression_needs() -> None:
    """The longest text that is surely there; nothing where that is not known."""
    for expression, needs in {
        "order": "order",
        "order|stock": "",
        "(order|stock) lost": " lost",
        "ab+cd": "ab",
        "abc?def": "def",
        "ab{0,2}cdef": "cdef",
        "x{a": "x{a",
        r"a\.b\d+cc": "a.b",
        "[]a]bcd[[:digit:]]": "bcd",
        r"\Qa|b\E": "",
        "(?i)abc": "abc",
        "(a[)])bcd": "bcd",
    }.items():
        assert required(expression) == needs, expression


@given(st.text("ab.*+?()[]{}|\\^$0,1:i-", max_size=9), st.text("ab01", max_size=6))
@settings(max_examples=400)
def test_what_an_expression_needs_is_in_all_it_finds(expression: str, text: str) -> None:
    try:
        found = matcher(expression, regex=True)
    except BadRequest:
        return
    if found is not None and found(line(text)):
        assert required(expression).lower() in text.lower()
        _same([line("b"), line(text, 1), line("", 2)], found)


def test_empty_blocks_are_known_to_longer_words() -> None:
    """What finds nothing tells of every search whose lines it would have found."""
    empty, short = EmptyBlocks(), matcher("Ord")
    assert isinstance(short, BlockSearch)
    empty.add("one", short, 3)
    assert empty.of("one", short) == {3}
    assert empty.of("one", matcher("ORDER")) == {3}
    assert empty.of("one", matcher("order", case=True)) == {3}
    assert empty.of("two", short) == set()
    for other in (matcher("or"), matcher("order", regex=True), None):
        assert empty.of("one", other) == set()
    sensitive = matcher("ord", case=True)
    assert isinstance(sensitive, BlockSearch)
    empty.add("one", sensitive, 6)
    assert empty.of("one", short) == {3}
