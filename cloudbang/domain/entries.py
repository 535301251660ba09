"""Entries of a log: a line, and the lines that belong to it.

Programs write one thing over several lines: a failure and its trace, a message that has lines, a
statement below its error. An *entry* is all lines of one container and stream from its first to its
last; what others write between is none of it. An entry is known from its lines alone, read in
order: it may grow, and take in lines that stood alone until a frame proved that they are its own; it
never gives one back. So who has read from an earlier line on knows of an entry at least what who
began later does.

A line that begins as a line of a log does, with a time or its level, belongs to no line before it
but for the few that a database or a logger of two lines writes so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cloudbang.domain.ansi import strip
from cloudbang.domain.levels import BLANK, LOOKED_AT, Reading, read
from cloudbang.domain.levels.text_tables import TIME
from cloudbang.domain.lines import TEXT_AT, record_ns
from cloudbang.domain.traces import frame, goes_on, opening

NEAR_NS = 1_500_000_000  # lines of one entry come at once; what comes later is something else
LINES_AT_MOST = 1_000
BYTES_AT_MOST = 1024 * 1024
WAITING_AT_MOST = 40  # lines that a frame may still prove to be of the entry before them
STREAMS_AT_MOST = 1_000  # of containers that are gone
BLOCK = 60  # lines of a message below a head that says nothing itself

BAD = ("warning", "error")

_TIME = re.compile(TIME)
_DETAIL = re.compile(r"\b(?:DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION|BACKTRACE):  ")
_DATABASE = re.compile(r"\b(?:DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC):  ")
_PLACE = re.compile(r"\s[\w$.]+\.[\w$]+ [\w$<>]+$")  # a class and a method: java.util.logging
_SECOND = re.compile(r"(?:SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): ")
_NUMBERED = re.compile(r"[\w.`+<>,$-]+\[\d+\]$")  # a category and an event: .NET's console
_LOCATION = re.compile(r"(?:/|file://|node:|[A-Za-z]:\\)\S*:\d+$")
_ENDS = re.compile(r"[\s\])][:|-]\s*$")  # a head without its message
_CARET = re.compile(r"\s*[\^~]+\s*$")
_LAST = re.compile(r"[A-Za-z_][\w.]*(?:: .*|:)?$")  # what a traceback of Python ends with
_MEMBER = re.compile(r'(\s+)"([\w.@]+)"\s*:\s*("?[\w+-]*)')
_NOTHING = " \t-:|>.*[]"


class Entry:
    """Lines from ``first`` to ``last`` (seqs) of one container and stream."""

    __slots__ = ("container", "first", "last", "level", "lines", "size", "stream")

    def __init__(self, seq: int, raw: bytes, level: str | None) -> None:
        self.first = self.last = seq
        self.container, self.stream = raw[31:43], raw[44:50]
        self.level = level
        self.lines, self.size = 1, len(raw)

    @property
    def extent(self) -> tuple[int, int, str | None, str, str]:
        """As the API and the live socket say it."""
        container, stream = (
            self.container.decode("ascii", "replace"),
            self.stream.decode("ascii", "replace"),
        )
        return (self.first, self.last, self.level, container, stream)

    def take(self, seq: int, size: int) -> None:
        self.last = seq
        self.lines += 1
        self.size += size


class _Waiting:
    """A line that stands alone until a frame proves otherwise."""

    __slots__ = ("failure", "raw", "seq")

    def __init__(self, seq: int, raw: bytes, failure: bool) -> None:
        self.seq, self.raw, self.failure = seq, raw, failure


class _Stream:
    """What one container writes to one stream: the entry that is open, and what may become of it."""

    __slots__ = (
        "begins", "block", "braces", "database", "entry", "failing", "framed", "indent", "json", "language",
        "last_time", "location", "message_below", "next_line", "place", "prefix", "tool", "waiting",
    )  # fmt: skip

    def __init__(self) -> None:
        self.entry: Entry | None = None
        self.waiting: list[_Waiting] = []
        self.last_time = b""
        self.begins = self.framed = self.failing = False
        self.language = self.prefix = self.indent = ""
        self.block = self.json = self.message_below = self.database = self.place = False
        self.location = self.next_line = self.braces = self.tool = False

    # -- what a line is

    def feed(self, seq: int, raw: bytes, text: str, bare: str) -> tuple[str | None, Entry | None]:
        """The level that the line gives itself, and the entry of several lines that it is in."""
        entry = self.entry
        near = entry is not None and self._near(raw)
        self.last_time = raw[:30]
        if not bare:
            return None, self._blank(seq, raw, near)
        indented = text[0] in " \t"
        language = ""
        if indented or text[0] in "#CPWn./-gag>" or self.framed:
            language = frame(text)
            if language == "ruby" and text[0] not in " \t" and ": " in text:
                language = ""
        if language:
            self.braces = text.endswith("{")
            return self._frame(seq, raw, language, near)
        if indented and near and self.language == "python" and self.framed and not self.waiting:
            found = read(bare) if bare[0].isdigit() or bare[0] == "[" else None
            if found is None or not found.timed:
                return None, self._join(seq, raw)
        if self.braces and near:
            self.braces = text[0] not in "}]"
            return None, self._join(seq, raw)
        found = read(bare)
        if near and entry is not None and (joined := self._special(seq, raw, text, found)):
            return found.level, joined
        if near and entry is not None and (language := opening(text)):
            return found.level, self._open(seq, raw, bare, language, found)
        if found.heads:
            self._begin(seq, raw, bare, found)
            return found.level, None
        if near and entry is not None:
            if goes_on(self.language, text):
                if self.language == "ended":
                    self.language = "between"
                self._pull(self.waiting)
                return found.level, self._join(seq, raw)
            if self.location and _CARET.match(text):
                return found.level, self._caret(seq, raw)
            if self._is_taken(text, bare, indented, found):
                return found.level, self._join(seq, raw)
            told = not found.exception or (entry.level in BAD and not self.framed)
            if told and len(self.waiting) < WAITING_AT_MOST and not _LOCATION.match(bare):
                self.waiting.append(_Waiting(seq, raw, found.exception))
                return found.level, None
        self._begin(seq, raw, bare, found)
        return found.level, None

    def _near(self, raw: bytes) -> bool:
        entry = self.entry
        assert entry is not None
        if entry.lines >= LINES_AT_MOST or entry.size >= BYTES_AT_MOST:
            return False
        before = self.last_time
        return raw[:19] == before[:19] or abs(record_ns(raw) - record_ns(before)) <= NEAR_NS

    # -- what becomes of it

    def _begin(self, seq: int, raw: bytes, bare: str, found: Reading) -> None:
        self.entry = Entry(seq, raw, found.level)
        self.waiting = []
        self.framed = False
        self.language = opening(bare)
        if self.language == "" and found.failure and bare.startswith(("panic: ", "fatal error: ")):
            self.language = "go"
        self.begins, self.failing = found.heads and not found.failure, found.failure
        self.location = _LOCATION.match(bare) is not None
        self.braces, self.tool = False, found.tool
        self.json = bare == "{"
        self.indent = ""
        message = bare[found.message :].strip()
        bad = found.level in BAD
        nothing = not message.strip(_NOTHING) or _ENDS.search(bare) is not None
        self.message_below = self.begins and (nothing or _NUMBERED.match(message) is not None)
        self.block = bad and self.begins and nothing
        self.next_line = found.failure and bare.endswith(":")
        self.database = found.level is not None and _DATABASE.search(bare, 0, 200) is not None
        self.prefix = ""
        self.place = found.timed and found.level is None and _PLACE.search(bare) is not None
        if self.database:
            self.prefix = self._prefix(bare, _DATABASE)

    @staticmethod
    def _prefix(bare: str, word: re.Pattern[str]) -> str:
        """What stands between the time and this word: which process says it."""
        time, found = _TIME.match(bare), word.search(bare, 0, 200)
        return bare[time.end() if time else 0 : found.start() if found else 0]

    def _join(self, seq: int, raw: bytes) -> Entry | None:
        entry = self.entry
        if entry is None:
            return None
        entry.take(seq, len(raw))
        return entry

    def _pull(self, lines: Sequence[_Waiting]) -> None:
        if self.entry is not None:
            for one in lines:
                self.entry.take(one.seq, len(one.raw))
        self.waiting = []

    def _blank(self, seq: int, raw: bytes, near: bool) -> Entry | None:
        entry = self.entry
        if not near or entry is None or self.json:
            self.entry, self.waiting = None, []
            return None
        self.next_line = False
        if self.waiting or not (entry.level in BAD or self.framed):
            if len(self.waiting) < WAITING_AT_MOST:
                self.waiting.append(_Waiting(seq, raw, failure=False))
            return None
        return self._join(seq, raw)

    def _frame(
        self, seq: int, raw: bytes, language: str, near: bool
    ) -> tuple[str | None, Entry | None]:
        """A true frame: it takes what waits with it, to where its failure began."""
        entry, waiting = self.entry, self.waiting
        if entry is None or not near:
            # Its beginning is not known: it is read from its middle on, or comes late.
            self.entry, self.waiting = Entry(seq, raw, None), []
            self.begins = self.failing = self.location = self.json = self.block = False
            self.message_below = self.database = self.place = self.next_line = False
            self.framed, self.language = True, language
            self.entry.level = "error"
            return None, None
        start = self._start_of(waiting)
        if start is None:
            self._pull(waiting)
        else:
            rest = waiting[start + 1 :]
            self.entry = entry = Entry(waiting[start].seq, waiting[start].raw, "error")
            self._pull(rest)
            self.begins, self.failing, self.location = False, True, False
        self.framed, self.language = True, language
        self.block = self.next_line = self.message_below = False
        if entry.level is None:
            entry.level = "error"
        return None, self._join(seq, raw)

    def _start_of(self, waiting: Sequence[_Waiting]) -> int | None:
        """Which of the lines that wait the failure begins with; None: the entry itself."""
        if not waiting:
            return None
        assert self.entry is not None
        failure = next((i for i, one in enumerate(waiting) if one.failure), None)
        if self.entry.level in BAD or self.framed:
            # A line of a log is followed by what it tells of; a failure by none but its own frames.
            return None if self.begins and not self.framed else failure
        return failure if failure is not None else len(waiting) - 1

    def _open(self, seq: int, raw: bytes, bare: str, language: str, found: Reading) -> Entry | None:
        entry = self.entry
        assert entry is not None
        between = self.language == "between" or not self.framed or language == self.language == "go"
        if entry.level in BAD and between and (self.failing or self.begins):
            self._pull(self.waiting)
            self.framed = language not in ("php", "rust")
            self.language = language
            return self._join(seq, raw)
        self._begin(seq, raw, bare, found)
        return None

    def _caret(self, seq: int, raw: bytes) -> Entry | None:
        assert self.entry is not None
        self._pull(self.waiting)
        self.entry.level = "error"
        self.location, self.failing = False, True
        self.language, self.framed = "node", False
        self.block = True  # the failure itself follows
        return self._join(seq, raw)

    def _special(self, seq: int, raw: bytes, text: str, found: Reading) -> Entry | None:
        """Lines that begin as a line of a log does and yet belong to the one before, and JSON."""
        entry = self.entry
        assert entry is not None
        if self.json:
            member = _MEMBER.match(text)
            if member or (entry.lines > 1 and (text[0] in " \t}]")):
                if member:
                    self.indent = self.indent or member[1]
                    if member[1] == self.indent and entry.level is None:
                        line = f'{{"{member[2]}":{member[3]}'
                        line += '"}' if member[3].startswith('"') else "}"
                        entry.level = read(line).level
                self.json = text[0] not in "}]"
                return self._join(seq, raw)
            self.json = False
        if self.waiting:
            return None
        if self.database and _DETAIL.search(text, 0, 200):
            return self._join(seq, raw) if self._prefix(text, _DETAIL) == self.prefix else None
        if self.place and _SECOND.match(text):
            entry.level, self.place, self.begins = found.level, False, True
            return self._join(seq, raw)
        return None

    def _is_taken(self, text: str, bare: str, indented: bool, found: Reading) -> bool:
        """Whether a line that says neither time nor level belongs to the open entry at once."""
        entry = self.entry
        assert entry is not None
        if self.waiting:
            return False
        if indented:
            if (entry.level in BAD and not self.tool) or self.framed or self.message_below:
                return True
            return self.database and text[0] == "\t"
        if self.next_line:
            self.next_line = False
            return not found.exception
        if self.block:
            return entry.lines < BLOCK
        if self.language == "python" and self.framed and (_LAST.match(bare) or found.exception):
            self.language = "ended"
            return True
        return False


class EntryReader:
    """Finds the entries of one log, of whose lines it is given every one in order."""

    def __init__(self) -> None:
        self._streams: dict[bytes, _Stream] = {}

    def read(
        self, first: int, records: Iterable[bytes]
    ) -> tuple[list[str | None], dict[int, Entry]]:
        """Of consecutive records: the level that each gives itself, and by their first seq the
        entries of several lines that these made or made longer."""
        levels: list[str | None] = []
        grown: dict[int, Entry] = {}
        for seq, raw in enumerate(records, first):
            level, entry = self.feed(seq, raw)
            levels.append(level)
            if entry is not None:
                grown[entry.first] = entry
        return levels, grown

    def feed(self, seq: int, raw: bytes) -> tuple[str | None, Entry | None]:
        """The same of one record, with its LF or without."""
        key = raw[31:50]
        if key[13:] == b"marker":
            return None, None
        stream = self._streams.get(key)
        if stream is None:
            if len(self._streams) >= STREAMS_AT_MOST:
                self._streams.pop(next(iter(self._streams)))
            stream = self._streams[key] = _Stream()
        text = raw[TEXT_AT : TEXT_AT + 4 * LOOKED_AT].decode("utf-8", "replace")[:LOOKED_AT]
        text = strip(text).rstrip("\r\n")
        return stream.feed(seq, raw, text, text.lstrip(BLANK))

    def entry_of(self, raw: bytes) -> Entry | None:
        """The entry that is open where this record was written."""
        stream = self._streams.get(raw[31:50])
        return stream.entry if stream else None
