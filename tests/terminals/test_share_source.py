"""A shared command as a session's source: its two bounds, its order, its ends; and its pass."""

from __future__ import annotations

import random

import gevent
import pytest

from cloudbang.domain.terminals import ExitStatus, Size
from cloudbang.terminals import share_pass
from cloudbang.terminals.share_source import INPUT, OUTPUT, PIECE, ShareSource
from tests.support import wait_until

MIB = 1024 * 1024


class Line:
    """The wire: keeps what is sent, as long as it is ``open``."""

    def __init__(self) -> None:
        self.open = True
        self.input = bytearray()
        self.largest = 0
        self.told: list[dict[str, object]] = []
        self.was_cut = False

    def hand(self, data: bytes) -> bool:
        if self.open:
            self.input += data
            self.largest = max(self.largest, len(data))
        return self.open

    def tell(self, message: dict[str, object]) -> bool:
        if self.open:
            self.told.append(message)
        return self.open

    def cut(self) -> None:
        self.was_cut = True


def test_output_waits_when_nobody_reads() -> None:
    """Not more than the bound and one message is held; reading makes room; nothing is lost."""
    source = ShareSource(Line(), write=False)
    fed = 0
    while source.feed(b"x" * PIECE, 0.01):
        fed += PIECE
    assert OUTPUT <= fed < OUTPUT + PIECE
    waiting = gevent.spawn(source.feed, b"y", 10.0)
    assert len(source.read(1000)) == 1000
    assert source.read_now(OUTPUT) == b"x" * (fed - 1000)
    assert waiting.get(timeout=5)
    assert source.read() == b"y"
    assert source.read_now() is None


def test_the_tail_comes_before_the_end() -> None:
    """What was fed is read to its last byte, then b"", again and again; then the result."""
    source = ShareSource(Line(), write=False)
    reading = gevent.spawn(source.read)
    gevent.sleep(0)
    source.feed(b"first", 1.0)
    assert reading.get(timeout=5) == b"first"
    source.feed(b"last words", 1.0)
    source.finish(3)
    assert [source.read(4) for _ in range(4)] == [b"last", b" wor", b"ds", b""]
    assert source.read_now() == b""
    assert source.result() == ExitStatus("exit", 3)
    source.lose()
    assert source.result() == ExitStatus("exit", 3)
    source.end()  # returns at once


def test_input_is_bounded_on_its_way_and_keeps_its_order() -> None:
    """Only so much is on its way unconfirmed; the rest waits and is counted."""
    line = Line()
    source = ShareSource(line, write=True)
    much = random.Random(1).randbytes(3 * MIB)
    for at in range(0, len(much), MIB):
        source.write(much[at : at + MIB])
    assert source.pending == len(much)
    assert len(line.input) == INPUT
    assert line.largest <= PIECE
    source.confirm(10 * MIB)  # nonsense is cut to what was sent
    assert source.pending == len(much) - INPUT
    line.open = False
    source.confirm(2 * INPUT)
    line.open = True
    source.room()
    while source.pending:
        source.confirm(len(line.input))
    assert bytes(line.input) == much


def test_read_only_sends_nothing() -> None:
    """Input goes nowhere, whoever got it here."""
    line = Line()
    source = ShareSource(line, write=False)
    source.write(b"rm -rf /\n")
    assert (source.pending, line.input) == (0, b"")


def test_the_newest_size_is_told_when_there_is_room() -> None:
    line = Line()
    source = ShareSource(line, write=False)
    line.open = False
    source.resize(Size(100, 30))
    source.resize(Size(120, 40))
    line.open = True
    source.room()
    source.room()
    assert line.told == [{"op": "resize", "columns": 120, "rows": 40}]


def test_an_end_that_nobody_answers_cuts_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is told, then cut off: it ends its program by itself when it is."""
    monkeypatch.setattr("cloudbang.terminals.share_source.END_WITHIN", 0.05)
    line = Line()
    source = ShareSource(line, write=False)
    source.end()
    assert line.told == [{"op": "end"}]
    assert line.was_cut


def test_an_end_waits_for_the_answer() -> None:
    line = Line()
    source = ShareSource(line, write=False)
    ending = gevent.spawn(source.end)
    wait_until(lambda: line.told == [{"op": "end"}])
    assert not ending.dead
    source.finish(129)
    ending.get(timeout=10)
    assert not line.was_cut


def test_a_pass_is_for_a_minute_and_for_one_installation() -> None:
    """Whatever is changed in it, it opens nothing."""
    key, now = b"k" * 32, 1_750_000_000.0
    shown = share_pass.make(key, "root@host", now)
    found = share_pass.check(key, shown, now + 59)
    assert found
    assert found.who == "root@host"
    assert share_pass.check(key, shown, now + 61) is None
    assert share_pass.check(key, shown, now - 61) is None
    assert share_pass.check(b"K" * 32, shown, now) is None
    for at in range(len(shown)):
        other = shown[:at] + ("A" if shown[at] != "A" else "B") + shown[at + 1 :]
        assert share_pass.check(key, other, now) is None
    for text in ("", share_pass.PREFIX, shown + "é", "x" * 10_000, shown.replace(".", "")):
        assert share_pass.check(key, text, now) is None
