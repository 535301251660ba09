"""Numbers, durations and sizes as people and programs write them: ``500``, ``120ms``, ``1h2m``, ``1.5 MiB``.

What has a unit is compared with what has a unit of the same kind, a bare number with bare numbers.
The name of a field may say the unit of a bare number: ``took_ms``, ``durationSeconds``, ``body.bytes``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["", "time", "size"]

TIMES: Mapping[str, float] = {
    "ns": 1, "nanos": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "micros": 1e3, "ms": 1e6, "millis": 1e6,
    "milliseconds": 1e6, "s": 1e9, "sec": 1e9, "secs": 1e9, "second": 1e9, "seconds": 1e9,
    "m": 60e9, "min": 60e9, "mins": 60e9, "minute": 60e9, "minutes": 60e9, "h": 3600e9,
    "hour": 3600e9, "hours": 3600e9, "d": 86400e9, "day": 86400e9, "days": 86400e9,
}  # fmt: skip
SIZES: Mapping[str, float] = {
    "b": 1, "byte": 1, "bytes": 1, "k": 1e3, "kb": 1e3, "mb": 1e6, "g": 1e9, "gb": 1e9,
    "t": 1e12, "tb": 1e12, "ki": 1024.0, "kib": 1024.0, "mi": 1048576.0, "mib": 1048576.0,
    "gi": 1073741824.0, "gib": 1073741824.0, "ti": 1099511627776.0, "tib": 1099511627776.0,
}  # fmt: skip
MEGA = "M"
"""A million; a small letter is a minute. Of all other units capitals do not matter."""

_UNIT = r"[A-Za-zµμ]+"
WHOLE = re.compile(rf"([+-]?)((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?) ?({_UNIT}|%)?")
PARTS = re.compile(rf"(?:[0-9]+(?:\.[0-9]+)?{_UNIT}){{2,6}}")
PART = re.compile(rf"([0-9]+(?:\.[0-9]+)?)({_UNIT})")
LONGEST = 40  # characters of a value that is one

# The end of a field's name that says its unit.
NAMED = re.compile(
    r"(?:(?:^|[_.-])(ns|nanos|us|micros|ms|millis|milliseconds|s|sec|secs|seconds|minutes|hours"
    r"|bytes|kb|mb|gb|kib|mib|gib)"
    r"|[a-z0-9](Ns|Nanos|Us|Micros|Ms|Millis|Milliseconds|Sec|Secs|Seconds|Minutes|Hours|Bytes"
    r"|KB|Kb|MB|Mb|KiB|MiB|GiB))$"
)


class Quantity(NamedTuple):
    """``value`` in nanoseconds or bytes, or the number itself; ``whole`` is that of an integer, exactly."""

    kind: Kind
    value: float
    whole: int | None


def quantity(text: str) -> Quantity | None:
    """What a text says, if it is one; None else."""
    if len(text) > LONGEST:
        return None
    found = WHOLE.fullmatch(text)
    if found is None:
        return _of_parts(text)
    sign, number, unit = found.groups()
    if unit in (None, "%"):
        digits = number.isdecimal()
        return Quantity("", float(sign + number), int(sign + number) if digits else None)
    kind, factor = _unit(unit)
    return None if factor is None else Quantity(kind, float(sign + number) * factor, None)


def of_field(name: str, text: str) -> Quantity | None:
    """The same of the value of a field, for a comparison with something that has a unit."""
    found = quantity(text)
    if found is None or found.kind or (named := NAMED.search(name)) is None:
        return found
    kind, factor = _unit((named[1] or named[2]).lower())
    return found if factor is None else Quantity(kind, found.value * factor, None)


def compare(a: Quantity, b: Quantity) -> int | None:
    """Below zero, zero, above zero; None where they are of two kinds."""
    if a.kind != b.kind:
        return None
    if a.whole is not None and b.whole is not None:
        return (a.whole > b.whole) - (a.whole < b.whole)
    return (a.value > b.value) - (a.value < b.value)


def _unit(word: str) -> tuple[Kind, float | None]:
    if word == MEGA:
        return "size", 1e6
    small = word.lower()
    if small in TIMES:
        return "time", TIMES[small]
    return "size", SIZES.get(small)


def _of_parts(text: str) -> Quantity | None:
    if not PARTS.fullmatch(text):
        return None
    value = 0.0
    for number, unit in PART.findall(text):
        kind, factor = _unit(unit)
        if factor is None or kind != "time":
            return None
        value += float(number) * factor
    return Quantity("time", value, None)
