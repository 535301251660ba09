"""How a number may be written that a comparison wants: an expression in RE2's syntax that finds the
beginning of each of them, and of others. Pure."""

from __future__ import annotations

import math
import re

from cloudbang.domain.query.language import Term
from cloudbang.domain.query.quantities import MEGA, NAMED, SIZES, TIMES, Quantity

ANY = r"[+-]?[.0-9]"
EXPONENT = r"[0-9.]+[eE]"
END = r"(?:[^0-9]|(?m:$))"
UNIT_END = r"(?:[^a-zA-Zµμ]|(?m:$))"
LARGEST = 1e15  # beyond, digits are not what they seem


def in_text(term: Term) -> str:
    """For a term that compares."""
    low, high = (term.low, term.high) if term.op == ".." else (None, None)
    if term.op in (">", ">="):
        low = term.low
    elif term.op in ("<", "<="):
        high = term.low
    if low is not None and low.kind and not NAMED.search(term.name):
        return _in_units(low)
    if low is not None and not low.kind and 1 <= low.value < LARGEST:
        return f"(?:[+]?0*(?:{_from(math.floor(low.value))})|{EXPONENT})"
    if high is not None and not high.kind and 0 <= high.value < LARGEST:
        return f"(?:-|[+]?(?:[.]|0*(?:{_to(math.floor(high.value))})(?:[.]|{END}))|{EXPONENT})"
    return ANY


def _in_units(low: Quantity) -> str:
    """At least so much, in whatever unit."""
    units: dict[float, list[str]] = {}
    for unit, factor in (TIMES if low.kind == "time" else SIZES).items():
        units.setdefault(factor, []).append(re.escape(unit))
    if low.kind == "size":
        units[1e6].append(MEGA)
    found = [EXPONENT, r"[0-9.]+[a-zA-Zµμ]+[0-9]"]  # 1h2m
    for factor, names in units.items():
        least = low.value / factor
        if least < LARGEST:
            number = (
                f"0*(?:{_from(math.floor(least))})[0-9]*[.]?[0-9]*" if least >= 1 else "[.0-9]+"
            )
            found.append(f"{number} ?(?:{'|'.join(names)}){UNIT_END}")
    return f"[+]?(?:{'|'.join(found)})"


def _from(least: int) -> str:
    """Whole parts that are at least so many; more digits may follow."""
    digits = str(least)
    found = [rf"[1-9][0-9]{{{len(digits)},}}", digits]
    for at, digit in enumerate(digits):
        if digit != "9":
            found.append(f"{digits[:at]}[{int(digit) + 1}-9]{_more(len(digits) - at - 1)}")
    return "|".join(found)


def _to(most: int) -> str:
    """Whole parts that are at most so many."""
    digits = str(most)
    found = [digits]
    if len(digits) > 1:
        found.append(f"[0-9]{{1,{len(digits) - 1}}}")
    for at, digit in enumerate(digits):
        if digit != "0":
            found.append(f"{digits[:at]}[0-{int(digit) - 1}]{_more(len(digits) - at - 1)}")
    return "|".join(found)


def _more(digits: int) -> str:
    return f"[0-9]{{{digits}}}" if digits else ""
