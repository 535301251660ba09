"""Reading what a person wrote: typed values out of JSON, and an error that names the field."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, TypeVar

from cloudbang.errors import CloudBangError, shown

T = TypeVar("T")

BYTES = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([bkmgt]?)i?b?\s*", re.IGNORECASE)
UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
OCTAL = re.compile(r"(?:0o)?[0-7]{1,5}")
SECONDS = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
TEXT = 64 * 1024  # characters of one value
MANY = 1000  # entries of one list


class SpecInvalid(CloudBangError):
    """A specification holds what it may not hold. ``field`` as ``health.within`` or ``ports[1]``."""

    code = "spec-invalid"
    status = 422
    sentence = "{field}: {value} is not {allowed}"
    variants: ClassVar[Mapping[tuple[str, object], str]] = {
        ("rule", "missing"): "{field} is missing",
        ("rule", "unknown"): "{field} is no field of a specification",
        ("rule", "both"): "{field}: only one of {allowed} can be given",
        ("rule", "twice"): "{field}: {value} is there twice",
        ("rule", "source"): (
            "{field} is missing, and no folder came along that it could be built from"
        ),
        ("rule", "folder"): (
            "{field}: the folder that was sent is not kept. Send it again to build it in another way."
        ),
        ("rule", "gone"): (
            "{field}: what was built of the folder is not on this machine any more. Send it again."
        ),
    }

    def __init__(self, field: str, allowed: str = "", value: object = "", rule: str = "") -> None:
        self.field, self.allowed, self.rule = field, allowed, rule
        self.value = _shown(value)
        super().__init__(field, allowed, self.value, rule)


class Fields:
    """The fields of one JSON object, each taken once. :meth:`end` refuses what nobody took."""

    def __init__(self, found: object, path: str = "", what: str = "an object") -> None:
        if not isinstance(found, Mapping):
            raise SpecInvalid(path or "spec", what, found)
        self.path = path
        self._left = {str(key): value for key, value in found.items()}

    def at(self, key: str) -> str:
        """The full name of a field."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        return self._left.get(key) is not None

    def take(self, key: str) -> object:
        """Whatever is there; None where nothing is."""
        return self._left.pop(key, None)

    def end(self) -> None:
        """Raises SpecInvalid for a field that nobody knows."""
        for key in self._left:
            raise SpecInvalid(self.at(key)[:200], rule="unknown")

    # -- single values

    def text(
        self, key: str, default: str = "", *, fits: re.Pattern[str] | None = None, allowed: str = ""
    ) -> str:
        found = self.take(key)
        if found is None:
            return default
        value = text_of(found, self.at(key))
        if fits is not None and not fits.fullmatch(value):
            raise SpecInvalid(self.at(key), allowed, value)
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        found = self.take(key)
        if found is None:
            return default
        if not isinstance(found, bool):
            raise SpecInvalid(self.at(key), "true or false", found)
        return found

    def whole(self, key: str, default: int | None, among: range) -> int | None:
        """A whole number, also as text: Compose files have both."""
        found = self.take(key)
        return default if found is None else whole_of(found, self.at(key), among)

    def number(self, key: str, above: float, up_to: float) -> float | None:
        found = self.take(key)
        if found is None:
            return None
        value = _number(found)
        if value is None or not above < value <= up_to:
            allowed = f"a number above {above:g} and up to {up_to:g}"
            raise SpecInvalid(self.at(key), allowed, found)
        return value

    def bytes(self, key: str) -> int | None:
        """An amount of memory: a number of bytes, or as Docker writes it ("256m", "1.5 GiB")."""
        found = self.take(key)
        if found is None:
            return None
        value = bytes_of(found)
        if value is None:
            raise SpecInvalid(self.at(key), 'an amount of bytes, such as "256m" or "2g"', found)
        return value

    def mode(self, key: str, default: int, most: int) -> int:
        """Permissions: a number, or a text as chmod has them ("1777")."""
        found = self.take(key)
        if isinstance(found, str) and OCTAL.fullmatch(found):
            found = int(found, 8)
        allowed = 'permissions, such as "0644"'
        if found is None:
            return default
        if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= most:
            raise SpecInvalid(self.at(key), allowed, found)
        return found

    def seconds(self, key: str, default: float, above: float, up_to: float) -> float:
        """A number of seconds, or as Docker writes it ("1m30s")."""
        found = self.take(key)
        if found is None:
            return default
        value = seconds_of(found)
        if value is None or not above <= value <= up_to:
            allowed = f"a number of seconds from {above:g} to {up_to:g}"
            raise SpecInvalid(self.at(key), allowed, found)
        return value

    # -- several values

    def words(self, key: str) -> tuple[str, ...]:
        """A command: a list of arguments, or a line that is split as a shell splits it."""
        found = self.take(key)
        if found is None:
            return ()
        if isinstance(found, str):
            return split_line(found, self.at(key))
        return tuple(text_of(one, at) for at, one in self._listed(key, found))

    def texts(
        self, key: str, *, fits: re.Pattern[str] | None = None, allowed: str = ""
    ) -> tuple[str, ...]:
        values = tuple(text_of(one, at) for at, one in self._listed(key, self.take(key)))
        for value in values:
            if fits is not None and not fits.fullmatch(value):
                raise SpecInvalid(self.at(key), allowed, value)
        return values

    def pairs(
        self, key: str, *, fits: re.Pattern[str], allowed: str
    ) -> tuple[tuple[str, str], ...]:
        """Names with their values, by name."""
        found = self.take(key)
        if found is None:
            return ()
        if not isinstance(found, Mapping):
            raise SpecInvalid(self.at(key), "an object of names and values", found)
        if len(found) > MANY:
            raise SpecInvalid(self.at(key), f"at most {MANY} of them", len(found))
        result = {}
        for name, value in found.items():
            if not isinstance(name, str) or not fits.fullmatch(name):
                raise SpecInvalid(f"{self.at(key)}.{name}"[:200], allowed, name)
            result[name] = scalar_of(value, f"{self.at(key)}.{name}")
        return tuple(sorted(result.items()))

    def each(self, key: str, read: Callable[[Fields], T], alone: str = "") -> tuple[T, ...]:
        """A list of objects, each read by ``read``. ``alone``: the field that a text stands for."""
        found = self._listed(key, self.take(key))
        return tuple(
            read(Fields({alone: one} if alone and isinstance(one, str) else one, at))
            for at, one in found
        )

    def inner(self, key: str) -> Fields | None:
        """The object in this field."""
        found = self.take(key)
        return None if found is None else Fields(found, self.at(key))

    def _listed(self, key: str, found: object) -> Iterable[tuple[str, object]]:
        if found is None:
            return ()
        if not isinstance(found, list | tuple):
            raise SpecInvalid(self.at(key), "a list", found)
        if len(found) > MANY:
            raise SpecInvalid(self.at(key), f"at most {MANY} of them", len(found))
        return [(f"{self.at(key)}[{n}]", one) for n, one in enumerate(found)]


def bytes_of(found: object) -> int | None:
    """A number of bytes, or as Docker writes it ("256m"); None of anything else."""
    match = BYTES.fullmatch(str(found)) if isinstance(found, str | int | float) else None
    if match is None or isinstance(found, bool):
        return None
    return int(float(match[1]) * UNITS[match[2].lower()])


def seconds_of(found: object) -> float | None:
    """A number of seconds, or as Docker writes it ("1m30s"); None of anything else."""
    value = _number(found)
    if value is None and isinstance(found, str) and (m := SECONDS.fullmatch(found)) and found:
        hours, minutes, seconds, millis = (float(part or 0) for part in m.groups())
        value = hours * 3600 + minutes * 60 + seconds + millis / 1000
    return value


def text_of(found: object, at: str) -> str:
    """A text without NUL."""
    if not isinstance(found, str):
        raise SpecInvalid(at, "a text", found)
    if "\0" in found or len(found) > TEXT:
        raise SpecInvalid(at, f"a text of at most {TEXT} characters, without NUL", found)
    return found


def scalar_of(found: object, at: str) -> str:
    """A text, or what YAML made of one: 8080, true, 1.5; nothing is an empty text."""
    if found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int | float):
        return repr(found)
    return text_of(found, at)


def whole_of(found: object, at: str, among: range) -> int:
    value = _number(found)
    if value is None or value != int(value) or int(value) not in among:
        allowed = f"a whole number from {among.start} to {among.stop - 1}"
        raise SpecInvalid(at, allowed, found)
    return int(value)


def unique(values: Iterable[tuple[str, object]]) -> None:
    """Raises SpecInvalid where one of these, each with the field that it is in, is there twice: for
    the second."""
    seen: set[object] = set()
    for at, value in values:
        if value in seen:
            raise SpecInvalid(at, value=value, rule="twice")
        seen.add(value)


def split_line(line: str, at: str) -> tuple[str, ...]:
    """The arguments of a command line, by the shell's rules for quotes; nothing is substituted."""
    try:
        return tuple(shlex.split(text_of(line, at)))
    except ValueError:
        raise SpecInvalid(at, "a command line with its quotes closed", line) from None


def _number(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        value = float(found)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _shown(value: object) -> str:
    text = shown(value)
    return text if len(text) <= 80 else text[:77] + "..."
