"""Promise 1 when the server dies at any moment."""

from __future__ import annotations

import random
import time

import pytest

from tests.faults.truth import assert_same, ticker, two_streams
from tests.support import rounds

ROUNDS = rounds(4, 60)
"""How often the server is killed."""


@pytest.mark.engine
@pytest.mark.slow("each start after a kill is one, and may be killed, too")
@pytest.mark.timeout(240 + 5 * ROUNDS)
def test_kill_9_at_random_moments_loses_and_doubles_nothing(container, new_server) -> None:
    """Killed again and again while starting and while collecting, every line is stored once."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")  # shown when it fails
    server = new_server(start=False)
    steady = container(two_streams(800))
    terminal = container(ticker("tty", 400), tty=True)
    bursts = container(ticker("burst", 1200, burst=400))
    quiet = container("echo once; sleep 1000000")
    for _ in range(ROUNDS):
        # On purpose no waits on conditions: any moment will do, those of the start too.
        if chance.random() < 0.3:
            server.spawn()
            time.sleep(0.2 + chance.random() * 1.5)
        else:
            server.start()
            time.sleep(chance.random())
        assert server.process.poll() is None, server.said()
        server.kill()
    for one in (steady, terminal, bursts):
        one.kill()
        one.wait()
    server.start()
    for one, tty in ((steady, False), (terminal, True), (bursts, False)):
        assert assert_same(server, one.name, one, tty) > 100
    assert assert_same(server, quiet.name, quiet) == 1
