"""What goes through a terminal arrives whole, in order and at the pace of who reads it."""

from __future__ import annotations

import hashlib
import io
import os
import random
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import TerminalGround
from tests.support import patient, slowness, wait_until
from tests.terminal_support import MIB, Terminal, processes, rss

pytestmark = pytest.mark.engine

MB = 1_000_000
STALL = float(os.environ.get("CLOUDBANG_FAULT_STALL", "4"))
"""Seconds for which a reader does not read: what it fills is full within one. 60 for a long night:
then the server drops it for its silence, and it comes back."""
SILENT = 60.0  # seconds after which a peer that says nothing is dropped
COUNT = "cat /count"  # one line a number; seq itself writes each line by itself, slowly
TTY_BUFFERS = 80_000  # bytes that the kernel's terminal holds and that ^C throws away, generously
NUMBERS = "".join(f"{n}\r\n" for n in range(1, 20_001)).encode()


def assert_whole(page: Terminal) -> int:
    """Every line of a stopped COUNT from 1 on, once, in order; how many.

    The kernel throws away what its terminal holds when ^C comes: there, at the very end, the
    count may break off.
    """
    begin = page.output.index(b"\r\n1\r\n2\r\n") + 2
    count, at = 0, begin
    for line in bytes(page.output[begin:]).split(b"\r\n"):
        if line != b"%d" % (count + 1):
            break
        count, at = count + 1, at + len(line) + 2
    left = bytes(page.output[at:])
    assert len(left) < TTY_BUFFERS, f"broken after {count:,}: {left[:100]!r}, {len(left):,} more"
    assert b"^C" in left
    assert not page.cut
    return count


def assert_pieces(page: Terminal) -> None:
    """Between one reset and the next the numbers of a count go up by one."""
    places = [*page.resets, len(page.output)]
    for begin, end in zip([0, *places[:-1]], places, strict=True):
        lines = bytes(page.output[begin:end]).split(b"\r\n")[:-1]
        numbers = [int(line) for line in lines if line.isdigit()]
        if numbers:
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert not page.cut


@pytest.fixture(scope="module", autouse=True)
def _count(shared_ground: TerminalGround) -> None:
    """What COUNT prints: 100 MB, more than any test waits for."""
    # Made here: busybox writes each line by itself, which takes it 10 s.
    count = b"".join(
        "".join(f"{n}\n" for n in range(first, first + 100_000)).encode()
        for first in range(1, 12_000_001, 100_000)
    )
    with io.BytesIO() as packed:
        with tarfile.open(fileobj=packed, mode="w") as tar:
            entry = tarfile.TarInfo("count")
            entry.size, entry.mode = len(count), 0o644
            tar.addfile(entry, io.BytesIO(count))
        packed.seek(0)
        assert shared_ground.container.put_archive("/", packed)


# -- out ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "times"), [("seq 1 20000", 30), ("echo hi", 10)])
def test_commands_that_end_at_once_are_complete(
    ground: TerminalGround, command: str, times: int
) -> None:
    """The last byte, then the exit code, then the close: never one of them less."""

    def once(_: int) -> tuple[bytes, Any, Any]:
        page = ground.admin.terminal(ground.name, command)
        ended = page.ended(60)
        assert not page.cut
        return bytes(page.output), ended["reason"], ended["code"]

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(once, range(times)))
    wanted = b"hi\r\n" if command == "echo hi" else NUMBERS
    assert [len(output) for output, _, _ in found] == [len(wanted)] * times
    assert all(one == (wanted, "exit", 0) for one in found)


def test_output_is_cut_between_characters_only(ground: TerminalGround) -> None:
    """Characters of one to four bytes in a flood: each message is whole, all of it arrives."""
    text = "aé漢😀" * 40 + "\n"
    script = f"i=0; while [ $i -lt 6000 ]; do echo '{text.strip()}'; i=$((i+1)); done"
    page = ground.terminal(["sh", "-c", script])
    page.ended(60)
    assert page.output.decode() == text.replace("\n", "\r\n") * 6000
    assert not page.cut
    assert page.largest <= 128 * 1024


def test_a_character_that_comes_in_pieces_is_sent_whole(ground: TerminalGround) -> None:
    """The first bytes of a character wait for the others; a broken one does not wait for ever."""
    script = r"""
        stty raw -echo
        for b in '\360' '\237' '\230' '\200' '\346' '\274'; do printf "$b"; usleep 60000; done
        printf '\242|'
        read -r _
        printf '\346\274'
        read -r _
        printf '\377\376\300|end'
    """
    page = ground.terminal(["sh", "-c", script])
    page.wait_for("😀漢|")
    assert not page.cut
    page.type("\n")
    # A character that stays unfinished is shown or kept, but never holds up what comes after it.
    page.type("\n")
    page.wait_for(b"|end")
    page.ended()
    assert bytes(page.output) == "😀漢|".encode() + b"\xe6\xbc\xff\xfe\xc0|end"


def test_every_byte_arrives_as_it_was(ground: TerminalGround) -> None:
    """What is not UTF-8 is nobody's to mend: 200,000 random bytes through a raw terminal."""
    data = random.Random(7).randbytes(200_000)
    put = "stty raw -echo; echo go; head -c 200000 >/tmp/random; md5sum </tmp/random"
    page = ground.terminal(["sh", "-c", put])
    page.wait_for("go\n")
    page.type(data)
    page.wait_for(hashlib.md5(data).hexdigest(), 30)
    page.ended()
    page = ground.terminal(["sh", "-c", "stty raw; cat /tmp/random; rm /tmp/random"])
    page.ended(30)
    assert bytes(page.output) == data


# -- credits --------------------------------------------------------------------------------------


def test_without_acks_no_more_than_the_window_comes(ground: TerminalGround) -> None:
    """Credits are the server's to enforce; ^C reaches the flood all the same; nothing is lost."""
    page = ground.terminal()
    page.ready().acks = False
    page.ack()
    begin = page.acked
    page.type(COUNT + "\n")
    wait_until(lambda: page.position - begin > page.window * 0.9, 20, "the window to be full")
    _still(page)
    assert page.position - begin <= page.window
    for _ in range(3):  # each ack gives as much again, and no more
        page.ack()
        acked = page.acked
        wait_until(
            lambda acked=acked: page.position - acked > page.window * 0.9, 20, "another window"
        )
        _still(page)
        assert page.position - acked <= page.window
    page.type("\x03")  # typed while the page has no credit left
    page.acks = True
    page.ack()
    page.ready()
    assert assert_whole(page) > 10_000


def test_a_stuck_reader_keeps_the_flood_in_the_engine(ground: TerminalGround) -> None:
    """A page that stops reading in a flood: memory stays, others are quick, ^C works, and when it
    reads on not one byte is missing."""
    other = ground.terminal().ready()
    page = ground.terminal(client="reader").ready()
    server = ground.server.pid
    page.type(COUNT + "\n")
    wait_until(lambda: len(page.output) > MIB, 20, "the flood")
    before = rss(server)
    page.pause()
    end, grown, answers = time.monotonic() + STALL, 0, 0
    while time.monotonic() < end:
        other.run("echo quick", 5)
        answers += 1
        grown = max(grown, rss(server) - before)
        time.sleep(0.05)
    assert answers > STALL * 2 / slowness()
    assert grown < 16 * MIB, f"{grown:,} bytes more"
    if STALL < SILENT:
        page.type("\x03")
        _no_flood(ground)  # while nobody reads
        page.resume()
    else:  # the server has dropped who answers no ping
        page.acks = False
        page.resume()
        page.wait_closed()
        page = _come_back(ground, page)
        page.type("\x03")
    page.ready()
    count = assert_whole(page)
    assert count > 10_000
    assert page.skipped == 0


def test_a_lost_network_in_a_flood_loses_nothing(ground: TerminalGround) -> None:
    """Cut again and again in the middle of a flood: each time it goes on at the very next byte."""
    page = ground.terminal(client="reader").ready()
    page.type(COUNT + "\n")
    for _ in range(3):
        _more(page, MIB // 2)
        page = _come_back(ground, page)
    page.type("\x03")
    page.ready()
    assert assert_whole(page) > 10_000


def test_a_watcher_who_falls_behind_skips_and_slows_nobody(ground: TerminalGround) -> None:
    """A guest's page that is stuck gets a fresh screen later; the owner's flood flows on."""
    page = ground.terminal().ready()
    viewer = ground.person("slow-watcher")
    key = ground.admin.made(f"/terminals/{page.session}/links", {"mode": "watch"})["key"]
    guest = ground.keep(viewer.back(page.session, key=key))
    guest.pause()
    page.type(COUNT + "\n")
    wait_until(lambda: len(page.output) > 4 * MIB, 40, "4 MiB, though a watcher is stuck")
    page.type("\x03")
    page.ready()
    guest.resume()
    guest.wait_op("reset", 20)
    end = page.run("echo the end")
    guest.wait_for(end.strip(), 20)
    guest.wait_for("the end\r\n", 20)
    assert guest.skipped > MIB
    assert not guest.cut
    wait_until(lambda: guest.position == page.position, what="both to be at the same byte")
    assert_whole(page)


def test_a_watcher_who_is_stuck_at_the_end_sees_the_true_end(ground: TerminalGround) -> None:
    """The session is over while a guest's page takes nothing: what it is shown later is the last
    output as it was, and then the end."""
    last = 700_000
    wait = "until [ -e /tmp/go ]; do usleep 20000; done; rm /tmp/go"
    page = ground.terminal(["sh", "-c", f"{wait}; head -n {last} /count"])
    viewer = ground.person("late-watcher")
    key = ground.admin.made(f"/terminals/{page.session}/links", {"mode": "watch"})["key"]
    guest = ground.keep(viewer.back(page.session, key=key))
    guest.pause()
    ground.terminal(["touch", "/tmp/go"]).ended()
    page.ended(60)
    assert bytes(page.output) == b"".join(b"%d\r\n" % n for n in range(1, last + 1))
    guest.resume()
    guest.ended(20)
    assert guest.skipped > MIB
    assert_pieces(guest)
    shown = bytes(guest.output[guest.resets[-1] :])
    assert page.output.endswith(shown)
    assert len(shown) > 1000


def test_an_end_while_the_page_is_behind_shows_a_true_end(ground: TerminalGround) -> None:
    """Ended in a flood that nobody draws: what comes with the acks later is what was printed,
    and where something is left out the page is told."""
    page = ground.terminal()
    page.ready().acks = False
    page.ack()
    page.type(COUNT + "\n")
    _still(page)
    page.say("end")
    wait_until(
        lambda: ground.admin.got(f"/terminals/{page.session}")["state"] == "ended", 15, "the end"
    )
    page.acks = True
    page.ack()
    assert page.ended()["reason"] == "closed"
    assert_pieces(page)


# -- in -------------------------------------------------------------------------------------------


def reader(ground: TerminalGround, size: int) -> Terminal:
    """A program that counts and sums ``size`` bytes of input, as they are."""
    script = f"stty raw -echo; echo go; head -c {size} | md5sum"
    page = ground.terminal(["sh", "-c", script])
    page.wait_for("go\n")
    return page


def test_a_mebibyte_of_input_in_one_message(ground: TerminalGround) -> None:
    """The largest message there may be arrives whole and in order."""
    data = random.Random(1).randbytes(MIB)
    page = reader(ground, MIB)
    page.typed += MIB
    page.send(data)
    page.wait_for(hashlib.md5(data).hexdigest(), 30)
    page.ended()


def test_small_messages_of_input_keep_their_order(ground: TerminalGround) -> None:
    """Thousands of keys, pasted in pieces of every size."""
    chance = random.Random(2)
    data = chance.randbytes(300_000)
    page = reader(ground, len(data))
    at = 0
    while at < len(data):
        step = chance.choice((1, 2, 7, 100, 3000))
        page.type(data[at : at + step])
        at += step
    page.wait_for(hashlib.md5(data).hexdigest(), 30)
    page.ended()


def test_a_paste_of_100_mb_is_complete(ground: TerminalGround) -> None:
    """100 MB typed as fast as they are confirmed: every byte, memory bounded, others quick."""
    other = ground.terminal().ready()
    chance = random.Random(3)
    block = chance.randbytes(MB)
    blocks = [n.to_bytes(4, "big") + block[4:] for n in range(100)]
    wanted = hashlib.md5(b"".join(blocks)).hexdigest()
    page = reader(ground, 100 * MB)
    before, grown = rss(ground.server.pid), 0
    for number, data in enumerate(blocks):
        page.type(data)
        grown = max(grown, rss(ground.server.pid) - before)
        if number % 20 == 10:
            other.run("echo quick", 5)
    page.wait_for(wanted, 60)
    page.ended()
    assert grown < 32 * MIB, f"{grown:,} bytes more"


def test_a_paste_that_nobody_reads_waits(ground: TerminalGround) -> None:
    """A program that does not read: input is not confirmed beyond what fits, memory stays, the
    keyboard of others works, and when it reads at last everything is there."""
    script = "stty raw -echo; echo go; until [ -e /tmp/go ]; do usleep 50000; done; head -c 3000000 | md5sum"
    page = ground.terminal(["sh", "-c", script])
    page.wait_for("go\n")
    data = random.Random(4).randbytes(3 * MB)
    with ThreadPoolExecutor(1) as pool:
        typing = pool.submit(page.type, data)
        other = ground.terminal().ready()
        assert not typing.done()
        assert page.confirmed < MIB
        other.run("touch /tmp/go")
        typing.result(patient(60))
    page.wait_for(hashlib.md5(data).hexdigest(), 30)
    page.ended()
    other.run("rm /tmp/go")


# -- helpers --------------------------------------------------------------------------------------


def _still(page: Terminal, seconds: float = 0.4) -> None:
    """Wait until nothing has come for a while."""
    last, since = page.position, time.monotonic()
    while time.monotonic() < since + seconds:
        time.sleep(0.02)
        if page.position != last:
            last, since = page.position, time.monotonic()


def _more(page: Terminal, size: int) -> None:
    """Wait until so much more has come."""
    wanted = len(page.output) + size
    wait_until(lambda: len(page.output) >= wanted, 20, "more of the flood")


def _no_flood(ground: TerminalGround) -> None:
    """Wait until no shell of the container uses the processor."""

    def used() -> int:
        total = 0
        for pid in processes(ground.container.id):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            total += int(fields[11]) + int(fields[12])
        return total

    def quiet() -> bool:
        before = used()
        time.sleep(0.3)
        return used() - before <= 1

    wait_until(quiet, 10, "^C to reach the flood")


def _come_back(ground: TerminalGround, page: Terminal) -> Terminal:
    """Cut the connection and come back; the new page begins with what the old one had."""
    page.drop()
    back = Terminal(ground.server, ground.admin.headers)
    ground.keep(back)
    back.output += page.output
    back.say(session=page.session, after=page.position, columns=80, rows=24, client="reader")
    attached = back.wait_op("attached")
    assert not attached["reset"], attached
    assert attached["offset"] == page.position
    back.cut += page.cut
    return back
