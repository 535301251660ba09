"""Rolls up, and is killed at every moment at which it can be: ``killed_child FOLDER KILLS``.

Time goes by; each time through a child of this process does what is to be done and is killed at one
of its steps, each in turn; then everything there is is read. Plain ``fork``: a hundred processes that
each import everything would take a minute.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
from collections import Counter
from pathlib import Path

from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.points import Points
from cloudbang.storage.metrics import metrics_file, slabs
from cloudbang.storage.metrics.reading import Reading
from cloudbang.storage.metrics.retention import Limits
from cloudbang.storage.metrics.rolling_process import once
from cloudbang.storage.sqlite import transaction

HOUR, DAY = 3600, 86_400
T0 = 1_699_833_600 // (12 * DAY) * (12 * DAY)
LIMITS = Limits(12 * HOUR, 4 * DAY, 90 * DAY, 1 << 30)
IDS = {1: 1.0, 2: 4096.0, 3: 0.0}
HISTOGRAM = 4


class Ground:
    def __init__(self, path: Path) -> None:
        self.path, self.chance = path, random.Random(7)
        self.truth: dict[int, dict[int, int]] = {}
        self.killed: Counter[str] = Counter()
        c = metrics_file.connect(path)
        metrics_file.make(path, c)
        for number, scale in IDS.items():
            c.execute(
                "INSERT INTO series VALUES (?, 'a', ?, '[]', 0, '', ?, 0)",
                (number, str(number), scale),
            )
        c.execute("INSERT INTO series VALUES (?, 'a', 'h', '[]', 1, '', 1, 0)", (HISTOGRAM,))
        c.execute("UPDATE series SET last = ?", (T0 + 1000 * DAY,))
        c.close()

    def write(self, since: int, until: int) -> None:
        """Slabs, now and then one is missing, or one of its series."""
        c = metrics_file.connect(self.path)

        def work() -> None:
            for time in range(since, until, 10 * self.chance.randrange(30, 200)):
                row = {n: self.chance.randrange(1 << 20) for n in IDS if self.chance.random() < 0.8}
                self.truth[time] = row
                kept = [(n, (1, v, v, v), n == 3) for n, v in row.items()]
                slabs.put(c, time, kept, {HISTOGRAM: packed(time)})

        transaction(c, "BEGIN IMMEDIATE", work)
        c.close()

    def killed_at(self, now: int, step: int) -> bool:
        """Whether a process that is killed at its ``step``-th moment had so many."""
        told, tells = os.pipe()
        child = os.fork()
        if not child:
            left = step

            def at(name: str) -> None:
                nonlocal left
                left -= 1
                if not left:
                    os.write(tells, name.encode())
                    os.kill(os.getpid(), signal.SIGKILL)

            c = metrics_file.connect(self.path)
            once(c, now, LIMITS, True, at)
            c.close()
            os._exit(0)
        os.close(tells)
        _, status = os.waitpid(child, 0)
        with open(told, "rb") as pipe:
            name = pipe.read().decode()
        assert os.WIFSIGNALED(status) == bool(name), status
        self.killed[name] += bool(name)
        return bool(name)

    def check(self, since: int, until: int, step: int) -> None:
        c = metrics_file.connect(self.path, reads=True)
        source = Reading(c)
        found = source.points(IDS, since, until, step)
        histograms = source.histograms(HISTOGRAM, since, until, step)
        assert not source.damaged
        c.close()
        expected = {n: Points.nothing((until - since) // step) for n in IDS}
        counts = [0] * ((until - since) // step)
        for time, row in self.truth.items():
            if since <= time < until:
                at = (time - since) // step
                counts[at] += 1
                for number, value in row.items():
                    one = Points([1], [value], [value], [value])
                    mine = expected[number]
                    both = Points(*([getattr(mine, s)[at], getattr(one, s)[0]] for s in COLUMNS))
                    mine.lay(both.rolled(2), at)
        assert found == expected, (since, until, step)
        assert [count(one) for one in histograms] == counts


COLUMNS = ("samples", "totals", "leasts", "mosts")


def packed(time: int) -> bytes:
    made = Histogram()
    made.add(1 + time % 7)
    return made.pack()


def count(one: bytes | None) -> int:
    return Histogram.unpack(one).count if one else 0


def main(folder: str, kills: int) -> None:
    ground = Ground(Path(folder) / metrics_file.NAME)
    now, step = T0, 1
    while sum(ground.killed.values()) < kills:
        later = now + ground.chance.randrange(2, 9) * HOUR
        ground.write(now, later)
        now = later + 60
        while ground.killed_at(now, step) and sum(ground.killed.values()) < kills:
            step += ground.chance.randrange(1, 40)
            ground.check(max(T0, now // 600 * 600 - 10 * HOUR), now // 600 * 600 + 600, 10)
            ground.check(max(T0, now // 600 * 600 - 20 * HOUR), now // 600 * 600 + 600, 600)
            ground.check(T0, now // 7200 * 7200 + 7200, 7200)
        step = ground.chance.randrange(1, 9)
    for seconds in (60, 600):
        ground.check(max(T0, now // 600 * 600 - 4 * DAY), now // 600 * 600 + 600, seconds)
    ground.check(T0, now // 600 * 600 + 600, 600)
    c = sqlite3.connect(ground.path)
    assert c.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    c.close()
    del ground.killed[""]
    print(" ".join(sorted(ground.killed)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
