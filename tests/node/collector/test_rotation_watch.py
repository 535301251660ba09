"""What a followed log shows of a file that the engine jumped over, whatever is known of its rate."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cloudbang.domain.lines import format_time, record
from cloudbang.node.collector.rotation import RotationWatch

BEGAN = 1_790_000_000 * 10**9
LINE = 115  # bytes of one in the engine's file


@dataclass
class Log:
    """Lines as they come from an engine, to a watch that is told the truth about what it asks."""

    watch: RotationWatch
    now: float = 1000.0
    time: int = BEGAN
    number: int = 0
    last: bytes | None = None
    jump: tuple[bytes, bytes] | None = None
    found: bool = False
    asked: int = 0

    def _record(self) -> bytes:
        self.number += 1
        text = b"flood line %d of what comes all at once" % self.number
        return record(format_time(self.time).encode(), b"0123456789ab", b"stdout", text)

    def pause(self, seconds: float) -> None:
        self.time += int(seconds * 1e9)
        self.now += seconds

    def flood(
        self, lines: int, rate: float, batch: int, jump_at: int = -1, jumped: int = 0
    ) -> None:
        """``lines`` of them, at ``rate`` a second, ``batch`` at a time; before that of the index
        ``jump_at``, ``jumped`` lines are passed over."""
        began, came = self.now, self.time
        coming: list[bytes] = []
        before = self.last
        for at in range(lines):
            if at == jump_at:
                before = coming[-1] if coming else self.last
                self.time += int(jumped * 1e9 / rate)
                self.number += jumped
            self.time += int(1e9 / rate)
            coming.append(self._record())
            if at == jump_at:
                assert before is not None
                self.jump = (before, coming[-1])
            if len(coming) == batch or at == lines - 1:
                self.now = began + (self.time - came) / 1e9
                self._take(coming)
                coming = []

    def _take(self, records: list[bytes]) -> None:
        while (odd := self.watch.first_discontinuity(records, self.now)) is not None:
            before = records[odd - 1] if odd else self.last
            if self._is_asked(before, records[odd]):
                self.watch.begin()
            else:
                self.watch.accept(records[odd])
            self.watch.delivered(records[:odd])
            records, self.last = records[odd:], records[odd]
        self.watch.delivered(records)
        self.last = records[-1]
        for before, after in self.watch.doubts(self.now):
            self.watch.answered(before, after, self._is_asked(before, after))

    def _is_asked(self, before: bytes | None, after: bytes) -> bool:
        self.asked += 1
        jumped = (before, after) == self.jump
        self.found = self.found or jumped
        return jumped


@pytest.mark.parametrize("quiet", [0.0, 5.0, 25.0, 60.0])
@pytest.mark.parametrize("batch", [34, 500])
@pytest.mark.parametrize("rate", [1_200.0, 9_000.0])
@pytest.mark.parametrize("seen", [20, 500, 1500])
@pytest.mark.parametrize("size", [50_000, 500_000])
def test_a_file_that_is_jumped_over_in_a_flood_is_asked_about(
    size: int, seen: int, rate: float, batch: int, quiet: float
) -> None:
    """Also at its beginning, when the lines around the jump are the first that tell of a flood, and
    what is known of the one before has faded."""
    file = size // LINE
    log = Log(RotationWatch(size))
    log.flood(2 * file, rate, batch)
    for _ in range(3):
        log.pause(quiet / 4)
        log.flood(1, rate, batch)
    log.pause(quiet / 4)
    asked = log.asked
    log.flood(seen + 2 * file, rate, batch, jump_at=seen, jumped=file)
    for _ in range(8):  # what is not sure is asked about in the end
        log.pause(4)
        log.flood(1, rate, batch)
    assert log.found
    assert log.asked - asked < 30


def test_a_steady_flood_is_not_asked_about() -> None:
    """Each question has the engine walk through its files."""
    log = Log(RotationWatch(50_000))
    log.flood(2_000, 9_000.0, 34)
    asked = log.asked
    log.flood(10_000, 9_000.0, 34)
    assert log.asked == asked


def test_what_was_fetched_for_one_step_is_not_asked_for_as_a_part_of_another() -> None:
    """A log that is read again may be jumped over from the same line on, and less far."""
    log = Log(RotationWatch(50_000))
    log.flood(200, 100.0, 34)
    watch, last = log.watch, log.last
    assert last is not None
    log.pause(0.5)
    coming = []
    for _ in range(600):
        log.time += 10_000_000
        coming.append(log._record())
    for first in (400, 300):  # two readings
        watch.begin(last)
        assert watch.first_discontinuity(coming[first : first + 1], log.now) is None
    asked = []
    for before, after in watch.doubts(log.now):
        asked.append((before, after))
        watch.delivered([raw for raw in coming if before < raw < after])
        watch.answered(before, after, True)
    assert asked == [(last, coming[400])]


@pytest.mark.parametrize("held", [0.0, 10.0, 30.0, 60.0])
@pytest.mark.parametrize("late", [1, 150, 1_000])
@pytest.mark.parametrize("slowly", [0.1, 1.0, 4.0])
def test_a_jump_after_a_reading_that_took_long_is_asked_about(
    slowly: float, late: int, held: float
) -> None:
    """On a busy machine a log that is read again takes its time: lines that were passed over before
    come late, and just then a whole file is. What was known of the rate is known all the same."""
    log = Log(RotationWatch(1 << 20))
    log.flood(10_000, 500.0, 50)
    log.now += held
    log.watch.begin(log.last)
    older = Log(log.watch, time=log.time - 2 * 10**9 - late * 10**6, number=10**6)
    lines = []
    for _ in range(late):
        older.time += 10**6
        lines.append(older._record())
    for at in range(0, late, 700):
        log._take(lines[at : at + 700])
    jumped_and_read(log, slowly)
    assert log.found


@pytest.mark.parametrize("seen", [1, 50, 400])
@pytest.mark.parametrize("slowly", [0.1, 1.0, 4.0, 20.0])
def test_a_jump_that_is_seen_slowly_is_asked_about(slowly: float, seen: int) -> None:
    """Nothing was known of its rate before, and what comes after it comes in drops."""
    log = Log(RotationWatch(1 << 20))
    log.flood(seen, 500.0, 50)
    jumped_and_read(log, slowly)
    assert log.found


def jumped_and_read(log: Log, slowly: float) -> None:
    """A file of a container that writes 500 lines a second is jumped over; of the lines after it 50
    are read each so many seconds."""
    before, file = log.last, (1 << 20) // LINE
    log.time += int(file * 1e9 / 500)
    for at in range(4 * file // 50):
        batch = []
        for _ in range(50):
            log.time += 2_000_000
            batch.append(log._record())
        if at == 0:
            assert before is not None
            log.jump = (before, batch[0])
        log.now += slowly
        log._take(batch)
        if log.found:
            return
