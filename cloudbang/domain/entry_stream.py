"""The entries of one stream of one container: which line begins one, which belongs to the one that is
open, and which stands alone until a frame proves otherwise."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cloudbang.domain.entry import (
    BYTES_AT_MOST,
    LINES_AT_MOST,
    Entry,
    Waiting,
    comes_later,
    is_as_deep,
)
from cloudbang.domain.entry_json import ObjectOfEntry
from cloudbang.domain.levels import BLANK
from cloudbang.domain.levels.text_tables import TIME
from cloudbang.domain.line_shape import (
    BAD,
    CONTINUES,
    DATABASE,
    DETAIL,
    SECOND,
    Shape,
    tag_of_record,
    text_of,
)
from cloudbang.domain.stamps import stamped_with
from cloudbang.domain.traces import BEGIN_THEMSELVES, goes_on, heads_frames

WAITING_AT_MOST = 40  # lines that a frame may still prove to be of the entry before them
BLOCK = 60  # lines of a message below a head that says nothing itself


_TIME = re.compile(TIME)
_LINE_NUMBER = re.compile(r"\[\d+-\d+\]")  # of the process: %l of PostgreSQL's log_line_prefix
_CAUSE = re.compile(r"\s*(?:Caused|Wrapped|Suppressed|--->|Next )")  # its message may have lines
_CARET = re.compile(r"\s*[\^~]+\s*$")
_CLOSES = re.compile(r"[\])}]{1,4}[,;]?\s*$")
_ADDS = re.compile(r"LINE \d+: |[\w-]+: (?:hint|detail): ")  # what a database adds to it
_LAST = re.compile(r"[A-Za-z_][\w.]*(?:: .*|:)?$")  # what a traceback of Python ends with
_MARKUP = re.compile(r"</?[A-Za-z?!]")


class EntryStream:
    """What one container writes to one stream: the entry that is open, and what may become of it."""

    __slots__ = (
        "begins", "block", "braces", "cause", "database", "entry", "failing", "framed", "head",
        "json", "language", "last", "location", "lone", "message_below", "next_line", "place",
        "prefix", "stamp", "tag", "timed", "tool", "waiting",
    )  # fmt: skip

    def __init__(self) -> None:
        self.entry: Entry | None = None
        # A line that began one, of which nothing else is known yet: most stay so.
        self.lone: tuple[int, bytes, Shape] | None = None
        self.waiting: list[Waiting] = []
        self.head = self.last = b""
        self.begins = self.framed = self.failing = self.cause = False
        self.language = self.prefix = self.tag = self.stamp = ""
        self.block = self.message_below = self.database = self.place = False
        self.location = self.next_line = self.braces = self.tool = self.timed = False
        self.json = ObjectOfEntry()

    # -- what a line is

    def feed(self, seq: int, raw: bytes, shape: Shape) -> Entry | None:
        """The entry of several lines that this line is in, as it is now."""
        lone = self.lone
        if (shape.alone and not self.stamp) or (lone is not None and shape.plain and lone[2].dull):
            self.lone, self.last = (seq, raw, shape), raw
            return None
        if lone is not None:
            self._begin(*lone)
        entry = self.entry
        near = entry is not None and self._near(raw)
        if near and (shape.tagged or self.tag):
            near = tag_of_record(raw) == self.tag
        self.last = raw
        if not near or entry is None:
            if shape.frame:
                self.stamp = ""
                return self._frame(seq, raw, shape, near=False)
            if shape.blank:
                self.entry, self.waiting = None, []
            else:
                self.lone = (seq, raw, shape)
            return None
        if shape.stamp or self.stamp:
            if joined := self._stamped(seq, raw, shape, entry):
                return joined
            if shape.stamp:
                return self._frame(seq, raw, shape, near=False)
        if self.json.unfinished and self.json.goes_on(text_of(raw)):
            return self._join(seq, raw)
        if shape.heads and not (self.json.open or self.database or self.place):
            if shape.opening:
                return self._open(seq, raw, shape)
            within = self.braces or (self.framed and self.language == "python")
            within = within or (shape.detail and self.timed and entry.level in BAD)
            told = shape.failure and not shape.timed
            announced = self.next_line and (entry.lines == 1 or self.cause)
            below = entry.level in BAD and not (self.tool or self.waiting)
            told = told and (announced or (shape.indented and (self.language == "go" or below)))
            boxed = self.language == "box" and shape.boxed
            if not (told or boxed or (within and shape.indented and not shape.timed)):
                self._begin(seq, raw, shape)
                return None
            if told or boxed or shape.detail:
                self.next_line = False
                return self._told(seq, raw, shape, entry)
        return self._near_line(seq, raw, shape, entry)

    def _stamped(self, seq: int, raw: bytes, shape: Shape, entry: Entry) -> Entry | None:
        """A line of a trace each of whose lines has in front what its first has."""
        stamp = shape.stamp or self.stamp
        text = text_of(raw)
        known = stamped_with(text, stamp) and stamped_with(text_of(self.head), stamp)
        if self.waiting or not known:
            self.stamp = ""
            return None
        text = text[len(stamp) :]
        inner = Shape(text)
        if inner.frame:
            self.stamp = stamp
            if entry.level is None:
                entry.level = "error"
            self.framed, self.language = True, BEGIN_THEMSELVES.get(inner.frame, inner.frame)
            return self._join(seq, raw)
        last = self.language == "python" and (inner.exception or _LAST.match(text) is not None)
        belongs = (inner.indented and not inner.heads) or goes_on(self.language, text) or last
        if not belongs:
            self.stamp = ""
            return None
        if last and not inner.indented:
            self.language = "ended"
        return self._join(seq, raw)

    def _told(self, seq: int, raw: bytes, shape: Shape, entry: Entry) -> Entry | None:
        """What names a level and yet is of the entry before: in its box, or announced by it."""
        self._pull(self.waiting)
        entry.level = entry.level or shape.level
        return self._join(seq, raw)

    def _near_line(self, seq: int, raw: bytes, shape: Shape, entry: Entry) -> Entry | None:
        if shape.blank:
            return self._blank(seq, raw)
        if shape.frame:
            return self._frame(seq, raw, shape, near=True)
        if self.braces:
            self.braces = text_of(raw)[:1] not in ("}", "]")
            return self._join(seq, raw)
        within = self.language == "python" and self.framed and not self.waiting
        if within and shape.indented and not shape.timed:
            return self._join(seq, raw)
        if joined := self._special(seq, raw, shape):
            return joined
        if shape.opens_object and not shape.heads and self._says_enough:
            self._begin(seq, raw, shape)
            return None
        if shape.opening:
            return self._open(seq, raw, shape)
        if shape.heads:
            self._begin(seq, raw, shape)
            return None
        if self.language and goes_on(self.language, text := text_of(raw)):
            if self.language == "ended":
                self.language = "between"
            elif self.framed and self.language == "box" and text.startswith("╰"):
                self.language = "python"
            self._pull(self.waiting)
            self.next_line = False
            return self._join(seq, raw)
        if self.location and _CARET.match(text_of(raw)):
            return self._caret(seq, raw)
        if self._is_taken(raw, shape):
            return self._join(seq, raw)
        # Where nothing failed, a frame that comes takes the line before it for its beginning.
        waits = entry.level in BAD or self.framed or self.location
        told = not shape.exception or (entry.level in BAD and not self.framed)
        if waits and told and len(self.waiting) < WAITING_AT_MOST and not shape.location:
            self.waiting.append(Waiting(seq, raw, failure=shape.exception))
        else:
            self.lone = (seq, raw, shape)
        return None

    @property
    def open(self) -> tuple[int, str | None]:
        """First seq and level of the entry that is open; 0 when none is."""
        if self.lone is not None:
            return self.lone[0], self.lone[2].level
        return (self.entry.first, self.entry.level) if self.entry else (0, None)

    def _near(self, raw: bytes) -> bool:
        entry = self.entry
        assert entry is not None
        if entry.lines >= LINES_AT_MOST or entry.size >= BYTES_AT_MOST:
            return False
        return not comes_later(raw, self.last)

    # -- what becomes of it

    def _begin(self, seq: int, raw: bytes, shape: Shape) -> None:
        self.entry, self.lone = Entry(seq, raw, shape.level), None
        self.waiting = []
        self.braces = self.cause = False
        self.framed = shape.opening == "box"
        self.language = shape.opening or shape.language
        self.stamp = ""
        self.begins, self.failing = shape.heads and not shape.failure, shape.failure
        self.timed = shape.timed
        self.head = raw
        self.json.begin(shape)
        self.tag = tag_of_record(raw) if shape.tagged else ""
        self.location, self.tool = shape.location, shape.tool
        self.message_below, self.block = shape.message_below, shape.block
        self.next_line, self.database, self.place = shape.next_line, shape.database, shape.place
        self.prefix = self._prefix(text_of(raw), DATABASE) if shape.database else ""

    @staticmethod
    def _prefix(bare: str, word: re.Pattern[str]) -> str:
        """What stands between the time and this word: which process says it."""
        time, found = _TIME.match(bare), word.search(bare, 0, 200)
        before = bare[time.end() if time else 0 : found.start() if found else 0]
        return _LINE_NUMBER.sub("", before)

    def _join(self, seq: int, raw: bytes) -> Entry | None:
        entry = self.entry
        if entry is None:
            return None
        entry.take(seq, len(raw))
        return entry

    def _pull(self, lines: Sequence[Waiting]) -> None:
        if self.entry is not None:
            for one in lines:
                self.entry.take(one.seq, len(one.raw))
        self.waiting = []

    @property
    def _announces(self) -> bool:
        """Whether the first line of the entry ends as what announces more of itself."""
        return text_of(self.head).rstrip().endswith((":", ","))

    @property
    def _says_enough(self) -> bool:
        """Whether an object below the entry is something else: it has a message, and no frames yet."""
        return not (self.framed or self.message_below or self.block or self.next_line)

    def _blank(self, seq: int, raw: bytes) -> Entry | None:
        entry = self.entry
        if entry is None or self.json.open:
            self.entry, self.waiting = None, []
            return None
        if self.block and entry.lines == 1 and not self.waiting:
            return self._join(seq, raw)
        self.next_line = False
        if self.waiting or not (entry.level in BAD or self.framed):
            if len(self.waiting) < WAITING_AT_MOST:
                self.waiting.append(Waiting(seq, raw, failure=False, blank=True))
            return None
        return self._join(seq, raw)

    def _frame(self, seq: int, raw: bytes, shape: Shape, *, near: bool) -> Entry | None:
        """A true frame: it takes what waits with it, to where its failure began."""
        entry, waiting = self.entry, self.waiting
        language = BEGIN_THEMSELVES.get(shape.frame)
        if entry is None or not near or (language and self.language not in (language, "python")):
            # Its beginning is not known: it is read from its middle on, or comes late; or is this.
            self._begin(seq, raw, shape)
            assert self.entry is not None
            self.entry.level = "error"
            self.framed, self.language = True, language or shape.frame
            self.braces = shape.opens_braces
            return None
        start = self._start_of(waiting)
        if start is None and self._is_another(raw, shape):
            start = max(i for i, one in enumerate(waiting) if not one.blank)
        if start is None:
            self._pull(waiting)
        else:
            rest = waiting[start + 1 :]
            self.entry = entry = Entry(waiting[start].seq, waiting[start].raw, "error")
            self._pull(rest)
            self.begins, self.failing, self.location = False, True, False
        self.framed, self.language = True, language or shape.frame
        self.braces = shape.opens_braces
        self.cause = _CAUSE.match(text := text_of(raw)) is not None
        self.next_line = self.cause and text.rstrip().endswith(":")
        self.block = self.message_below = False
        if entry.level is None:
            entry.level = "error"
        return self._join(seq, raw)

    def _start_of(self, waiting: Sequence[Waiting]) -> int | None:
        """Which of the lines that wait the failure begins with; None: the entry itself."""
        if not waiting:
            return None
        assert self.entry is not None
        failure = next((i for i, one in enumerate(waiting) if one.failure), None)
        if self.entry.level in BAD or self.framed:
            # A line of a log is followed by what it tells of, if nothing was told yet; a failure by
            # none but its own frames.
            tells = self.begins and not self.framed
            if failure and (self.entry.level == "warning" or self.entry.lines > 1):
                tells = False
            elif failure and failure > 1:
                tells = tells and self._announces
            return None if tells else failure
        return failure if failure is not None else len(waiting) - 1

    def _is_another(self, raw: bytes, shape: Shape) -> bool:
        """Whether a frame proves another failure than the one that is open: the line before it tells
        of that, and those before stand alone."""
        told = sum(not one.blank for one in self.waiting)
        pairs = shape.frame == "go"  # of a function and its place
        if told and self.framed:
            return not (self.cause or (pairs and told == 1)) or heads_frames(text_of(raw))
        slow = self.entry is not None and self.entry.level == "warning" and not pairs
        return told > 1 and (slow or heads_frames(text_of(raw)))

    def _open(self, seq: int, raw: bytes, shape: Shape) -> Entry | None:
        entry, language = self.entry, shape.opening
        assert entry is not None
        again = language == self.language and language in ("go", "php", "elixir")
        between = self.language == "between" or not self.framed or again
        if self.framed and language == self.language == "python" and shape.indented:
            return self._join(seq, raw)  # one of a group
        # What stands between is the message of the line that fails, or something else.
        alone = language == "jvm" or (language == "elixir" and self.failing)
        ends = self.waiting and (alone or entry.level != "error" or entry.lines > 1)
        if entry.level in BAD and between and (self.failing or self.begins) and not ends:
            self._pull(self.waiting)
            self.framed = self.cause = language not in ("php", "rust")
            self.language = language
            return self._join(seq, raw)
        self._begin(seq, raw, shape)
        return None

    def _caret(self, seq: int, raw: bytes) -> Entry | None:
        assert self.entry is not None
        self._pull(self.waiting)
        self.entry.level = "error"
        self.location, self.failing = False, True
        self.language, self.framed = "node", False
        self.block = True  # the failure itself follows
        return self._join(seq, raw)

    def _special(self, seq: int, raw: bytes, shape: Shape) -> Entry | None:
        """Lines that begin as a line of a log does and yet belong to the one before, and JSON."""
        entry = self.entry
        assert entry is not None
        if self.json.open and self.json.takes(text_of(raw), entry):
            return self._join(seq, raw)
        if self.waiting:
            return None
        if self.database and shape.timed and DETAIL.search(text := text_of(raw), 0, 200):
            return self._join(seq, raw) if self._prefix(text, DETAIL) == self.prefix else None
        if self.place and SECOND.match(text_of(raw)):
            entry.level, self.place, self.begins = shape.level, False, True
            return self._join(seq, raw)
        return None

    def _is_taken(self, raw: bytes, shape: Shape) -> bool:
        """Whether a line that says neither time nor level belongs to the open entry at once."""
        entry = self.entry
        assert entry is not None
        if self.waiting:
            return False
        text = text_of(raw)
        if (self.begins and text.startswith(CONTINUES)) or (
            entry.level in BAD and _ADDS.match(text)
        ):
            return True
        if self.timed and self.begins and self._announces and _MARKUP.match(text):
            return True
        if shape.indented and (self.framed or is_as_deep(raw, self.head)):
            self.next_line = False
            if (entry.level in BAD and not self.tool) or self.framed or self.message_below:
                return True
            if self.timed and self.begins and self._announces:
                return True
            return self.database and text_of(raw)[0] == "\t"
        if self.next_line:
            self.next_line = False
            return not shape.exception or (entry.lines == 1 and entry.level == "error")
        if self.block:
            # One line says what failed, and frames the rest; a logger's message may have many.
            self.block = self.timed and self.language != "node"
            return entry.lines < BLOCK
        if entry.lines > 1 and _CLOSES.match(text_of(raw)):
            return True
        last = shape.exception or _LAST.match(text_of(raw).lstrip(BLANK)) is not None
        if last and self.language == "python" and self.framed:
            self.language = "ended"
            return True
        return False
