"""Recordings of terminals: written, read, packed, kept for a while, stopped honestly."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import pytest

from cloudbang.config import TerminalSettings
from cloudbang.domain.lines import format_time
from cloudbang.errors import StorageFailed
from cloudbang.storage.recordings import recording as room
from cloudbang.storage.recordings.recording import Recording
from cloudbang.storage.recordings.recordings import NoRecording, Recordings
from tests.storage.logs.records import NOON, SECOND, Clock
from tests.storage.recordings.test_asciicast import events, printed
from tests.support import wait_until

DAY = 86_400 * SECOND
MIB = 1024 * 1024


@contextmanager
def opened(root: Path, **options: Any) -> Iterator[Recordings]:
    clock = options.pop("clock", Clock())
    more = {k: options.pop(k) for k in ("keep_free", "on_removed") if k in options}
    made = Recordings(root, TerminalSettings.model_validate(options), clock, **more)
    made.open()
    try:
        yield made
    finally:
        made.close()


def name(number: int) -> str:
    return f"{number:016x}"


def begin(
    recordings: Recordings, number: int = 1, told: Callable[[str], None] = lambda reason: None
) -> Recording:
    return recordings.begin(
        name(number),
        columns=80,
        rows=24,
        command=("sh",),
        title="web-1",
        started=format_time(NOON),
        on_stopped=told,
    )


def text(recordings: Recordings, number: int = 1) -> bytes:
    """All of a recording, in pieces that are not too big, together as long as it was said."""
    replay = recordings.read(name(number))
    pieces = list(replay)
    assert all(len(piece) <= 256 * 1024 for piece in pieces)
    assert sum(map(len, pieces)) == replay.size
    return b"".join(pieces)


def files(root: Path) -> list[str]:
    return sorted(str(p.relative_to(root / ".terminals")) for p in root.glob(".terminals/*/*"))


def packed(root: Path, *numbers: int) -> Callable[[], bool]:
    return lambda: files(root) == [f"2023-11-14/{name(n)}.cast.zst" for n in numbers]


def test_a_recording_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    """Readable while it runs and after it, by us, by cat and by zstdcat; for its owner only."""
    with opened(tmp_path) as recordings:
        one = begin(recordings)
        one.output("$ echo 云帮\r\n".encode())
        one.resize(100, 30)
        wait_until(lambda: one.size > 100)
        assert printed(text(recordings)) == "$ echo 云帮\r\n"
        plain = tmp_path / ".terminals" / "2023-11-14" / f"{name(1)}.cast"
        assert [p.stat().st_mode & 0o777 for p in (plain, plain.parent, plain.parent.parent)] == [
            0o600,
            0o700,
            0o700,
        ]
        one.output("云帮\r\n".encode())
        assert one.end() == one.size
        one.output(b"nobody reads this")
        assert one.end() == one.size
        wait_until(packed(tmp_path, 1))
        whole = text(recordings)
        assert len(whole) == one.size
        assert [kind for _, kind, _ in events(whole)] == ["o", "r", "o"]
        assert printed(whole) == "$ echo 云帮\r\n云帮\r\n"
        said = subprocess.run(["zstdcat", f"{plain}.zst"], capture_output=True, check=True).stdout
        assert said == whole


def test_one_that_printed_nothing_is_one_all_the_same(tmp_path: Path) -> None:
    """Its header says that there was a terminal."""
    with opened(tmp_path) as recordings:
        begin(recordings).end()
        wait_until(packed(tmp_path, 1))
        assert events(text(recordings)) == []


def test_what_is_not_there_is_said_so(tmp_path: Path) -> None:
    """Unknown, or not the name of a session at all."""
    (tmp_path / "secret.cast").write_bytes(b"x")
    with opened(tmp_path) as recordings:
        for session in (name(9), "../../secret", "", "x" * 16, name(1) + "\n"):
            with pytest.raises(NoRecording):
                recordings.read(session)


def test_hundred_at_the_same_time(tmp_path: Path) -> None:
    """Each gets its own, all of it, in order; none holds a file open while it is idle."""
    descriptors = len(os.listdir("/proc/self/fd"))
    with opened(tmp_path) as recordings:
        all_of_them = [begin(recordings, n) for n in range(100)]

        def prints(number: int, one: Recording) -> None:
            for step in range(50):
                one.output(f"{number}:{step} ".encode())
                gevent.sleep(0.001 * (number % 7))

        gevent.joinall([gevent.spawn(prints, n, r) for n, r in enumerate(all_of_them)])
        wait_until(lambda: all(r._unwritten == 0 for r in all_of_them))
        assert len(os.listdir("/proc/self/fd")) < descriptors + 20  # threads and the hub's own
        gevent.joinall([gevent.spawn(r.end) for r in all_of_them])
        for n in range(100):
            assert printed(text(recordings, n)) == "".join(f"{n}:{step} " for step in range(50))
        wait_until(packed(tmp_path, *range(100)))
        assert printed(text(recordings, 42)).startswith("42:0 42:1 ")


def test_a_flood_is_recorded_to_the_last_byte(tmp_path: Path) -> None:
    """Whoever waits for room when there is none loses nothing, and the hub keeps its turns."""
    line = b"\x1b[32m%07d\x1b[0m the quick brown fox jumps over the lazy dog\r\n"
    data = b"".join(line % n for n in range(400_000))
    with opened(tmp_path) as recordings:
        one = begin(recordings)
        turns = 0

        def others() -> None:
            nonlocal turns
            while not one.stopped:
                turns += 1
                gevent.sleep(0.001)  # a busy loop here would keep the writer from its turns

        other = gevent.spawn(others)
        for at in range(0, len(data), 65_536):
            one.output(data[at : at + 65_536])
            assert one._unwritten <= room.MAX_BYTES
            if one.full:
                assert one.wait_for_room()
        one.end(timeout=30)
        other.join()
        assert turns > 10
        assert printed(text(recordings)).encode() == data


def test_who_does_not_wait_for_room_is_given_up(tmp_path: Path) -> None:
    """Memory is bounded whatever the caller does; what was written is whole."""
    told: list[str] = []
    with opened(tmp_path) as recordings:
        one = begin(recordings, told=told.append)
        for _ in range(100):
            one.output(bytes(65_536))
        assert told == ["failed"]
        assert not one.wait_for_room()
        one.end()
        assert events(text(recordings))[-1][1:] == ["m", "recording-stopped: failed"]


def test_a_recording_has_a_limit(tmp_path: Path) -> None:
    """It is told once, marked in the recording, and the recording is packed at once."""
    told: list[str] = []
    with opened(tmp_path, recording_max_bytes=200_000) as recordings:
        one = begin(recordings, told=told.append)
        for n in range(300):
            one.output(b"%4d" % n * 250)
            if n % 50 == 0:
                gevent.sleep(0.01)
        wait_until(packed(tmp_path, 1))
        assert told == ["limit"]
        assert one.stopped == "limit"
        one.output(b"more")
        assert one.end() == one.size <= 200_000
        found = events(text(recordings))
        assert found[-1][1:] == ["m", "recording-stopped: limit"]
        assert printed(text(recordings)).startswith("   0   0")
    assert told == ["limit"]


def test_a_disk_that_does_not_answer_costs_only_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal waits for a while, then it goes on without."""
    monkeypatch.setattr(room, "PATIENCE", 0.3)
    told: list[str] = []
    sleeping = gevent.monkey.get_original("time", "sleep")
    with opened(tmp_path) as recordings:
        one = begin(recordings, told=told.append)
        wait_until(lambda: one.size > 0)
        add = room.CastFile.add

        def hangs(*arguments: Any) -> str:
            sleeping(1.0)
            return add(*arguments)

        monkeypatch.setattr(room.CastFile, "add", hangs)
        while one.wait_for_room():
            one.output(bytes(65_536))
        assert told == ["failed"]
        assert not one.full
        assert one.end(timeout=0.1) <= one.size
        wait_until(lambda: one.done)


def test_a_caller_that_fails_does_not_disturb_the_others(tmp_path: Path) -> None:
    """``on_stopped`` of one raises: the next one is recorded all the same."""

    def fails(reason: str) -> None:
        raise ValueError(reason)

    with opened(tmp_path, recording_max_bytes=1_000) as recordings:
        bad, good = begin(recordings, 1, fails), begin(recordings, 2)
        bad.output(bytes(2_000))
        good.output(b"fine")
        wait_until(lambda: bad.done)
        good.end()
        assert printed(text(recordings, 2)) == "fine"


def test_old_ones_go(tmp_path: Path) -> None:
    """By the time of their end; the one that runs stays, however old; empty folders go too."""
    removed: list[list[str]] = []
    clock = Clock()
    with opened(tmp_path, recording_days=3, clock=clock, on_removed=removed.append) as recordings:
        old, running = begin(recordings, 1), begin(recordings, 2)
        old.output(b"old")
        old.end()
        wait_until(lambda: f"2023-11-14/{name(1)}.cast.zst" in files(tmp_path))
        for path in tmp_path.glob(".terminals/*/*"):
            os.utime(path, ns=(NOON, NOON))
        clock.ns += 2 * DAY
        recordings.upkeep.tidy()
        assert printed(text(recordings, 1)) == "old"
        clock.ns += 2 * DAY
        recordings.upkeep.tidy()
        assert removed == [[name(1)]]
        with pytest.raises(NoRecording):
            recordings.read(name(1))
        running.output(b"still")
        running.end()
        wait_until(packed(tmp_path, 2))
        assert printed(text(recordings, 2)) == "still"
        os.utime(tmp_path / f".terminals/2023-11-14/{name(2)}.cast.zst", ns=(NOON, NOON))
        recordings.upkeep.tidy()
        recordings.upkeep.tidy()
        assert removed == [[name(1)], [name(2)]]
        assert list((tmp_path / ".terminals").iterdir()) == []


def test_all_together_have_a_limit_and_the_oldest_go(tmp_path: Path) -> None:
    """Of those that have ended; as much as has to, and no more."""
    removed: list[list[str]] = []
    with opened(tmp_path, recordings_max_bytes=200_000, on_removed=removed.append) as recordings:
        for n in range(6):
            one = begin(recordings, n)
            one.output(os.urandom(30_000).hex().encode())
            one.end()
            wait_until(
                lambda n=n: (tmp_path / f".terminals/2023-11-14/{name(n)}.cast.zst").exists()
            )
        for n in range(6):
            path = tmp_path / f".terminals/2023-11-14/{name(n)}.cast.zst"
            os.utime(path, ns=(NOON, NOON + n * SECOND))
        running = begin(recordings, 9)
        running.output(os.urandom(40_000).hex().encode())
        wait_until(lambda: running.size > 80_000)
        recordings.upkeep._days = 36_500.0
        recordings.upkeep.tidy()
        gone = [session for told in removed for session in told]
        assert gone == [name(n) for n in range(len(gone))]
        assert 1 <= len(gone) < 6
        assert recordings.upkeep.used <= 200_000 < recordings.upkeep.used + 45_000
        assert not running.stopped


def test_running_ones_beyond_the_limit_of_all_stop(tmp_path: Path) -> None:
    """There is nothing left to delete: the biggest is not recorded any further."""
    told: dict[str, str] = {}
    with opened(tmp_path, recordings_max_bytes=300_000) as recordings:
        big = begin(recordings, 1, lambda reason: told.update(big=reason))
        small = begin(recordings, 2, lambda reason: told.update(small=reason))
        big.output(b"b" * 400_000)
        small.output(b"s" * 1_000)
        wait_until(lambda: big.size > 400_000)
        recordings.upkeep.tidy()
        assert told == {"big": "limit"}
        small.output(b"and on")
        small.end()
        assert printed(text(recordings, 2)).endswith("and on")


CHILD = """
import sys
from pathlib import Path
import gevent
from cloudbang.config import TerminalSettings
from cloudbang.storage.recordings.recordings import Recordings
made = Recordings(Path(sys.argv[1]), TerminalSettings())
made.open()
one = made.begin("0" * 15 + "1", columns=80, rows=24, command=("sh",), title="",
                 started="2023-11-14T22:13:20.000000000Z")
for n in range(1_000_000_000):
    one.output(b"line %d\\r\\n" % n * 20)
    if n == 2_000:
        print("going", flush=True)
    one.wait_for_room()
    gevent.sleep(0.0001)
"""


def test_a_killed_server_leaves_what_it_wrote(tmp_path: Path) -> None:
    """The next start finds it, leaves out its torn last line, and packs it."""
    child = subprocess.Popen(
        [sys.executable, "-c", "from gevent import monkey; monkey.patch_all()\n" + CHILD, tmp_path],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert child.stdout
    assert child.stdout.readline() == b"going\n"
    child.kill()
    child.communicate()
    plain = tmp_path / ".terminals" / "2023-11-14" / f"{name(1)}.cast"
    size = plain.stat().st_size
    with plain.open("ab") as f:
        f.write(b'[1234.567,"o","line that was to')
    (plain.parent / f"{name(1)}.cast.zst").write_bytes(b"half of a packed one")
    (plain.parent / f"{name(2)}.cast.zst.tmp").write_bytes(b"half of a packed one")
    (plain.parent / f"{name(3)}.cast").write_bytes(b'{"version":2,')
    removed: list[str] = []
    with opened(tmp_path, on_removed=removed.extend, recording_days=36_500) as recordings:
        wait_until(packed(tmp_path, 1))
        assert 0 < len(text(recordings)) <= size
        found = printed(text(recordings))
        assert "".join(f"line {n}\r\n" * 20 for n in range(2_000)).startswith(found[:200_000])
        wait_until(lambda: removed == [name(3)])


def test_a_stop_of_the_server_writes_what_was_printed(tmp_path: Path) -> None:
    """Also of those whose session did not end them."""
    with opened(tmp_path) as recordings:
        one = begin(recordings)
        one.output(b"the last words")
    with opened(tmp_path, recording_days=36_500) as recordings:
        wait_until(packed(tmp_path, 1))
        assert printed(text(recordings)) == "the last words"


def test_a_damaged_one_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    """While it is read or before; the reader's file is closed either way."""
    with opened(tmp_path) as recordings:
        one = begin(recordings)
        one.output(os.urandom(300_000).hex().encode())
        one.end()
        wait_until(packed(tmp_path, 1))
        path = tmp_path / ".terminals" / "2023-11-14" / f"{name(1)}.cast.zst"
        good = path.read_bytes()
        path.write_bytes(good[: len(good) // 2])
        with pytest.raises(StorageFailed, match=name(1)):
            list(recordings.read(name(1)))
        path.write_bytes(b"nothing of use")
        with pytest.raises(StorageFailed, match=name(1)):
            recordings.read(name(1))


def test_an_idle_recording_is_small() -> None:
    """There may be hundreds: under 2 kB each, measured over 200."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r})\n" + MEMORY
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2_000


MEMORY = """
from gevent import monkey; monkey.patch_all()
import gc, tempfile, tracemalloc
from pathlib import Path
import gevent
from cloudbang.config import TerminalSettings
from cloudbang.storage.recordings.recordings import Recordings
with tempfile.TemporaryDirectory() as folder:
    made = Recordings(Path(folder), TerminalSettings())
    made.open()
    def begin(n):
        one = made.begin(f"{n:016x}", columns=80, rows=24, command=("sh",), title="web",
                         started="2023-11-14T22:13:20.000000000Z")
        one.output(b"$ ")
        return one
    def settle(these):
        while any(one._unwritten or not one.size for one in these):
            gevent.sleep(0.01)
    settle([begin(n) for n in range(50)])
    gc.collect(); tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    these = [begin(n) for n in range(100, 300)]
    settle(these)
    gc.collect()
    print((tracemalloc.get_traced_memory()[0] - before) // 200)
    tracemalloc.stop()
    made.close()
"""
