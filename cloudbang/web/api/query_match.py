"""Queries at work on records: in blocks first, then on the lines in which something was found.

Of the terms that have to hold one is looked for, the one that most likely finds the least. It says
where entries are found (so that pages that meet give each once), and what all of the terms together
say of an entry decides: each holds for one of its lines, and of those with ``-`` none does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cloudbang.domain import search_text
from cloudbang.domain.lines import TEXT_AT
from cloudbang.domain.query import QueryError, Term, field_holds, fields_of, levels_of, parse
from cloudbang.domain.query.access_tables import NAMES, SIGN
from cloudbang.domain.query.fields import Field
from cloudbang.domain.query.language import EVERY
from cloudbang.domain.query.numbers_written import in_text
from cloudbang.domain.seen_text import NO_HINTS, parts_of, rules_out
from cloudbang.domain.skip_terms import NOTHING, Needs, needs_of, needs_of_all
from cloudbang.errors import BadRequest
from cloudbang.storage.logs.block_search import BlockSearch, Expression, Match
from cloudbang.web.api.quick_field import quick_test
from cloudbang.web.api.search import by_block, by_text, compiled, tried

NO_SUCH_LEVEL = frozenset(("",))
"""Of entries: none is wanted."""


class BadQuery(BadRequest):
    """A query that cannot be understood. ``at``: where, in characters; ``place`` counts from 1."""

    title = "A query that cannot be understood"
    sentence = "the query is longer than 1,000 characters"
    told = ("at", "part", "mistake")
    # The pages say the same: static/js/logs/query/errors.js.
    variants = {  # noqa: RUF012
        ("mistake", "too-many"): "at character {place}: a query has at most 50 terms",
        ("mistake", "no-end"): "at character {place}: the quote before {part} has no end",
        ("mistake", "behind"): "at character {place}: a blank is missing before {part}",
        ("mistake", "nothing"): "at character {place}: there is nothing between the quotes",
        ("mistake", "no-value"): (
            "at character {place}: a value is missing behind {part}; in quotes it is looked for as text"
        ),
        ("mistake", "no-number"): ("at character {place}: {part} is no number, duration or size"),
        ("mistake", "no-level"): (
            "at character {place}: {part} is no level; there are trace, debug, info, warning, error and none"
        ),
        ("mistake", "turned"): "at character {place}: {part} ends before it begins",
    }

    def __init__(self, name: str, query: str, mistake: str, at: int, part: str) -> None:
        self.mistake, self.at, self.place, self.part = mistake, at, at + 1, part
        super().__init__(name, query, "")


def terms_of(query: str, name: str = "query") -> list[Term]:
    """The terms of a query. Raises BadQuery."""
    try:
        return parse(query)
    except QueryError as e:
        raise BadQuery(name, query, e.code, e.at, e.part) from None


def entry_filter(
    terms: Sequence[Term], levels: frozenset[str] | None = None
) -> tuple[Match | None, frozenset[str] | None]:
    """What finds entries in which all of the terms hold, and their levels (which may be restricted
    besides); None for what is not asked for. Raises BadRequest."""
    chosen = levels_of(terms)
    if chosen is not None:
        levels = (chosen if levels is None else chosen & levels) or NO_SUCH_LEVEL
    if levels == EVERY:
        levels = None
    looked_for = [term for term in terms if term.kind != "level"]
    return (_match_of(*looked_for) if looked_for else None), levels


def _match_of(*terms: Term) -> BlockSearch:
    tests = [_Test.of(term) for term in terms]
    made = (_match_of, terms)
    wanted = [test for test in tests if not test.negated]
    least = max(wanted, key=lambda test: test.worth, default=None)

    def entry(records: Sequence[bytes]) -> bool:
        lines = [_Line(raw) for raw in records]
        return all(any(map(test.holds, lines)) != test.negated for test in tests)

    if least is None:
        return BlockSearch(_any, _each, ("entry",), entry=entry, made=made)
    folded = least.holds_text
    holds = least.holds
    needs_entry = entry if len(tests) > 1 else None
    return BlockSearch(
        lambda raw: holds(_Line(raw)), least.block, ("term", least.key), folded, folded,
        needs=least.needs, entry=needs_entry, made=made,
    )  # fmt: skip


def _any(_: bytes) -> bool:
    return True


def _each(_: bytes) -> Expression | None:
    return None


class _Line:
    """A record of which the fields are read once, if somebody asks for them."""

    __slots__ = ("_fields", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._fields: list[Field] | None = None

    @property
    def fields(self) -> list[Field]:
        if self._fields is None:
            self._fields = fields_of(self.raw[TEXT_AT:-1].decode("utf-8", "replace"))
        return self._fields


@dataclass(frozen=True)
class _Test:
    """A term at work. ``worth``: how much looking for it is likely to leave out; ``block``: see
    ``BlockSearch``; ``holds_text``: what stands in every line that it holds for, folded, and in no other; ``needs``: the
    terms of each block in which there is such a line."""

    negated: bool
    key: str
    worth: int
    holds: Callable[[_Line], bool]
    block: Callable[[bytes], Expression | None]
    holds_text: str = ""
    needs: Needs = NOTHING

    @classmethod
    def of(cls, term: Term) -> _Test:
        """Raises BadRequest."""
        key = repr(replace(term, negated=False, at=0, end=0))
        if term.kind == "field":
            return cls._of_field(term, key)
        regex = term.kind == "regex"
        finds = by_text(term.text, regex, term.case)
        part = search_text.required(term.text) if regex else term.text
        return cls(
            term.negated, key, 2 * len(search_text.stable(part)) + (not regex),
            lambda line: finds(line.raw), by_block(term.text, regex, term.case),
            "" if regex or term.case else term.text.lower(),
            needs_of_all(search_text.required_parts(term.text)) if regex else needs_of(term.text),
        )  # fmt: skip

    @classmethod
    def _of_field(cls, term: Term, key: str) -> _Test:
        leaf = term.name.rpartition(".")[2].lower()
        piece = max(term.pieces, key=len, default="")
        part = search_text.stable(piece)
        hints = NO_HINTS
        if all(char.isascii() or char.lower() == char.upper() for char in piece):
            hints = parts_of(piece)
        named = term.name.lower() in NAMES
        name_hints = parts_of(leaf) if leaf.isascii() else NO_HINTS
        quick = quick_test(term)

        def holds(line: _Line) -> bool:
            text = line.raw[TEXT_AT:-1]
            if hints and rules_out(text, hints):
                return False
            if quick is not None and (known := quick(text)) is not None:
                return known
            if name_hints and not (named and _REQUEST.search(text)) and rules_out(text, name_hints):
                return False
            return field_holds(term, line.fields)

        needs = _needs_of_field(term, leaf, named)
        if part:
            block = by_block(part, False, False)
            return cls(term.negated, key, len(part), holds, block, needs=needs)
        worth = 1 if term.op not in ("=", "there") else 0
        return cls(term.negated, key, worth, holds, _beside_name(term, leaf, named), needs=needs)


_REQUEST = re.compile(SIGN.encode())


def _needs_of_field(term: Term, leaf: str, named: bool) -> Needs:
    """The terms of each block with a line in which the field is as the term says."""
    # Of a request the field's name does not stand there, and its value may be a part of a word.
    needs = NOTHING if named else needs_of(leaf, begins=True, ends=True)
    last = len(term.pieces) - 1
    for at, piece in enumerate(term.pieces):
        begins, ends = at == 0 and not named, at == last and not named
        needs = needs.and_these(needs_of(piece, begins=begins, ends=ends))
    return needs


def _beside_name(term: Term, leaf: str, named: bool) -> Callable[[bytes], Expression | None]:
    """What finds the name of a field with a value behind it that may be wanted. Where something may
    stand between, each line has to be looked at."""
    if not leaf.isascii() or "/" in leaf or not leaf:
        return _each
    value = ""
    if term.op not in ("=", "there"):
        value = rf"(?:\[|[\"']?{in_text(term)})"
    behind = rf"[\"']?[ \t]*[:=][ \t]*{value}"
    if term.op == "there":
        behind = rf"(?:\.|{behind})"
    source = re.escape(leaf) + behind
    if named:
        source = f"{source}|(?-i:{SIGN})"
    found = tried(source, case=False)
    escapes = [compiled(sign, case=True, literal=True) for sign in ("\x1b", "\b", "\\u")]

    def expression(block: bytes) -> Expression | None:
        return None if any(sign.search(block, 0) for sign in escapes) else found

    return expression
