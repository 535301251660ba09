"""What of a line of log a reader sees: what is searched, marked, counted, copied and judged.

A line is stored as the container wrote it. What is seen of it is

1. without escape sequences; of what was written over with carriage returns (or a jump to the first
   column) the last state, and with steps to the left (backspaces) what was written last at each
   place; without a byte order mark;
2. where that is one JSON object, or ends in one behind a time, a name or other words, which stay in
   front: its message first, wherever its writer put it, templates filled
   in, then every other field as ``key=value`` in the order of writing, but for time, level and what
   a template has taken in, which come last; ``key.inner=value`` for objects within; strings decoded, numbers as they were written;
3. Unicode in its composed form (NFC), so that two ways to write é are one.

What a reader looks for is found in this text or in the line as it was written. The pages do the
same in ``static/js/logs/seen_text.js``; ``tests/data/seen.json`` holds both to the same answers.

Most lines are seen as they are written, and one look at their bytes says so (0.5 µs).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple
from unicodedata import is_normalized, normalize

from cloudbang.domain.ansi import strip
from cloudbang.domain.json_line import Pairs, Value, last_object, read_object

# To the first column, the whole line erased, or a hundred and more to the left: what comes is
# written over what was there.
HOME = re.compile(r"\x1b\[(?:[01]?G|2K|[0-9]{3,}D)|\x1b8")
# So many columns to the left: as many backspaces.
LEFT = re.compile(r"\x1b\[([0-9]{0,2})D")
STEP = "\b"
BOM = "\ufeff"

# Where writers of JSON put what the line says; the first that is there, whatever its capitals.
MESSAGES = (
    *("message", "msg", "@message", "@m", "renderedmessage", "rendered_message", "textpayload"),
    *("short_message", "m", "@mt", "messagetemplate", "message_template"),
)
# Of those, templates whose {Name} are fields of the same line.
TEMPLATES = ("@mt", "messagetemplate", "message_template")
# Objects that hold the message of the line …
HOLDERS = ("fields", "record", "jsonpayload", "message", "msg", "body")
# … under one of these names, too, where the object is itself named after a message.
NAMED_AFTER_IT = ("message", "msg", "body")
INNER = ("text", "body", "content", "value", "stringvalue")
# Without any of them, these say what happened, if only in part; or an object so named does.
OTHERWISE = (
    *("event", "text", "log", "body", "error", "err", "exception", "data", "attributes"),
    *("reason", "detail"),
)
# Where the fields of a template stand if not beside it.
PROPERTIES = ("properties", "state", "attributes", "fields")
# What a row mostly has columns for stands last, so that what it shows stands together.
LAST = re.compile(
    r"^(?:@?(?:time|timestamp|t|ts|datetime|date|asctime|eventtime|level|l)|lvl|severity|levelname"
    r"|levelno|level_?name|log[._]?level|severity_?text|fields\.level|@mt|@r|message_?template)$",
    re.IGNORECASE | re.ASCII,
)
MOST_HINTS = 4
WITHIN = 3  # JSON in a string in JSON: so many times

# Behind these an object is a value among others, and not what the line says.
VALUE_OF = "=([{,\"'"

_RANK = {name: rank for rank, name in enumerate(MESSAGES)}
_BLANK = " \t\r\n"
TOKEN = re.compile(r"\{\{|\}\}|\{[@$]?([A-Za-z_0-9.]+)(?:,-?[0-9]+)?(:[^{}]*)?\}")
_JOINTS = re.compile(
    r"[\s=.,\[\]{}\"\\/\x00-\x1f]+"
)  # stand between what is decoded, or are made by it
_QUOTED_END = re.compile(r"([A-Za-z0-9_-]+)[\"\\]")
_QUOTED_BEGIN = re.compile(r"\"([A-Za-z0-9_-]+)")
_HALVES = re.compile("[\ud800-\udfff]")


def seen_text(line: str) -> str:
    """What is seen of a line. Never raises."""
    if line.isascii() and "\x1b" not in line and "\r" not in line and STEP not in line:
        return _decoded(line) if "{" in line and line.endswith(("}", " ", "\t")) else line
    return normalize("NFC", _decoded(_unwritten(line)))


def plain_text(line: str) -> str:
    """The same with JSON left as it was written: what is copied, and what a level is read off."""
    if line.isascii() and "\x1b" not in line and "\r" not in line and STEP not in line:
        return line
    return normalize("NFC", _unwritten(line))


def seen_bytes(line: bytes) -> bytes:
    """What is seen of a line of bytes, as UTF-8: the very same object where nothing differs."""
    if line.isascii():
        if b"\x1b" not in line and b"\r" not in line and b"\b" not in line and b"{" not in line:
            return line
        text = line.decode("ascii")
    else:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return seen_text(line.decode("utf-8", "replace")).encode()
        if (
            b"\x1b" not in line
            and b"\r" not in line
            and b"\b" not in line
            and b"{" not in line
            and not text.startswith(BOM)
            and is_normalized("NFC", text)
        ):
            return line
    seen = seen_text(text)
    return line if seen == text else seen.encode()


class Hints(NamedTuple):
    """What all stands in a line, in small letters, if something is seen of it that is not written there.
    ``quoted``: where all that is quoted in it is so within an object of JSON."""

    parts: tuple[bytes, ...] = ()
    quoted: tuple[bytes, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parts or self.quoted)


NO_HINTS = Hints()


def found_in(line: bytes, finds: Callable[[bytes], bool], hints: Hints = NO_HINTS) -> bool:
    """Whether something is found in a line as it was written or as it is seen.

    ``hints`` is what ``hints_of`` says of what is looked for: most lines of JSON need not be decoded.
    """
    if finds(line):
        return True
    if hints and rules_out(line, hints):
        return False
    seen = seen_bytes(line)
    return seen is not line and finds(seen)


def parts_of(q: str) -> Hints:
    """Of words that are looked for, the longest parts that decoding a line can neither make nor
    join together, in small letters: a line without one of them need not be decoded.
    Capitals beyond ASCII are not known here; where they matter, no hints are to be used."""
    parts = dict.fromkeys(part.encode().lower() for part in _JOINTS.split(q) if part)
    return Hints(tuple(sorted(parts, key=len, reverse=True)[:MOST_HINTS]))


def hints_of(q: str) -> Hints:
    """The same for what is not found in the line as it was written: of an object of JSON a quotation mark
    or a backslash is seen only where a backslash stood before it, between it and what stands beside it."""
    if '"' not in q and "\\" not in q:
        return parts_of(q)
    ends = [part.lower().encode() + b"\\" for part in _QUOTED_END.findall(q)]
    begins = [b'\\"' + part.lower().encode() for part in _QUOTED_BEGIN.findall(q)]
    return Hints(parts_of(q).parts, tuple(dict.fromkeys(ends + begins or [b"\\"])))


def rules_out(line: bytes, hints: Hints) -> bool:
    """Whether what hints were made of can neither stand in a line nor be seen of it."""
    if not line.isascii():
        # What is not composed may come to be what is looked for.
        with suppress(UnicodeDecodeError):
            if not is_normalized("NFC", line.decode()):
                return False
    small = line.lower()
    parts, quoted = hints
    return not (
        (
            all(hint in small for hint in parts)
            and (not quoted or all(hint in small for hint in quoted) or _quotes_before_json(line))
        )
        or b"\x1b" in line
        or b"\b" in line
        or b"\\u" in line
        or b"@mt" in small
        or b"template" in small
    )


def _quotes_before_json(line: bytes) -> bool:
    """Whether there may be quotes in what stands before an object."""
    if b"\r" in line:
        return True
    if line.lstrip(b" \t").startswith(b"{"):
        return False
    before = line.partition(b'{"')[0]
    return b'"' in before or b"\\" in before


def _unwritten(line: str) -> str:
    """Without escape sequences, what was written over, byte order marks."""
    if "\x1b" in line:
        line = strip(LEFT.sub(_steps, HOME.sub("\r", line)))
    if "\r" in line:
        parts = line.split("\r")
        line = next((part for part in reversed(parts) if part.strip(" \t")), "")
    if STEP in line:
        line = _stepped(line)
    return line.lstrip(BOM)


def _steps(found: re.Match[str]) -> str:
    return STEP * int(found[1] or 1)


def _stepped(line: str) -> str:
    """What stands where a line went back and wrote again: what was not written over stays."""
    shown: list[str] = []
    at = 0
    for char in line:
        if char == STEP:
            at = max(0, at - 1)
            continue
        shown[at : at + 1] = char
        at += 1
    return "".join(shown)


def fields_of(text: str) -> tuple[str | None, list[tuple[str, str]]] | None:
    """Of a text without escapes that is one JSON object, or ends in one: its message, with what
    stands before it, and its other fields in the order of writing, as they are seen. None where it
    is none, or empty."""
    told = _told(text)
    if told is None:
        return None
    message, rest, _ = told
    fields: list[tuple[str, str]] = []
    _write_fields(rest, "", fields)
    return message, fields


def _told(text: str) -> tuple[str | None, Pairs, bool] | None:
    """As ``message_of``; what stands before the object is the beginning of what the line says."""
    found = last_object(text)
    if not found or not found[1]:
        return None
    before, pairs = found
    if before and before[-1] in VALUE_OF:
        return None
    message, rest, filled = message_of(pairs)
    if before:
        message = before if message is None else f"{before} {message}"
    return message, rest, filled


def _decoded(text: str) -> str:
    told = _told(text)
    if told is None:
        return text
    message, rest, filled = told
    fields: list[tuple[str, str]] = []
    _write_fields(rest, "", fields)
    within = message if filled and message else ""
    first = [] if message is None else [message]
    last = []
    for path, value in fields:
        if LAST.fullmatch(path) or (value and value in within):
            last.append(f"{path}={value}")
        else:
            first.append(f"{path}={value}")
    seen = " ".join(first + last)
    return normalize("NFC", _HALVES.sub("\ufffd", seen)) if "\\u" in text else seen


# The message


def message_of(pairs: Pairs) -> tuple[str | None, Pairs, bool]:
    """What a line of JSON says, its other fields, and whether it is a template that was filled in.
    That, or one found in JSON within a string, leaves all fields where they are."""
    return _message(pairs, WITHIN)


def _message(pairs: Pairs, within: int) -> tuple[str | None, Pairs, bool]:
    best, at = len(MESSAGES), -1
    for here, (key, value) in enumerate(pairs):
        rank = _RANK.get(key.lower(), best)
        if rank < best and type(value) is str and value.strip(_BLANK):
            best, at = rank, here
    if at >= 0:
        return _said(pairs, at, within)
    for name in HOLDERS:
        if found := _held(pairs, name):
            return found
    for name in OTHERWISE:
        at = _at(pairs, name)
        if at >= 0:
            return _said(pairs, at, within)
        if found := _held(pairs, name):
            return found
    return None, pairs, False


def _at(pairs: Pairs, name: str) -> int:
    """Where the text of this name is, the first that says anything; -1 where there is none."""
    for at, (key, value) in enumerate(pairs):
        if type(value) is str and key.lower() == name and value.strip(_BLANK):
            return at
    return -1


def _said(pairs: Pairs, at: int, within: int) -> tuple[str, Pairs, bool]:
    key, value = pairs[at]
    text = _clean(str(value))
    if key.lower() in TEMPLATES:
        return _filled(text, pairs), pairs, True
    if within and text.startswith("{") and (inner := read_object(text)) is not None:
        message = _message(inner, within - 1)[0]
        if message is not None:
            return message, pairs, False
    return text, _without(pairs, at), False


def _held(pairs: Pairs, name: str) -> tuple[str, Pairs, bool] | None:
    """The message within the object of this name, and the fields without it."""
    for at, (key, value) in enumerate(pairs):
        if type(value) is not tuple or key.lower() != name:
            continue
        for inner in (*MESSAGES, *INNER) if name in NAMED_AFTER_IT else MESSAGES:
            found = _at(value, inner)
            if found < 0:
                continue
            if inner in TEMPLATES:
                return _filled(_clean(str(value[found][1])), value), pairs, True
            text, left = _clean(str(value[found][1])), _without(value, found)
            rest = (*pairs[:at], (key, left), *pairs[at + 1 :]) if left else _without(pairs, at)
            return text, rest, False
    return None


def _without(pairs: Pairs, at: int) -> Pairs:
    return (*pairs[:at], *pairs[at + 1 :])


def _filled(template: str, pairs: Pairs) -> str:
    """A message template (messagetemplates.org) with its fields in their places."""
    fields: dict[str, Value] = {}
    for key, value in pairs:
        if type(value) is tuple and key.lower() in PROPERTIES:
            for inner, one in value:
                fields.setdefault(inner, one)
    fields.update(pairs)
    renderings = fields.get("@r")
    rendered = iter(renderings if isinstance(renderings, list) else ())

    def fill(found: re.Match[str]) -> str:
        token, name, form = found[0], found[1], found[2]
        if name is None:
            return token[0]
        if form is not None and type(text := next(rendered, None)) is str:
            return _clean(text)
        return write(fields[name]) if name in fields else token

    return TOKEN.sub(fill, template)


# The fields


def _write_fields(pairs: Pairs, before: str, into: list[tuple[str, str]]) -> None:
    for key, value in pairs:
        if type(value) is tuple and value:
            _write_fields(value, f"{before}{key}.", into)
        else:
            into.append((before + key, write(value)))


def write(value: Value) -> str:
    """A value as it is seen: strings without quotes, numbers as they were written."""
    if type(value) is str:
        return _clean(value)
    if isinstance(value, str):
        return value  # a number
    if isinstance(value, list):
        return f"[{', '.join([write(one) for one in value])}]"
    if isinstance(value, tuple):
        return f"{{{', '.join([f'{key}={write(one)}' for key, one in value])}}}"
    return "null" if value is None else "true" if value else "false"


def _clean(text: str) -> str:
    """A string that was in JSON: it may hold what a line of text cannot."""
    if "\x1b" in text:
        text = strip(text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.rstrip("\n") if text.endswith("\n") else text
