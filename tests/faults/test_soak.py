"""Everything at once for a while: the short form of what `make bench` does for a minute."""

from __future__ import annotations

import pytest

from tests.faults.soak import soak
from tests.support import rounds, slowness

MIB = 1024**2
SECONDS = rounds(6, 120)


@pytest.mark.engine
@pytest.mark.slow("ten containers start, and all that they wrote is compared")
def test_ten_busy_containers_and_fifty_viewers_lose_nothing(container, server) -> None:
    """20,000 lines a second, 50 viewers, 5 of them stuck: all stored, all delivered.

    How late the hub was is measured by the benchmark: here it would be the machine's lateness.
    """
    result = soak(server, container, seconds=SECONDS)
    print(result)
    busy = slowness()  # how much there is of everything then is the machine's doing
    assert result.lines > 8_000 * SECONDS / busy
    for viewer in result.viewers:
        assert viewer["missed"] == viewer["repeated"] == 0, viewer
        if not viewer["stuck"]:
            assert viewer["lines"] > 400 * SECONDS / busy, viewer
            assert viewer["gaps"] == 0, viewer
            assert viewer["closed"] is None, viewer
    assert result.growth < 60 * MIB
