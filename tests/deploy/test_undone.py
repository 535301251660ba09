"""The old release cannot be started again: that is tried until it can be, or until somebody who has
something better wants the app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.deploy import apps
from tests.deploy.house import House, Swarm
from tests.support import wait_until

pytestmark = pytest.mark.engine

NEVER = {"LISTENS": "no", "health": {"tcp": True, "within": 60}}


@contextmanager
def port_taken(swarm: Swarm, image: str, port: int) -> Iterator[None]:
    """Somebody else's service has the port of the old release, which was removed."""
    its = {"EndpointSpec": {"Ports": [{"TargetPort": 80, "PublishedPort": port}]}}
    task = {"ContainerSpec": {"Image": image, "Command": ["sleep", "1000"]}}
    spec = {"Name": "somebody-elses", "TaskTemplate": task, **its}
    made = swarm.client.api._post_json(swarm.client.api._url("/services/create"), data=spec)
    assert made.status_code == 201, made.text
    try:
        yield
    finally:
        swarm.engine.remove_service("somebody-elses")


def cancelled(house: House, swarm: Swarm, image: str, app: str, port: int) -> int:
    """One that stopped the old release, which is gone now; its port is not free."""
    published = {"ports": [{"target": 8080, "published": port}]}
    house.serves(app, **apps.web(image, "one", **published))
    id = house.deploy(app, **apps.web(image, "two", **published, **NEVER))
    house.in_step(id, "health")
    swarm.engine.remove_service(f"{app}-r1")
    swarm.engine.remove_service(f"{app}-r2")
    return id


def refused(house: House, id: int) -> bool:
    return any("start-old cannot be done" in line for line in house.lines(id))


@pytest.mark.slow("tries that the engine refuses, with pauses between them")
def test_it_is_tried_until_it_can_be(house: House, swarm: Swarm, image: str) -> None:
    id = cancelled(house, swarm, image, "comes-back", 8185)
    with port_taken(swarm, image, 8185):
        house.deployments.cancel(id, "ada")
        wait_until(lambda: refused(house, id), 30, "the engine's refusal to be said")
        assert not house.get(id).settled
    assert house.wait(id).state == "cancelled"
    assert house.services("comes-back") == ["comes-back-r1"]
    assert len(house.engine.released("comes-back", 1)) == 1


@pytest.mark.slow("tries that the engine refuses, with pauses between them")
def test_who_deploys_meanwhile_need_not_wait_for_it(house: House, swarm: Swarm, image: str) -> None:
    id = cancelled(house, swarm, image, "is-followed", 8186)
    with port_taken(swarm, image, 8186):
        house.deployments.cancel(id, "ada")
        wait_until(lambda: refused(house, id), 30, "the engine's refusal to be said")
        house.serves("is-followed", **apps.web(image, "three"))
        assert house.wait(id).state == "cancelled"
        with house.deployments.occupied("is-followed"):
            pass
    assert house.services("is-followed") == ["is-followed-r3"]
