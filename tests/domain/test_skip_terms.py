"""A block has the terms of all that is found in its lines, however they were written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.domain.query import QueryError
from cloudbang.domain.query.fields import LOOKED_AT, fields_of
from cloudbang.domain.skip_terms import (
    Needs,
    id_terms,
    needs_of,
    needs_of_all,
    terms_of_block,
    word_terms,
)
from cloudbang.errors import BadRequest
from cloudbang.storage.logs.block_search import BlockSearch
from cloudbang.web.api.query_match import entry_filter, terms_of
from cloudbang.web.api.search import matcher, with_wildcards
from tests.storage.logs.records import line
from tests.storage.logs.text_ways import JOINTS, WAYS, WORDS, as_json, texts_of

words = st.sampled_from(
    (
        *(*WORDS, "refused", "4bf92f3577b34da6a3ce929d0e0e4736", "7f3a2b9c", "\u212aelvin"),
        *("mi\u017fs", "VAL\u0130D", "3f2a1b2c-1111-2222-3333-abcdefabcdef", "한국"),
        *("\u1112\u1161\u11ab", "=\u0338", "req7f3a2b", "N1"),
    )
)
joints = st.sampled_from(
    (
        *(*JOINTS, "\t", "'", "\\n", "\\u0041", "0", "é", "_", "}", " a=", "\x1b[2K"),
        *("\ufffd", ","),
    )
)


def _as_wide_json(text: str) -> str:
    return json.dumps({"level": "info", text: "x", "n": text}, ensure_ascii=False)


def _behind(text: str) -> str:
    return f"\x1b[32minfo\x1b[0m shop {as_json(text)}"


def _logfmt(text: str) -> str:
    return f"time=1 msg=\"{text}\" order={text} b='{text}'"


def _request(text: str) -> str:
    return f'10.0.0.7 - bob [01/Feb/2026:09:00:00 +0000] "GET /{text} HTTP/1.1" 200 17 "-" "{text}"'


def _long(text: str) -> str:
    return "  x=" + "y" * (LOOKED_AT - 8) + f" a={text}"


texts = texts_of(words, joints, (*WAYS, _as_wide_json, _behind, _logfmt, _request, _long))
raw_texts = st.one_of(texts, st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"")))
pieces = st.builds(lambda word, a, b: word[a:b], words, st.integers(0, 12), st.integers(1, 40))
queries = st.one_of(
    words, pieces, st.builds(lambda a, b, c: a + b + c, st.one_of(words, pieces), joints, pieces)
)


def _lines(written: list[str | bytes]) -> list[bytes]:
    return [line(text, at) for at, text in enumerate(written)]


def _surely_missing(lines: list[bytes], needs: Needs) -> bool:
    """As a part of a skip index says it, but of whole numbers."""
    terms = terms_of_block(b"".join(lines))
    has = {term for word in terms.words for term in word_terms(word)}
    ids = {term for one in terms.ids for term in id_terms(one)}
    return not has.issuperset(needs.words) or any(
        term not in ids for term, longest in needs.ids if not longest or terms.longest <= longest
    )


def _finds(lines: list[bytes], match: object) -> bool:
    assert isinstance(match, BlockSearch)
    return any(match(raw) for raw in lines)


@settings(max_examples=400, deadline=None)
@given(st.lists(raw_texts, max_size=5), queries, st.booleans())
def test_what_is_found_has_its_terms(written: list[str | bytes], q: str, case: bool) -> None:
    lines = _lines(written)
    match = matcher(q, case=case)
    if match is not None and _finds(lines, match):
        assert not _surely_missing(lines, match.needs)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(raw_texts, max_size=4),
    st.one_of(
        st.builds(
            lambda a, how, b: a + how + b,
            pieces,
            st.sampled_from(
                (".*", "[0-9]+", "(?:a|b)?", "\\d", "+", "?", "|", "{1,2}", ".", "(?i)", "\\b", " ")
            ),
            pieces,
        ),
        st.builds(lambda a: "(?i)" + a, queries),
    ),
    st.booleans(),
)
def test_what_an_expression_finds_has_its_terms(
    written: list[str | bytes], q: str, case: bool
) -> None:
    lines = _lines(written)
    try:
        match = matcher(q, regex=True, case=case)
    except BadRequest:
        return
    if match is not None and _finds(lines, match):
        assert not _surely_missing(lines, match.needs)


@settings(max_examples=300, deadline=None)
@given(st.lists(raw_texts, max_size=4), st.lists(pieces, min_size=1, max_size=3))
def test_what_a_rule_finds_has_its_terms(written: list[str | bytes], parts: list[str]) -> None:
    lines = _lines(written)
    text = "*".join(parts)
    if text.strip("*") and _finds(lines, match := with_wildcards(text)):
        assert isinstance(match, BlockSearch)
        assert not _surely_missing(lines, match.needs)


@settings(max_examples=400, deadline=None)
@given(st.lists(texts, min_size=1, max_size=4), st.data())
def test_lines_of_a_field_have_its_terms(written: list[str], data: st.DataObject) -> None:
    """Fields as they are read off these lines, whole, with a part left out, by name and compared."""
    lines = _lines(list(written))
    fields = [one for text in written for one in fields_of(text) if one[0]]
    if not fields:
        return
    name, value = data.draw(st.sampled_from(fields))
    cut = data.draw(st.integers(0, len(value)))
    asked = data.draw(
        st.sampled_from(
            (f'"{value}"', "*", f'"{value[:cut]}"*', f'*"{value[cut:]}"', ">0", "<=200")
        )
    )
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    try:
        terms = terms_of(f'"{quoted}":{asked}')
        match, _ = entry_filter(terms)
    except (BadRequest, QueryError):
        return
    if isinstance(match, BlockSearch) and _finds(lines, match):
        assert not _surely_missing(lines, match.needs)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("refused", "payment-7f3a accepted"),
        ("payment-7f3a refused", "payment of 7f3a refunded"),
        ('"status": 503', "state: 503"),
        ("4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e4737"),
        ("trace=4bf92f35", "trace=4bf92e3577b34da6a3ce929d0e0e4736"),
        ("库存不足", "库存不够"),
        ("支付", "支取 交付"),
        ("user_id", "userid"),
    ],
)
def test_what_is_not_there_is_mostly_known(text: str, missing: str) -> None:
    assert _surely_missing([line(missing)], needs_of(text))
    assert not _surely_missing([line(f"so {text} then")], needs_of(text))


def test_of_short_texts_nothing_is_known() -> None:
    for text in ("", "a", "abc", "17", "7f3a", "é", "=", "\n"):
        assert not needs_of(text)
    assert needs_of_all(("refused", "accepted")) == needs_of("refused").and_these(
        needs_of("accepted")
    )


def test_what_may_go_on_is_only_asked_of_blocks_without_longer_ids() -> None:
    short, long = line("id 7f3a2b9d"), line("id 4bf92f3577b34da6a3ce929d0e0e4736")
    assert _surely_missing([short], needs_of("7f3a2b9c"))
    assert not _surely_missing([short, long], needs_of("7f3a2b9c"))
    assert _surely_missing([short, long], needs_of("7f3a2c9c", begins=True))
