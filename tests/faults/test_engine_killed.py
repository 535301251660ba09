"""Promise 1 when the engine dies or restarts under CloudBang."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.truth import assert_same, engine_lines, ticker, two_streams
from tests.support import wait_until
from tests.support_engine import PrivateEngine


@pytest.fixture
def own_engine() -> Iterator[PrivateEngine]:
    engine = PrivateEngine()
    try:
        yield engine.start()
    finally:
        engine.close()


def _says_engine_away(server) -> bool:
    notices = server.get("/api/v1/status")["notices"]
    return any("engine" in notice["code"] for notice in notices)


@pytest.mark.engine
@pytest.mark.parametrize("how", ["kill", "stop"])
@pytest.mark.slow("an engine of its own ends and starts again")
def test_an_engine_that_comes_back_loses_and_doubles_nothing(
    own_engine: PrivateEngine, new_server, how: str
) -> None:
    """The engine dies under load and comes back: said meanwhile, then every line is stored once."""
    image = own_engine.image()
    options = {
        "detach": True,
        "network_mode": "none",
        "restart_policy": {"Name": "always"},
        "stop_signal": "KILL",
    }
    containers = [
        own_engine.client.containers.run(image, ["sh", "-c", two_streams(1000)], **options),
        own_engine.client.containers.run(
            image, ["sh", "-c", ticker("tty", 500)], tty=True, **options
        ),
    ]
    server = new_server({"DOCKER_HOST": own_engine.address})
    for _ in range(2):
        before = {one.name: _stored(server, one.name) for one in containers}
        wait_until(
            lambda before=before: all(_stored(server, n) > b + 500 for n, b in before.items()),
            30,
            "lines to flow",
        )
        getattr(own_engine, how)()
        wait_until(lambda: _says_engine_away(server), 15, "a notice that the engine is away")
        assert server.process.poll() is None, server.said()
        own_engine.start()
        wait_until(lambda: not _says_engine_away(server), 30, "the notice to go")
        wait_until(
            lambda: all(_state(one) == "running" for one in containers), 30, "containers to run"
        )
    after = {one.name: sum(map(len, engine_lines(one).values())) for one in containers}
    wait_until(
        lambda: all(_stored(server, name) > count for name, count in after.items()),
        30,
        "lines after the last start",
    )
    for one in containers:
        one.update(restart_policy={"Name": "no"})
        one.kill()
        one.wait()
    for one, tty in zip(containers, (False, True), strict=True):
        assert assert_same(server, one.name, one, tty) > 1000


def _stored(server, app: str) -> int:
    answer = server.client.get(f"/api/v1/apps/{app}/lines", params={"limit": 1})
    return answer.json()["next"] if answer.status_code == 200 else 0


def _state(container) -> str:
    container.reload()
    return str(container.status)
