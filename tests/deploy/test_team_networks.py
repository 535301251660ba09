"""Apps of two teams do not reach each other; those of one team do, and the gateway all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudbang.deploy import handing
from cloudbang.domain.deploy import swarm_spec
from cloudbang.domain.deploy.swarm_spec import NETWORK
from tests.deploy import apps
from tests.deploy.house import House, Swarm
from tests.deploy.test_replaced import asked
from tests.support import patient, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.slow("five deployments")]

TEAMS = {"blue-db": "blue", "blue-web": "blue", "red-web": "red"}


class Town:
    """Apps of two teams, and what they reach."""

    def __init__(self, house: House, swarm: Swarm, image: str) -> None:
        self.house, self.swarm, self.image = house, swarm, image
        for app, team in TEAMS.items():
            house.apps.create(app, team)

    def deploy(self, app: str, release: str = "one") -> None:
        self.house.serves(app, **apps.web(self.image, release, route={}))

    def container(self, service: str) -> Any:
        [task] = [t for t in self.swarm.engine.tasks(service) if t.state == "running"]
        return self.swarm.client.containers.get(task.container)

    def networks(self, service: str) -> set[str]:
        found = self.container(service).attrs["NetworkSettings"]["Networks"]
        return {name for name in found if name.startswith(NETWORK)}

    def reaches(self, service: str, *addresses: str) -> set[str]:
        """Which of them answer when they are asked from its container, all at once."""
        ask = f'timeout {patient(3):.0f} wget -q -O- "http://$a:8080/" >/dev/null && echo "$a"'
        asks = f"for a; do ({ask}) & done; wait"
        asked = self.container(service).exec_run(["sh", "-c", asks, "sh", *addresses])
        return set(asked.output.decode().split()) & set(addresses)

    def addresses(self, service: str) -> list[str]:
        [task] = [t for t in self.swarm.engine.tasks(service) if t.state == "running"]
        bridge = self.swarm.engine.addresses_on("docker_gwbridge")[task.container]
        return [*task.addresses, bridge]


@pytest.fixture
def town(house: House, swarm: Swarm, image: str) -> Iterator[Town]:
    yield Town(house, swarm, image)
    for service in swarm.engine.services("cloudbang.app"):
        swarm.engine.remove_service(service.name)
    for app in list(house.gateway.apps):
        house.gateway.withdraw(app)


def test_apps_of_two_teams_do_not_reach_each_other(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those from before teams had networks move as they are deployed, and nobody who asks for them,
    from outside or from within their team, notices."""
    with monkeypatch.context() as before:
        for module in (swarm_spec, handing):
            before.setattr(module, "team_network", lambda team: NETWORK)
        town.deploy("blue-db")
        town.deploy("blue-web")
    [gateway] = town.swarm.client.containers.list(filters={"name": "cloudbang-gateway"})
    assert town.reaches("blue-web-r1", "blue-db")

    with asked(town.house, "blue-web") as told:
        town.deploy("blue-web", "two")
        wait_until(lambda: "200 two" in told, 20, "the new one to answer")
    assert set(told) == {"200 one", "200 two"}
    # blue-db is where it was, and is found and finds.
    assert town.networks("blue-web-r2") == {NETWORK, "cloudbang_blue"}
    assert town.reaches("blue-web-r2", "blue-db")
    assert town.reaches("blue-db-r1", "blue-web")

    town.deploy("blue-db", "two")
    assert town.networks("blue-db-r2") == {"cloudbang_blue"}
    town.deploy("red-web")
    assert town.networks("red-web-r1") == {"cloudbang_red"}
    assert town.reaches("blue-web-r2", "blue-db")
    assert town.reaches("blue-db-r2", "blue-web")
    theirs = ["blue-db", "blue-web", "blue-db-r2", "blue-web-r2"]
    theirs += [one for service in theirs[2:] for one in town.addresses(service)]
    assert town.reaches("red-web-r1", "red-web", *theirs) == {"red-web"}
    assert not town.reaches("blue-db-r2", "red-web", *town.addresses("red-web-r1"))

    with asked(town.house, "red-web") as red, asked(town.house, "blue-db") as blue:
        wait_until(lambda: red and blue)
    assert (set(red), set(blue)) == ({"200 one"}, {"200 two"})
    gateway.reload()
    assert gateway.status == "running"  # the same all the time
