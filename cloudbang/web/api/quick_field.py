"""One field of a line of JSON, for a filter that nearly every line passes, without reading all of them.

Where the bytes say that this is what reading the whole line comes to; where they do not, it is read
as any other. ``tests/web/api/test_quick_field.py`` compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import orjson

from cloudbang.domain.query import Term, field_holds
from cloudbang.domain.query.quantities import LONGEST as DIGITS
from cloudbang.domain.query.quantities import Quantity
from cloudbang.domain.query.wanted import is_bare, number_holds
from cloudbang.domain.seen_text import write

LONGEST = 32 * 1024  # bytes of a line
MOST = 400  # commas: of more fields some are left out
DEEPEST = 60
KELVIN = "\u212a".encode()
"""The one letter beyond ASCII that is one of ASCII where capitals do not count."""

_NAME = re.compile(r"[a-z0-9_@$-]+")
_NUMBER = re.compile(rb"[ \t\n]*:[ \t\n]*(-?[0-9][0-9.eE+-]*)")


def quick_test(term: Term) -> Callable[[bytes], bool | None] | None:
    """What says of the text of a line whether the field is there as the term says, and None where that
    is not known without reading the line. None for a term of which it never is."""
    name = term.name.lower()
    if not _NAME.fullmatch(name):
        return None
    quoted, within = f'"{name}"'.encode(), f'"{name}.'.encode()
    size, there, bare = len(quoted), term.op == "there", is_bare(term)

    def holds(text: bytes) -> bool | None:
        small = text.lower()
        at = small.find(quoted)
        # Once, so that it is known which it is; and nothing that may say the name in another way.
        if at < 0 or small.find(quoted, at + size) >= 0 or b"\\u" in small or b"\r" in text:
            return None
        if text[0] != 0x7B or text[-1] != 0x7D or len(text) > LONGEST:  # { }
            return None
        if text.count(b",") > MOST or text.count(b"{") + text.count(b"[") > DEEPEST:
            return None
        if (there and within in small) or (KELVIN in text and not text.isascii()):
            return None
        try:
            # It takes nothing that the other reader does not.
            fields = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        key = text[at + 1 : at + size - 1].decode()
        if key not in fields:
            return False  # it stands within another one, or is a value
        if there:
            return True
        value = fields[key]
        kind = type(value)
        if kind is int and bare:
            return number_holds(term, Quantity("", float(value), value))
        if kind is int or kind is float:
            found = _NUMBER.match(text, at + size)
            value = found[1].decode() if found else None
            if bare and value is not None:
                # An integer that no 64 bits hold is no float, and who has so many digits is no number.
                if value.lstrip("-").isdecimal() or len(value) > DIGITS:
                    return None
                return number_holds(term, Quantity("", float(value), None))
        elif kind is str:
            value = write(value) if value.isascii() else None
        elif kind is dict or kind is list:
            value = None
        else:
            value = write(value)
        return None if value is None else field_holds(term, [(key, value)])

    return holds
