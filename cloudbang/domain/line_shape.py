"""What can be said of a line by itself, whatever stands around it; entries are made of that."""

from __future__ import annotations

import re

from cloudbang.domain.levels import BLANK, LEVELS, LOOKED_AT, Reading, read
from cloudbang.domain.levels.json_lines import level_of_json
from cloudbang.domain.lines import TEXT_AT
from cloudbang.domain.seen_text import plain_text
from cloudbang.domain.traces import frame, opening

BAD = ("warning", "error")
DETAIL = re.compile(r"\b(?:DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION|BACKTRACE):  ")
SECOND = re.compile(r"(?:SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): ")
DATABASE = re.compile(r"\b(?:DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC):  ")
_PLACE = re.compile(r"\s[\w$.]+\.[\w$]+ [\w$<>]+$")  # a class and a method: java.util.logging
_NUMBERED = re.compile(r"[\w.`+<>,$-]+\[\d+\]$")  # a category and an event: .NET's console
_LOCATION = re.compile(r"(?:/|file://|node:|[A-Za-z]:\\)\S*:\d+$")
_ENDS = re.compile(r"[\s\])][:|-]\s*$")  # a head without its message
_NOTHING = " \t-:|>.*[]"


def text_of(raw: bytes) -> str:
    """The text of a record as it is seen, as far as it is looked at."""
    text = raw[TEXT_AT : TEXT_AT + 4 * LOOKED_AT].decode("utf-8", "replace")[:LOOKED_AT]
    return plain_text(text.rstrip("\r\n"))


class Shape:
    """What can be said of a line by itself."""

    __slots__ = (
        "alone",
        "blank",
        "block",
        "database",
        "dull",
        "exception",
        "failure",
        "frame",
        "heads",
        "indented",
        "language",
        "level",
        "location",
        "message_below",
        "next_line",
        "opening",
        "opens_braces",
        "opens_object",
        "place",
        "plain",
        "timed",
        "tool",
    )  # fmt: skip

    def __init__(self, text: str) -> None:
        """``text`` is a line as it is seen."""
        bare = text.lstrip(BLANK)
        self.blank, self.indented = not bare, text[:1] in (" ", "\t")
        self.frame = self.opening = self.language = ""
        self.opens_braces = text.endswith("{")
        self.location = self.opens_object = self.next_line = False
        self.block = self.message_below = self.database = self.place = False
        if not bare:
            found = NOTHING
        elif (self.indented or text[0] in "#CPWn./-gag>ABDEMRSTabcdefhijklmopqrstuvwxyz") and (
            language := frame(text)
        ):
            found, self.frame = NOTHING, language
        else:
            found = read(bare)
        self.level, self.heads, self.timed = found.level, found.heads, found.timed
        self.failure, self.exception, self.tool = found.failure, found.exception, found.tool
        # `alone`: it belongs to no line before it, whatever those were.
        self.alone = self.dull = found.heads and bare[:1] == "{"
        self.plain = False
        if self.frame or not bare or self.alone:
            return
        if found.failure or not found.heads:
            self.opening = opening(text)
            if bare.startswith(("panic: ", "fatal error: ")):
                self.language = "go"
            self.location = _LOCATION.match(bare) is not None
            self.opens_object = bare == "{"
            self.next_line = found.failure and bare.endswith(":")
        if found.heads and not found.failure:
            message = bare[found.message :].strip()
            nothing = not message.strip(_NOTHING) or _ENDS.search(bare[-8:]) is not None
            self.message_below = nothing or _NUMBERED.match(message) is not None
            self.block = nothing and found.level in BAD
            self.database = found.level is not None and DATABASE.search(bare, 0, 200) is not None
            self.place = found.timed and found.level is None and _PLACE.search(bare) is not None
        if found.heads and not self.opening and (found.timed or not self.indented):
            if found.timed:
                self.alone = DETAIL.search(bare, 0, 200) is None
            else:
                self.alone = found.failure or SECOND.match(bare) is None
        # `plain`: nothing but what it follows could make it a part of that. `dull`: nothing that
        # is plain belongs to it.
        self.plain = not (self.indented or self.opening or found.heads)
        self.dull = not (
            found.level in BAD
            or found.failure
            or (self.opening or self.language or self.location or self.opens_object)
            or (self.message_below or self.next_line or self.database or self.place)
        )


NOTHING = Reading(None, False, 0)
DIGITS = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
JSON_SHAPES = {
    level: Shape(f'{{"level":"{level}"}}' if level else '{"a":0}') for level in (*LEVELS, None)
}
KNOWN_AT_MOST, KNOWN_BYTES = 8_192, 300
known: dict[bytes, Shape] = {}
"""By the text of lines with every digit a 0, and their LF."""


def shape_of(raw: bytes) -> Shape:
    """Of a record. Most lines are as others were but for their numbers: those are known."""
    key = raw[TEXT_AT:].translate(DIGITS) if len(raw) <= KNOWN_BYTES else b""
    shape = known.get(key)
    if shape is None and raw[TEXT_AT] == 0x7B:  # {
        is_json, level = level_of_json(text_of(raw))
        if is_json:
            return JSON_SHAPES[level]
    if shape is None:
        shape = Shape(text_of(raw))
        # Of these it is a number that may say the level.
        if key and raw[TEXT_AT] not in b"{<" and b'{"' not in key:
            if len(known) >= KNOWN_AT_MOST:
                known.clear()
            known[key] = shape
    return shape
