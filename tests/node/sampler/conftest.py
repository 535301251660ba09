from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.node.sampler.rig import SamplerRig


@pytest.fixture(scope="session")
def shared(engine_socket: str) -> Iterator[SamplerRig]:
    """One sampler that measures all that the tests start."""
    one = SamplerRig(engine_socket)
    yield one
    one.close()
