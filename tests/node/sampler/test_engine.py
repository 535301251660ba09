"""What is measured of containers of a real engine, against what is known of them from outside."""

from __future__ import annotations

import pytest

from tests.node.sampler.rig import SamplerRig
from tests.support import wait_until

pytestmark = pytest.mark.engine


def test_a_container_is_measured_from_its_second_second(shared: SamplerRig, container) -> None:
    """What is counted needs two readings; whole seconds, in order, and each once."""
    made = container("while :; do :; done")
    cpu = shared.measured(made.id, "cpu", 2)
    assert all(0 < value < 64 for value in cpu)
    times = [time for time, _ in shared.sink.samples(made.id)]
    assert times == sorted(set(times))
    expected = shared.sink.sweeps[-1].expected
    assert [made.id] in expected.values()
    made.kill()
    wait_until(lambda: [made.id] not in shared.sink.sweeps[-1].expected.values())
