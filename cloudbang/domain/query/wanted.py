"""Whether a term that asks for a field holds for the fields of a line."""

from __future__ import annotations

from collections.abc import Sequence

from cloudbang.domain.query.fields import Field
from cloudbang.domain.query.language import Term
from cloudbang.domain.query.quantities import Quantity, compare, of_field, quantity


def field_holds(term: Term, fields: Sequence[Field]) -> bool:
    """Whether one of the fields is as the term says, which may be negated: that is not looked at."""
    name = term.name.lower()
    if term.op == "there":
        within = name + "."
        return any((n := one.lower()) == name or n.startswith(within) for one, _ in fields)
    if term.op == "=":
        pieces = term.pieces
        return any(one.lower() == name and fits(pieces, value.lower()) for one, value in fields)
    return any(one.lower() == name and _compares(term, one, value) for one, value in fields)


def fits(pieces: Sequence[str], text: str) -> bool:
    """Whether a text is these pieces, with anything between them."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return text == first
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in pieces[1:-1]:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _compares(term: Term, name: str, value: str) -> bool:
    if term.op == "..":
        low, high = term.low, term.high
        return (low is None or _is(">=", name, value, low)) and (
            high is None or _is("<=", name, value, high)
        )
    return term.low is not None and _is(term.op, name, value, term.low)


def is_bare(term: Term) -> bool:
    """Whether it compares with bare numbers alone."""
    limits = [one for one in (term.low, term.high) if one is not None]
    return term.op not in ("=", "there") and not any(one.kind for one in limits)


def number_holds(term: Term, number: Quantity) -> bool:
    """The same as ``field_holds`` for a field that is this number, of a term that is bare."""
    low, high = term.low, term.high
    if term.op == "..":
        return (low is None or _in_order(">=", number, low)) and (
            high is None or _in_order("<=", number, high)
        )
    return low is not None and _in_order(term.op, number, low)


def _is(op: str, name: str, value: str, limit: Quantity) -> bool:
    found = of_field(name, value) if limit.kind else quantity(value)
    return found is not None and _in_order(op, found, limit)


def _in_order(op: str, found: Quantity, limit: Quantity) -> bool:
    order = compare(found, limit)
    if order is None:
        return False
    if op == ">":
        return order > 0
    if op == ">=":
        return order >= 0
    return order < 0 if op == "<" else order <= 0
