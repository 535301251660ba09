"""With no byte left on the disk nothing that was kept is lost, it is said, and it goes on by itself."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cloudbang.errors import StorageFull
from tests.storage.metrics.truth import T0, Truth


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_said_and_costs_nothing_that_was_kept(small_disk: Path) -> None:
    """Neither writing nor rolling up leaves half of anything."""
    truth = Truth(small_disk)
    truth.time_passes(3600, every=50)
    ballast = small_disk / "ballast"
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    lost = []
    while not lost:
        time = int(truth.clock.now) // 10 * 10
        try:
            truth.slab(time)
        except StorageFull:
            lost.append(truth.slabs.pop(time))
            del truth.histograms[time]
        truth.clock.now += 10
    store = truth.store
    assert store.trouble
    assert [n.code for n in store._notices.now()] == ["metrics-not-kept"]
    end = int(truth.clock.now)
    truth.check(T0, end)
    assert not store.roll_up.once()
    truth.check(T0, end)
    ballast.unlink()
    truth.slab(end // 10 * 10)
    truth.clock.now = float(T0 + 2 * 3600 + 60)
    assert store.roll_up.once()
    assert not store._notices.now()
    truth.check(T0, T0 + 2 * 3600)
    store.close()
