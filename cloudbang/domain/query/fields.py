"""The fields of a line: of an object of JSON, of pairs ``key=value``, of what servers write of requests.

Names are paths (``http.status``), values as they are seen. Of an array each element is a value of its
own. A line of an object that stands over several lines has the field that it is of. A line of text may end in an object of JSON, and may have pairs and a request at once.
"""

from __future__ import annotations

import re
from unicodedata import normalize

from cloudbang.domain.json_line import Pairs, Value, last_object, read_object
from cloudbang.domain.query.access_tables import CLIENT, SIGN, USER, WAYS
from cloudbang.domain.seen_text import plain_text, write

FIELDS_AT_MOST = 500
LOOKED_AT = 32 * 1024
"""Characters of a line of text that are looked at."""

Field = tuple[str, str]

PAIR = re.compile(
    r"(?:^|[\s(\[{,;|])([A-Za-z_@\u3400-\u9fff][\w.@/\u3400-\u9fff-]{0,100})="
    # In quotes, to the end of the line where they are not closed; or as far as there is no space.
    r"(\"(?:[^\"\\]|\\.)*(?:\"|$)|'[^']*'|(?:(?!\"|[,;][A-Za-z_@][\w.@/-]{0,100}=)\S(?:(?![,;][A-Za-z_@][\w.@/-]{0,100}=)\S)*)?)",
    re.ASCII,
)
_ESCAPE = re.compile(r"\\([\"\\ntr])")
_MEANT = {"n": "\n", "t": "\t", "r": "\r"}
_WAYS = tuple(re.compile(way.pattern, re.ASCII) for way in WAYS)
_SIGN = re.compile(SIGN)
_CLIENT = re.compile(CLIENT, re.ASCII)
_USER = re.compile(USER, re.ASCII)
_CLOSING = {")": "(", "]": "[", "}": "{"}
ORDER = ("method", "target", "protocol", "status", "size", "duration", "referer", "agent")


def fields_of(line: str) -> list[Field]:
    """The fields of a line as it was written, in order. Never raises."""
    text = plain_text(line)
    if "{" in text and (found := _with_json(text)) is not None:
        return found
    if '":' in text and (found := _of_member(text)) is not None:
        return found
    return _of_text(text)


def _of_member(text: str) -> list[Field] | None:
    """Of a line of an object that is written over several lines, one a line: ``"status": 503,``."""
    bare = text.strip(" \t\r\n")
    if bare[:1] != '"':
        return None
    pairs = read_object(f"{{{bare.removesuffix(',')}}}")
    if pairs is None:
        return None
    fields: list[Field] = []
    _flatten(pairs, "", fields)
    del fields[FIELDS_AT_MOST:]
    return fields


def _with_json(text: str) -> list[Field] | None:
    found = last_object(text)
    if found is None:
        return None
    before, pairs = found
    fields = _of_text(before) if before else []
    _flatten(pairs, "", fields)
    del fields[FIELDS_AT_MOST:]
    return fields


def _flatten(pairs: Pairs, before: str, into: list[Field]) -> None:
    for key, value in pairs:
        if len(into) > FIELDS_AT_MOST:
            return
        _take(before + key, value, into)


def _take(path: str, value: Value, into: list[Field]) -> None:
    if isinstance(value, tuple) and value:
        _flatten(value, f"{path}.", into)
    elif isinstance(value, list) and value:
        for one in value[: FIELDS_AT_MOST - len(into)]:
            _take(path, one, into)
    else:
        into.append((path, _composed(write(value))))


def _of_text(text: str) -> list[Field]:
    if len(text) > LOOKED_AT:
        text = text[:LOOKED_AT]
    fields = _of_request(text)
    if "=" in text:
        for name, value in PAIR.findall(text):
            fields.append((name, _value(value)))
            if len(fields) >= FIELDS_AT_MOST:
                break
    return fields


def _value(text: str) -> str:
    if text[:1] == '"' and len(text) > 1:
        closed = text[1:-1] if text.endswith('"') else text[1:]
        return _ESCAPE.sub(lambda found: _MEANT.get(found[1], found[1]), closed)
    if text[:1] == "'" and len(text) > 1:
        return text[1:-1]
    text = text.rstrip(",;")
    while (opening := _CLOSING.get(text[-1:])) and opening not in text:
        text = text[:-1]
    return text


def _of_request(text: str) -> list[Field]:
    if not _SIGN.search(text):
        return []
    for way in _WAYS:
        if found := way.search(text):
            break
    else:
        return []
    groups = found.groupdict()
    fields: list[Field] = []
    for name in ORDER:
        value = groups.get(name)
        if value is None:
            continue
        if name == "target":
            fields += _of_target(value)
        elif value != "-":
            fields.append((name, value))
    if (user := _USER.search(text)) and user[1] != "-":
        fields.append(("user", user[1]))
    client = groups.get("client") or ((other := _CLIENT.search(text)) and other[1])
    if client:
        fields.append(("client", client))
    return fields


def _of_target(target: str) -> list[Field]:
    """Path and query of what was asked for, and the host where it is said."""
    host = ""
    scheme, found, rest = target.partition("://")
    if found and scheme in ("http", "https"):
        host, slash, path = rest.partition("/")
        target = slash + path or "/"
    path, question, query = target.partition("?")
    fields = [("path", path)]
    if question:
        fields.append(("query", query))
    if host:
        fields.append(("host", host))
    return fields


def _composed(text: str) -> str:
    return text if text.isascii() else normalize("NFC", text)
