"""The level of a line that is text: its head is read token by token, up to the message."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from cloudbang.domain.first_sets import ASCII, first_set
from cloudbang.domain.levels import text_tables as tables
from cloudbang.domain.levels.json_lines import level_of_json
from cloudbang.domain.levels.way import Way
from cloudbang.domain.levels.words import LETTERS, LEVEL_OF_NAME, REDIS, named, syslog

TOKENS = 14  # of a head
HEAD = 240  # characters
FEW = 5  # rows that are tried one by one sooner than all of a table at once


class Reading(NamedTuple):
    """What a line says of itself. ``heads``: it begins as a line of a log does, with a time or
    with its level, or as what a runtime announces, and so belongs to no line before it."""

    level: str | None
    heads: bool
    message: int  # where its message may begin
    failure: bool = False  # it is what a runtime says of a failure, not a line of a log
    exception: bool = False  # a failure as languages print it, which a line before may tell of
    timed: bool = False
    tool: bool = False  # a sign that tools of the command line put before a sentence


def _expression(ways: Sequence[Way], first: int = 0) -> str:
    """Rows as one expression; the group that was found is called as its row, ``w0``."""
    rows = []
    for i, way in enumerate(ways, first):
        parts = re.split(r"<<(.*?)>>", way.pattern)
        pattern = parts[0]
        for n, (word, rest) in enumerate(zip(parts[1::2], parts[2::2], strict=True)):
            pattern += f"(?P<w{i}_{n}>{word}){rest}"
        rows.append(f"(?P<w{i}>{pattern})")
    return "|".join(rows)


Matches: TypeAlias = "Callable[..., re.Match[str] | None]"


class _Table:
    """The rows of a table at work."""

    def __init__(self, ways: Sequence[Way]) -> None:
        expression = re.compile(_expression(ways))
        self.ways = ways
        self.whole, self.fullmatch = expression.match, expression.fullmatch
        # Of each row the groups of the words in it.
        groups = expression.groupindex
        self._rows = {f"w{i}": i for i in range(len(ways))}
        self._words = [
            [name for name in groups if name.startswith(f"w{i}_")] for i in range(len(ways))
        ]
        # Each row with what it may begin with, read once: a line is not to wait for it.
        self._each = [
            (row, first_set(row)) for i, way in enumerate(ways) for row in (_expression([way], i),)
        ]
        # By the character that a line has there, the few rows that may begin with it.
        self._few: dict[str, tuple[Matches, ...]] = {}
        self.match: Matches = self._match_few if len(ways) > FEW else expression.match

    def _match_few(self, text: str, at: int = 0) -> re.Match[str] | None:
        """What the first row finds there that finds anything."""
        few = self._few.get(text[at : at + 1])
        if few is None:
            few = self._rows_of(text[at : at + 1])
        for matches in few:
            if found := matches(text, at):
                return found
        return None

    def _rows_of(self, char: str) -> tuple[Matches, ...]:
        if not char or char not in ASCII:
            return (self.whole,)
        able = [row for row, first in self._each if char in first]
        few: tuple[Matches, ...] = (self.whole,)
        if len(able) <= FEW:
            few = tuple(re.compile(row).match for row in able)
        self._few[char] = few
        return few

    def level(self, found: re.Match[str]) -> str | None:
        """The level that the row which was found gives."""
        number = self.row(found)
        for group in self._words[number]:
            if word := found[group]:
                break
        else:
            return self.ways[number].level
        if (level := LEVEL_OF_NAME.get(word.lower())) is not None:
            return level
        if word.isdecimal():
            return syslog(int(word))
        if len(word) == 1:
            return LETTERS.get(word.upper()) or REDIS.get(word)
        return named(word.rstrip("!").split(" ")[0])

    def row(self, found: re.Match[str]) -> int:
        """The number of the row that was found."""
        return self._rows[found.lastgroup or ""]


STARTS = _Table(tables.STARTS)
HEADS = _Table(tables.HEADS)
NAMED = _Table(tables.NAMED)
NAMES = _Table(tables.NAMES)
BRACKETS = _Table(tables.BRACKETS)
BEHIND_TIME = _Table(tables.BEHIND_TIME)
SENTENCES = _Table(tables.SENTENCES)
SHAPES = _Table(tables.SHAPES)

_TIME = re.compile(tables.TIME)
_STARTS_BEGIN = frozenset("<%(#:[*0123456789IWEFTDVNCXAew")
_TIME_BEGINS = frozenset("0123456789JFMASONDTW")  # of numbers, months and days
_BRACKET = re.compile(
    r"(?:\[([^\[\]]{0,130})\]|<((?=[\dA-Z][\da-z ])[^<>]{1,150}|[^<>\s]{1,60}|[a-z]+ [^<>\s]{1,60})>(?::\d+)?|【([^】]{1,10})】|\(([^()]{0,60})\)|\{[^{}\"]{0,60}\})[:,;]?"
)
_OPEN = "[<【({"
_FILLER = re.compile(
    r"[#+]?\d[\w.:#+()-]*,?(?=$|[\s|\[])|[│┃╷╵├└─➤┌╭╰▲›»➜●⬤]+|[*!]{2,8}(?=[\s<\[(])|#{2,8}(?=<)|==\d+==(?=[\sA-Z])|[->.,=+]{1,5}(?=$|[\s:|\[])|[|:]+(?!-)"
    r"|[\w.]+=(?:\"[^\"]*\"|[^\s\"]*),?(?=$|[\s:|\[])"
)
# … and a program with what it looks after, a tool with a space before its colon, a place in code.
_PROGRAM = re.compile(
    r"[\w./@()+$<>,-]++(?::/[\w./-]+)?(?: ?\[\d+(?::\d+)?\])?(?::\d+){0,2}:(?=\s|$)"
    r"|[\w./-]+\[\d+(?::\d+)?\](?= [<*])|[\w./@-]+\.\w{1,5}:\d+:\d+(?= - )"
    r"|[\w-]{2,20} [\w./-]{1,40}:(?= (?:fatal|error|warning|info): )"
    r"|[A-Z]{2,10} :(?= (?:fatal )?(?:error|warning) )"
    r"|[\w./<>-]+\.[a-z]{1,4}:\d+(?= [A-Z]\w*Warning: )"
)
_NAME_BEFORE_TIME = re.compile(
    rf"[A-Za-z][\w.-]{{1,30}} (?={tables.CLOCK} +(?:{tables.CAPITALS})\s)"
    rf"|[a-z][\w.-]{{1,30}} (?={tables.DATE}[T ]{tables.CLOCK})"
)
_UPTIME = re.compile(r"\d{1,7}\.\d{3}(?= +[A-Z])")
_FIGURE = re.compile(r" ?:?\s*(?:0|none|off|on|true|false|yes|no|n/a|disabled|enabled)\s*$")
_NAME = re.compile(r"[^\s|]+")
_NAMELIKE = re.compile(r"[.:/@_#$\d-]")
_OBJECT = re.compile(r'\{\s*"')
_PLAIN = re.compile(r"[A-Za-z]+[,;]?")
_MODULE = re.compile(r"(?!ANY|ALL|AND|FOR|GET|NOT|PUT|THE)[A-Z]{3}")
_PROSE = re.compile(r"[A-Z0-9]+ [a-z]{2,}(?=\s|$)")
_KEY = re.compile(r"[\w.@/-]++=")
_LOGFMT = re.compile(
    rf"""(?:[\w.@/-]+=(?:"(?:[^"\\]++|\\.)*+"|'[^']*'(?=[\s,])|[^\s"]*+)[\s,]++){{0,40}}?"""
    rf"""(?:{tables.LEVEL_KEYS})=(?:"([^"]{{1,20}})"|'([^']{{1,20}})'|([^\s,"]{{1,20}}))"""
)
_FAILED_PAIR = re.compile(
    r"""(?<![\w.-])(?:err|error|exception)=(?:"[^"]{4,}|'[^']{4,}|(?!(?:nil|null|none|false|true|no|yes)\b)[A-Za-z][\w.:-]{3,})"""
)
_ENDING, _COULD_NOT = (re.compile(way.pattern) for way in tables.ENDINGS)
_NUMBER = re.compile(r" \(\d+\)$")  # the number of what the system answered
_CONTAINER = re.compile(r"(?:\d+\|)?[\w.@-]{1,60} {1,40}\| ?(?=\S)")
_MESSAGE_OF_PHP = re.compile(r"NOTICE: PHP message: ")


def level_of_object(text: str) -> tuple[bool, str | None]:
    """Whether it is an object of JSON (or the beginning of one), and its level."""
    return level_of_json(text, _level_of_line)


def _level_of_line(text: str) -> str | None:
    """Of a line within a line, where it begins as a line of a log does; JSON in it says nothing."""
    text = text.lstrip(" \t\ufeff")
    found = read_text(text)
    return found.level if found.heads and not text.startswith("{") else None


def read_text(text: str) -> Reading:
    """What the line says of itself; ``text`` is as it is seen, with nothing blank before it."""
    if text[:1] in _STARTS_BEGIN and (found := STARTS.match(text)):
        return Reading(STARTS.level(found), True, found.end())
    if text.startswith("NOTICE: PHP"):
        text = _MESSAGE_OF_PHP.sub("", text, count=1)
    reading = _head(text[:HEAD])
    if reading.level is None and not reading.heads and _answered(text):
        return Reading("error", True, 0, failure=True)
    if reading.level is None and "|" in text[:80] and (found := _CONTAINER.match(text)):
        rest = text[found.end() :]
        inner = level_of_object(rest) if rest.startswith("{") else (False, None)
        behind = Reading(inner[1], True, 0) if inner[0] else read_text(rest)
        if behind.level is not None:
            return behind._replace(message=found.end() + behind.message, heads=True)
    if reading.level is None and text[reading.message : reading.message + 1] == "{":
        is_json, level = level_of_object(text[reading.message :])
        if is_json:
            return reading._replace(level=level)
    return reading


def _head(text: str) -> Reading:
    at, plain, programs, end = 0, 0, 0, len(text)
    timed = message = numbered = False
    outer: str | None = None  # of a wrapper, if what it wraps does not say
    first = place = True  # `place`: a sentence may begin here
    pairs, two = "=" in text, ":  " in text
    shaped = (
        "rror" in text or "xception" in text or "Failure" in text or "Fault" in text
        or ":in " in text or "*** " in text or "recovered:" in text
        or "arning" in text or " failed" in text or "FAILED" in text or " line " in text or "segfault" in text or "general protection" in text
        or "RROR: " in text
    )  # fmt: skip
    for _ in range(TOKENS):
        while at < end and text[at] in " \t":
            at += 1
        if at >= end:
            break
        char = text[at]
        if char == '"' and first and text[1:2].isdigit():
            at += 1
            char = text[at]
        if char in _TIME_BEGINS and (found := _TIME.match(text, at)):
            timed, first, place = True, False, True
            at = found.end()
            continue
        if first and char.isalnum():
            if char.isdigit():
                if found := _UPTIME.match(text, at):
                    timed, first, at = True, False, found.end()
                    continue
            elif (found := _NAME_BEFORE_TIME.match(text, at)) and found[0][
                :-1
            ] not in LEVEL_OF_NAME:
                first, at = False, found.end()
                continue
        if char == "{" and (first or _OBJECT.match(text, at)):
            return Reading(None, timed, at, timed=timed)
        if pairs and _KEY.match(text, at):
            if found := _LOGFMT.match(text, at):
                level = named(found[1] or found[2] or found[3])
                return Reading(level, timed or level is not None, at, timed=timed)
            if first:
                failed = _FAILED_PAIR.search(text, at) is not None
                return Reading("error" if failed else None, timed or failed, at, timed=timed)
        if (
            # What begins otherwise is at most a prefix of a database, which has two spaces.
            (char.isalpha() or char in '|.,;"' or two)
            and (found := HEADS.match(text, at))
            and _fits(found, text, at, timed=timed, plain=plain, message=message)
            and (level := HEADS.level(found))
        ):
            if first and text.startswith("Error: ", at):
                return Reading(level, False, at, failure=True, exception=True)
            if level in ("info", "debug") and HEADS.row(found) == _FACILITY:
                outer, at, first = level, found.end(), False
                continue
            return Reading(level, True, found.end(), timed=timed)
        if (first or message) and (found := NAMED.match(text, at)):
            return Reading(NAMED.level(found), True, found.end(), timed=timed)
        if place and not char.isdigit():
            table = SENTENCES
            found = SENTENCES.match(text, at)
            if not found and shaped:
                table, found = SHAPES, SHAPES.match(text, at)
            if found and (level := table.level(found)):
                row = table.ways[table.row(found)].name
                told, tool = row in tables.EXCEPTIONS and not timed, row in tables.TOOLS
                return Reading(level, not told, at, not timed and not tool, told, timed, tool)
        place = False
        if char in _OPEN:
            found = _BRACKET.match(text, at)
            if found:
                inner = found[1] or found[2] or found[3]
                if found[4] and plain == 0 and found[4].isalpha() and len(found[4]) > 1:
                    inner = found[4]
                if inner:
                    if time := _TIME.match(inner):
                        timed = True
                        behind = BEHIND_TIME.fullmatch(inner, time.end())
                        level = BEHIND_TIME.level(behind) if behind else None
                    else:
                        level = _bracket(inner, first=first)
                    if level:
                        return Reading(level, True, found.end(), timed=timed)
                at, first, place = found.end(), False, True
                continue
            if char == "[" and (found := _TIME.match(text, at + 1)):
                timed, first, place = True, False, True
                at = found.end()
                continue
            break
        if found := _FILLER.match(text, at):
            at, first, numbered = found.end(), False, char.isdigit()
            place = not numbered or text[at - 1] == ":"
            continue
        if found := _PROGRAM.match(text, at):
            programs += 1
            if programs > (3 if timed else 2):
                break
            at, first, message, place = found.end(), False, True, True
            continue
        found = _NAME.match(text, at)
        if not found or not timed or message:
            break
        if "[" in found[0] and (ending := NAMES.fullmatch(found[0])):
            return Reading(NAMES.level(ending), True, found.end(), timed=True)
        if _PLAIN.fullmatch(found[0]):
            plain += not (numbered and _MODULE.fullmatch(found[0]))
            if plain > 2:
                break
        elif not _NAMELIKE.search(found[0]):
            break
        at, first = found.end(), False
    return Reading(outer, timed, at, timed=timed)


def _answered(text: str) -> bool:
    """Whether a program tells what the system answered it."""
    said = text.rstrip(".!")
    if said.endswith(")"):
        said = _NUMBER.sub("", said).rstrip(")")
    answered = said.endswith(tables.ANSWERS) and _ENDING.match(text) is not None
    counted = said.endswith((" failed", " FAILED")) and said[:-7][-1:].isdigit()
    return not counted and (answered or (": " in text[:60] and _COULD_NOT.match(text) is not None))


_ROW = {way.name: number for number, way in enumerate(tables.HEADS)}
_CAPITALS, _LOG = _ROW["a word in capitals"], _ROW["LOG, of a database"]
_COLON, _COLUMN = _ROW["a word and a colon"], _ROW["a column"]
_LETTER, _LETTER_COLON = _ROW["a letter behind a time"], _ROW["a letter and a colon, behind a time"]
_SEPARATED = _ROW["between separators"]
_COLON_TIME = _ROW["a word behind a time and a colon"]
_ID = _ROW["an id of a message that ends in its level"]
_BEFORE_PROGRAM = _ROW["a word before a program and its number"]
_FACILITY = _ROW["behind the facility of syslog"]
_OWN_NAME = _ROW["behind a name of its own"]


def _fits(
    found: re.Match[str], text: str, at: int, *, timed: bool, plain: int, message: bool
) -> bool:
    """Whether what stands before lets this row be meant."""
    number = HEADS.row(found)
    if number in (_CAPITALS, _COLON) and _FIGURE.fullmatch(text, found.end()):
        return text[found.end() :].strip(" :") == ""
    if number == _CAPITALS:
        if text.startswith(" SUMMARY: 0", found.end()):
            return False
        if message:
            return text[found.end() : found.end() + 1] == ":" or not (
                plain or not timed or _PROSE.match(text, at)
            )
        if plain:
            return _PROSE.match(text, at) is None
        return True
    if number in (_COLUMN, _LETTER):
        return timed and not message and (number == _COLUMN or plain == 0)
    if number == _LOG:
        return (timed or text.startswith("LOG:  ", at)) and not message
    if number in (_COLON, _ID):
        return plain <= (1 if number == _COLON else 2)
    if number in (_BEFORE_PROGRAM, _FACILITY):
        return timed and not message and plain <= (number == _FACILITY)
    if number == _OWN_NAME:
        return timed
    if number == _LETTER_COLON:
        return timed
    if number in (_SEPARATED, _COLON_TIME):
        behind = number == _SEPARATED or text[at - 2 : at] == ": "
        return timed and plain == 0 and not message and behind
    return plain == 0


def _bracket(inner: str, *, first: bool) -> str | None:
    found = BRACKETS.fullmatch(inner)
    if not found or (first and len(inner) == 1):
        return None
    return BRACKETS.level(found)
