"""A shared command as a session's source: its two bounds, its order, its ends; and its pass."""

from __future__ import annotations

import contextlib
import os
import random
import tty
from collections.abc import Iterator

import gevent
import pytest

from cloudbang.domain.terminals import ExitStatus, Size
from cloudbang.terminals import share_pass
from cloudbang.terminals.share_source import INPUT, OUTPUT, PIECE, ShareSource
from tests.support import patient, wait_until

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
    assert waiting.get(timeout=patient(5))
    assert source.read() == b"y"
    assert source.read_now() is None


def test_the_tail_comes_before_the_end() -> None:
    """What was fed is read to its last byte, then b"", again and again; then the result."""
    source = ShareSource(Line(), write=False)
    reading = gevent.spawn(source.read)
    gevent.sleep(0)
    source.feed(b"first", 1.0)
    assert reading.get(timeout=patient(5)) == b"first"
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
    ending.get(timeout=patient(10))
    assert not line.was_cut


def test_a_pass_is_for_a_minute_and_for_one_installation() -> None:
    """Whatever is changed in it, it opens nothing."""
    key, now = b"k" * 32, 1_750_000_000.0
    shown = share_pass.make(key, "root@host", now, share_pass.new_nonce())
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


# --- a terminal that was handed over -------------------------------------------------------------


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """Both ends of a pseudo terminal; the first one is the source's once it has been handed over."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(slave, False)
    yield os.dup(master), slave
    os.close(master)


def test_a_terminal_that_was_handed_over_is_read_and_written(ends: tuple[int, int]) -> None:
    """What was typed and sized before waits for it, and nothing goes by the connection."""
    master, slave = ends
    line = Line()
    source = ShareSource(line, write=True, handed=True)
    source.write(b"early ")
    source.resize(Size(101, 31))
    assert source.pending == 6
    reader = gevent.spawn(source.read)
    gevent.sleep(0)
    assert source.adopt(master)
    source.write(b"late")
    assert read_all(slave, 10) == b"early late"
    assert os.get_terminal_size(slave) == (101, 31)
    os.write(slave, b"printed")
    assert reader.get(timeout=patient(5)) == b"printed"
    source.resize(Size(90, 20))
    assert os.get_terminal_size(slave) == (90, 20)
    assert (line.input, line.told) == (b"", [])
    os.write(slave, b"the tail")
    os.close(slave)
    source.finish(3)
    assert source.read() == b"the tail"
    assert source.read() == b""
    assert source.result() == ExitStatus("exit", 3)
    # gevent closes it in the loop's next turn.
    wait_until(lambda: not os.path.exists(f"/proc/self/fd/{master}"), 5, "it to be let go")


def test_input_that_a_handed_terminal_does_not_take_waits(ends: tuple[int, int]) -> None:
    master, slave = ends
    source = ShareSource(Line(), write=True, handed=True)
    assert source.adopt(master)
    much = bytes(range(256)) * 4096
    source.write(much[: len(much) // 2])
    source.write(much[len(much) // 2 :])
    assert 0 < source.pending < len(much)
    assert read_all(slave, len(much)) == much
    assert source.pending == 0
    os.close(slave)
    source.lose()


def test_a_lost_command_leaves_no_reader_behind(ends: tuple[int, int]) -> None:
    """Though a process still has the other end, which nobody may ever close."""
    master, slave = ends
    source = ShareSource(Line(), write=True, handed=True)
    assert source.adopt(master)
    reader = gevent.spawn(source.read)
    gevent.sleep(0.01)
    source.lose()
    assert reader.get(timeout=patient(5)) == b""
    assert source.result() == ExitStatus("command-ended")
    os.close(slave)


def test_the_end_of_a_handed_terminal_waits_for_last_words(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel does not always say that nothing more can come."""
    monkeypatch.setattr("cloudbang.terminals.share_source.LAST_WORDS", 600)
    master, slave = ends
    source = ShareSource(Line(), write=True, handed=True)
    assert source.adopt(master)
    reader = gevent.spawn(source.read)
    gevent.sleep(0.01)
    source.finish(0)
    gevent.sleep(0.01)
    os.write(slave, b"last words")
    assert reader.get(timeout=patient(5)) == b"last words"
    assert source._pty is not None
    source._pty._patience = 0.05
    assert source.read() == b""
    os.close(slave)


def test_only_a_terminal_is_taken(ends: tuple[int, int]) -> None:
    """And only where one is expected: a source that goes by its connection takes none."""
    master, slave = ends
    source = ShareSource(Line(), write=True, handed=True)
    assert not source.adopt(slave)
    source.keep()
    assert not source.adopt(master)
    os.close(slave)
    os.close(master)


def test_a_command_that_keeps_its_terminal_gets_what_waited() -> None:
    line = Line()
    source = ShareSource(line, write=True, handed=True)
    source.write(b"early")
    source.resize(Size(90, 20))
    assert (line.input, line.told) == (b"", [])
    source.keep()
    assert line.input == b"early"
    assert line.told == [{"op": "resize", "columns": 90, "rows": 20}]


def read_all(descriptor: int, size: int) -> bytes:
    found = bytearray()

    def more() -> bool:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(descriptor, 65536):
                found.extend(data)
        return len(found) >= size

    wait_until(more, 10, "all of it")
    return bytes(found)
