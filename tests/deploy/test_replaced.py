"""A release is replaced while it is asked all the time: nobody is turned away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gevent
import gevent.event
import httpx
import pytest

from tests.deploy import apps
from tests.deploy.house import House, Swarm
from tests.support import patient, wait_until

pytestmark = [
    pytest.mark.engine,
    pytest.mark.slow("two deployments, and requests all the while"),
]

VOLUME = "cloudbang-test-replaced"


@contextmanager
def asked(house: House, app: str) -> Iterator[list[str]]:
    """Three who ask again and again, each answer before the next question; what they were told."""
    told: list[str] = []
    url = f"http://127.0.0.1:{house.settings.gateway.http_port}/"
    over = gevent.event.Event()

    def ask() -> None:
        at = {"Host": f"{app}.localhost"}
        with httpx.Client(timeout=patient(60), trust_env=False, headers=at) as client:
            while not over.is_set():
                try:
                    answer = client.get(url)
                    told.append(f"{answer.status_code} {answer.text.strip()}")
                except httpx.HTTPError as e:
                    told.append(repr(e))
                gevent.sleep(0.05)

    people = [gevent.spawn(ask) for _ in range(3)]
    try:
        yield told
    finally:
        over.set()
        gevent.joinall(people, timeout=patient(60))


@pytest.fixture
def volume(swarm: Swarm) -> Iterator[str]:
    yield VOLUME
    swarm.forget_volume(VOLUME)


def replaced(house: House, image: str, app: str, **more: object) -> list[str]:
    """What is answered from before a deployment until after it."""
    house.serves(app, **apps.web(image, "one", route={}, **more))
    with asked(house, app) as told:
        house.serves(app, **apps.web(image, "two", route={}, LATE=1, **more))
        wait_until(lambda: told[-1] == "200 two", 20, "the new one to answer last")
    return told


def test_beside_each_other(house: House, image: str) -> None:
    told = replaced(house, image, "beside-each-other")
    assert set(told) == {"200 one", "200 two"}
    assert told[-1] == "200 two"


def test_where_only_one_may_run(house: House, image: str, volume: str) -> None:
    """Who asks meanwhile waits at the gateway."""
    kept = {"volumes": [{"name": volume, "path": "/kept"}]}
    told = replaced(house, image, "one-at-a-time", **kept)
    assert set(told) == {"200 one", "200 two"}
    first = told.index("200 two")
    assert set(told[first:]) == {"200 two"}
