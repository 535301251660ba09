"""A query, read into terms: ``level:error status:>=500 path:/pay* -path:/healthz "two words" /regex/``.

Several terms: all must hold. ``docs/protocols/query.md`` has the rules. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from unicodedata import normalize

from cloudbang.domain.levels.words import LEVELS, named
from cloudbang.domain.query.quantities import Quantity, quantity

LONGEST = 1_000  # characters
TERMS = 50
BLANK = " \t\n\r\u00a0\u3000"
NO_LEVEL = "none"

Kind = Literal["text", "regex", "field", "level"]
Op = Literal["=", "there", ">", ">=", "<", "<=", ".."]

_OPERATORS: tuple[Op, ...] = (">=", "<=", ">", "<")


class QueryError(ValueError):
    """What cannot be understood: its ``code``, where it is (characters), and in which part of the query.

    ``too-long``, ``too-many`` terms, ``no-end`` of a quote, something right ``behind`` one, ``nothing`` in
    one, ``no-value``, ``no-number``, ``no-level``, ``turned`` (a range that ends before it begins).
    """

    def __init__(self, code: str, at: int, part: str) -> None:
        self.code, self.at, self.part = code, at, part
        super().__init__(code, at, part)


@dataclass(frozen=True)
class Term:
    """One term. ``text``: the words, the expression, or the value as it was written; ``pieces``: what
    stands between the wildcards of a value, composed and in small letters. ``at`` and ``end``: where
    it stands in the query."""

    kind: Kind
    text: str
    negated: bool = False
    name: str = ""
    op: Op = "="
    pieces: tuple[str, ...] = ()
    low: Quantity | None = None
    high: Quantity | None = None
    levels: frozenset[str] = frozenset()
    case: bool = False
    at: int = 0
    end: int = 0


def parse(query: str) -> list[Term]:
    """The terms of a query. Raises QueryError."""
    if len(query) > LONGEST:
        raise QueryError("too-long", LONGEST, "")
    query = normalize("NFC", query)
    terms: list[Term] = []
    at = 0
    while at < len(query):
        if query[at] in BLANK:
            at += 1
            continue
        if len(terms) == TERMS:
            raise QueryError("too-many", at, "")
        term = _Reader(query, at).term()
        terms.append(term)
        at = term.end
    return terms


def levels_of(terms: Sequence[Term]) -> frozenset[str] | None:
    """The levels, and "none", that the terms leave; None where they do not ask for any."""
    left: frozenset[str] | None = None
    for term in terms:
        if term.kind == "level":
            wanted = EVERY - term.levels if term.negated else term.levels
            left = wanted if left is None else left & wanted
    return left


EVERY = frozenset((*LEVELS, NO_LEVEL))


class _Reader:
    """Reads one term of a query."""

    def __init__(self, query: str, at: int) -> None:
        self.query, self.start, self.at = query, at, at
        self.negated = False

    def term(self) -> Term:
        if self._peek() == "-" and self._peek(1) not in ("", "-") and self._peek(1) not in BLANK:
            self.negated = True
            self.at += 1
        if self._peek() == '"':
            text = self._quoted()
            if self._peek() == ":":
                self.at += 1
                return self._field(text, quoted=True)
            self._blank()
            if not text:
                raise QueryError("nothing", self.start, '""')
            return self._term("text", text)
        if self._peek() == "/" and (expression := self._expression()):
            return self._term("regex", expression)
        begin = self.at
        name = self._name()
        if name and self._peek() == ":" and self.query[self.at + 1 : self.at + 3] != "//":
            self.at += 1
            return self._field(name, quoted=False)
        self.at = begin
        return self._term("text", self._word())

    def _peek(self, ahead: int = 0) -> str:
        return self.query[self.at + ahead : self.at + ahead + 1]

    def _word(self) -> str:
        begin = self.at
        while self.at < len(self.query) and self.query[self.at] not in BLANK:
            self.at += 1
        return self.query[begin : self.at]

    def _blank(self) -> None:
        """A term ends here."""
        if self._peek() and self._peek() not in BLANK:
            at = self.at
            raise QueryError("behind", at, self._word())

    def _quoted(self) -> str:
        begin = self.at
        self.at += 1
        text = ""
        while (char := self._peek()) != '"':
            if not char:
                raise QueryError("no-end", begin, self.query[begin + 1 :] or '"')
            if char == "\\" and self._peek(1) in ('"', "\\"):
                self.at += 1
                char = self._peek()
            text += char
            self.at += 1
        self.at += 1
        return text

    def _expression(self) -> str:
        """What stands between this slash and the next, if a term ends there; "" else."""
        at = self.at + 1
        while at < len(self.query) and self.query[at] != "/":
            at += 2 if self.query[at] == "\\" else 1
        behind = self.query[at + 1 : at + 2]
        if at >= len(self.query) or (behind and behind not in BLANK):
            return ""
        expression = self.query[self.at + 1 : at].replace("\\/", "/")
        if expression:
            self.at = at + 1
        return expression

    def _name(self) -> str:
        begin = self.at
        char = self._peek()
        if not (char.isalpha() or char in ("_", "@", "$")):
            return ""
        while (char := self._peek()) and (char.isalnum() or char in "_.@$/-"):
            self.at += 1
        return self.query[begin : self.at]

    def _field(self, name: str, *, quoted: bool) -> Term:
        begin = self.at
        by_level = not quoted and name.lower() == "level"
        if self._peek() == '"':
            text = self._quoted()
            self._blank()
            if by_level:
                return self._level(text, begin)
            return self._term("field", text, name=name, pieces=(_folded(text),))
        text = self._word()
        if not text:
            raise QueryError("no-value", self.start, self.query[self.start : self.at])
        if by_level:
            return self._level(text, begin)
        if text == "*":
            return self._term("field", text, name=name, op="there")
        for op in _OPERATORS:
            if text.startswith(op):
                low = quantity(text[len(op) :])
                if low is None:
                    raise QueryError("no-number", begin + len(op), text[len(op) :] or op)
                return self._term("field", text, name=name, op=op, low=low)
        if (found := _range(text)) is not None:
            low, high = found
            if low and high and (low.kind != high.kind or low.value > high.value):
                raise QueryError("turned", begin, text)
            return self._term("field", text, name=name, op="..", low=low, high=high)
        pieces = tuple(_folded(piece) for piece in re.split(r"\*+", text))
        return self._term("field", text, name=name, pieces=pieces)

    def _level(self, text: str, begin: int) -> Term:
        def level(word: str, at: int) -> str:
            found = NO_LEVEL if word.lower() == NO_LEVEL else named(word)
            if found is None:
                raise QueryError("no-level", at, word)
            return found

        if text == "*":
            return self._term("level", text, name="level", levels=frozenset(LEVELS))
        op = next((op for op in _OPERATORS if text.startswith(op)), "")
        first, dots, last = text[len(op) :].partition("..")
        low = level(first, begin + len(op))
        if not op and not dots:
            return self._term("level", text, name="level", levels=frozenset((low,)))
        high = level(last, begin + len(first) + 2) if dots else ""
        if NO_LEVEL in (low, high):
            raise QueryError("no-level", begin, text)
        at = LEVELS.index(low)
        if dots:
            if LEVELS.index(high) < at:
                raise QueryError("turned", begin, text)
            chosen = LEVELS[at : LEVELS.index(high) + 1]
        elif op.startswith(">"):
            chosen = LEVELS[at + (op == ">") :]
        else:
            chosen = LEVELS[: at + (op == "<=")]
        return self._term("level", text, name="level", levels=frozenset(chosen))

    def _term(
        self,
        kind: Kind,
        text: str,
        *,
        name: str = "",
        op: Op = "=",
        pieces: tuple[str, ...] = (),
        low: Quantity | None = None,
        high: Quantity | None = None,
        levels: frozenset[str] = frozenset(),
    ) -> Term:
        return Term(
            kind,
            text,
            self.negated,
            name,
            op,
            pieces,
            low,
            high,
            levels,
            at=self.start,
            end=self.at,
        )


def _folded(text: str) -> str:
    return normalize("NFC", text).lower()


def _range(text: str) -> tuple[Quantity | None, Quantity | None] | None:
    """Both ends of a range, of which one may be missing; None where it is none."""
    first, dots, last = text.partition("..")
    if not dots or not (first or last):
        return None
    low, high = quantity(first), quantity(last)
    if (first and low is None) or (last and high is None):
        return None
    return low, high


def written(text: str) -> str:
    """A term for words as they stand."""
    try:
        terms = parse(text)
    except QueryError:
        terms = []
    if len(terms) == 1 and terms[0].kind == "text" and terms[0].text == text:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
