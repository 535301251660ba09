"""What can be said of a line by itself, whatever stands around it; entries are made of that."""

from __future__ import annotations

import re

from cloudbang.domain.levels import BLANK, LEVELS, LOOKED_AT, Reading, read
from cloudbang.domain.levels.text_lines import level_of_object
from cloudbang.domain.levels.text_tables import CAPITALS
from cloudbang.domain.levels.words import FOREIGN, FOREIGN_DETAILS
from cloudbang.domain.lines import TEXT_AT
from cloudbang.domain.seen_text import plain_text
from cloudbang.domain.stamps import stamp_of
from cloudbang.domain.traces import BOXES, frame, opening

BAD = ("warning", "error")
DETAIL = re.compile(
    r"\b(?:DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION|BACKTRACE"
    rf"|{FOREIGN_DETAILS}):  "
)
SECOND = re.compile(
    rf"(?:SEVERE|ERROR|WARNING|WARN|INFO|CONFIG|DEBUG|TRACE|FINE|FINER|FINEST|{FOREIGN}): "
)
DATABASE = re.compile(
    rf"\b(?:DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|错误|警告|{FOREIGN}):  "
)
_PLACE = re.compile(
    r"\s[\w$.]+\.(?:[\w$]+ [\w$<>]+|[\w$]+\(\)|[A-Z][\w$]+)$"
)  # a class and a method: java.util.logging
_NUMBERED = re.compile(r"[\w.`+<>,$-]+\[\d+\]$")  # a category and an event: .NET's console
_LOCATION = re.compile(r"(?:/|file://|node:|[A-Za-z]:\\)\S*:\d+$")
_ENDS = re.compile(r"[\s\])][:|-]\s*$")  # a head without its message
_NOTHING = " \t-:|>.*[]"
_REMARK = re.compile(r"\([\w ]{1,20}\)")
_SIGNS = frozenset("✓✔○●◐▲➜⚠⨯✖✗✘ℹ❌")  # of tools: what begins with one stands for itself
# What a tool does, in a column of its own to the right: it stands for itself.
_STEP = re.compile(r"(?=.{12} )(?!\s{6}\S)\s{2,8}[A-Z][a-z]{3,9}(?:ed|ing|sh|tion) ")
_REPORT = re.compile(r"=[A-Z]+ REPORT====")


def whole_text(raw: bytes) -> str:
    """The text of a record as it is seen, as far as it is looked at."""
    text = raw[TEXT_AT : TEXT_AT + 4 * LOOKED_AT].decode("utf-8", "replace")[:LOOKED_AT]
    return plain_text(text.rstrip("\r\n"))


def text_of(raw: bytes) -> str:
    """The same without the tag of its process."""
    text = whole_text(raw)
    return text[len(tag_of(text)) :]


def tag_of_record(raw: bytes) -> str:
    """What stands in a record before what its process writes."""
    return tag_of(plain_text(raw[TEXT_AT : TEXT_AT + 200].decode("utf-8", "replace")))


# What some put before each line of what another process, rank, container or request writes.
_TAG = re.compile(
    r"(?:\((?:[\w.-]+ )?(?:[\w.-]+=[\w.]+[, ]{0,2}){1,4}\)|\[(?:rank|proc|worker)\d+\]:|\[(?=[0-9-]*[a-f])[0-9a-f][0-9a-f-]{6,36}\]|==\d+=="
    rf"|(?!(?i:{CAPITALS}) )(?:[\w.@-]*[-._]\d+|[A-Za-z][\w.@-]+) +\|)(?: |$)"
)


def tag_of(text: str) -> str:
    """What stands before each line of one process: its lines are read without it."""
    if text[:1] in ("(", "[", "=") or "|" in text[:40]:
        found = _TAG.match(text)
        return found[0] if found else ""
    return ""


class Shape:
    """What can be said of a line by itself."""

    __slots__ = (
        "alone",
        "blank",
        "block",
        "boxed",
        "database",
        "detail",
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
        "stamp",
        "tagged",
        "timed",
        "tool",
        "unfinished",
    )  # fmt: skip

    def __init__(self, text: str, *, tagged: bool = False) -> None:
        """``text`` is a line as it is seen, without the tag of its process if it is ``tagged``."""
        self.tagged = tagged
        bare = text.lstrip(BLANK)
        self.blank = not bare
        self.indented = text[:1] in (" ", "\t") and bare[:1] not in _SIGNS
        if self.indented and text[:2] == "  " and _STEP.match(text):
            self.indented = False
        self.boxed = self.detail = False
        self.stamp = ""
        self.frame = self.opening = self.language = ""
        self.opens_braces = text.endswith("{")
        self.location = self.opens_object = self.next_line = False
        self.block = self.message_below = self.database = self.place = False
        if not bare:
            found = NOTHING
        elif language := frame(text):
            found, self.frame = NOTHING, language
        else:
            found = read(bare)
        self.level, self.heads, self.timed = found.level, found.heads, found.timed
        self.failure, self.exception, self.tool = found.failure, found.exception, found.tool
        # `alone`: it belongs to no line before it, whatever those were.
        self.alone = self.dull = found.heads and bare[:1] == "{"
        self.unfinished = self.alone and not bare.rstrip().endswith("}")
        if self.unfinished:
            self.dull = False
        self.plain = False
        if self.frame or not bare or self.alone:
            return
        if not bare[0].isascii():
            self.language, self.boxed = "box" if bare[0] in BOXES else "", bare[0] in "│└╵╰├"
        self.detail = self.indented and not found.timed and bare[0].islower()
        if found.failure or not found.heads:
            self.opening = opening(text)
            if bare.startswith(("panic: ", "fatal error: ")):
                self.language = "go"
            elif found.failure and bare.startswith("Error in "):
                self.language = "r"
            self.location = _LOCATION.match(bare) is not None
            self.opens_object = bare == "{"
            self.next_line = found.failure and bare.rstrip().endswith(":")
        if found.heads and not found.failure:
            # An object may be what a line says, and stand below it.
            self.opens_object = bare.endswith((" {", " = ["))
            message = bare[found.message :].strip()
            nothing = (
                not message.strip(_NOTHING)
                or _REMARK.fullmatch(message) is not None
                or _ENDS.search(bare[-8:]) is not None
            )
            self.message_below = (
                nothing or message.isdecimal() or _NUMBERED.match(message) is not None
            )
            self.block = nothing and found.level is not None
            two = ":  " in bare[:202]
            self.database = (
                two and found.level is not None and DATABASE.search(bare, 0, 200) is not None
            )
            self.place = found.timed and found.level is None and _PLACE.search(bare) is not None
        if found.level is not None and "REPORT====" in bare[:80] and _REPORT.search(bare, 0, 80):
            self.language, self.message_below = "erlang", True
        if found.heads and not self.opening and (found.timed or not self.indented):
            if found.timed:
                self.alone = ":  " not in bare[:202] or DETAIL.search(bare, 0, 200) is None
            else:
                # A failure may be what is announced, and a block has its own within.
                self.alone = not (found.failure or self.boxed) and SECOND.match(bare) is None
            if stamp := stamp_of(text):
                self.stamp, self.alone = stamp, False
                self.frame = frame(text[len(stamp) :])
        # `plain`: nothing but what it follows could make it a part of that. `dull`: nothing that
        # is plain belongs to it.
        self.plain = not (
            self.indented or self.opening or found.heads or bare.startswith(CONTINUES)
        )
        self.dull = not (
            found.level in BAD
            or found.failure
            or (self.opening or self.language or self.location or self.opens_object)
            or (self.message_below or self.next_line or self.database or self.place)
            or (found.timed and bare[-1] == ":")
        )


CONTINUES = "-->"
"""What some put before each further line of a message."""
NOTHING = Reading(None, False, 0)
DIGITS = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
JSON_SHAPES = {
    level: Shape(f'{{"level":"{level}"}}' if level else '{"a":0}') for level in (*LEVELS, None)
}
KNOWN_AT_MOST, KNOWN_BYTES = 8_192, 300
UNFINISHED = {
    level: Shape(f'{{"level":"{level}",' if level else '{"a":0,') for level in (*LEVELS, None)
}
known: dict[bytes, Shape] = {}
"""By the text of lines with every digit a 0, and their LF."""


def shape_of(raw: bytes) -> Shape:
    """Of a record. Most lines are as others were but for their numbers: those are known."""
    key = raw[TEXT_AT:].translate(DIGITS) if len(raw) <= KNOWN_BYTES else b""
    shape = known.get(key)
    if shape is None and raw[TEXT_AT] == 0x7B:  # {
        text = whole_text(raw)
        is_json, level = level_of_object(text)
        if is_json:
            ends = text.endswith("}") or len(text) >= LOOKED_AT or text.rstrip().endswith("}")
            return (JSON_SHAPES if ends else UNFINISHED)[level]
    if shape is None:
        text = whole_text(raw)
        tag = tag_of(text)
        shape = Shape(text[len(tag) :], tagged=tag != "")
        # Of these it is a number that may say the level.
        if key and raw[TEXT_AT] not in b"{<" and b'{"' not in key:
            if len(known) >= KNOWN_AT_MOST:
                known.clear()
            known[key] = shape
    return shape
