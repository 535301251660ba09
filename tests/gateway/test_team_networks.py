"""The gateway comes to the networks of teams as it runs, and leaves them."""

from __future__ import annotations

import pytest

from cloudbang.domain.deploy.swarm_spec import team_network
from cloudbang.gateway.service import NAME
from tests.gateway.ground import Ground, spec
from tests.gateway.test_faults import answers, container_of, containers
from tests.support import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.slow("a gateway is ended, and comes back")]


def test_it_comes_to_a_teams_network_as_it_runs(ground: Ground) -> None:
    """And again when it was ended; where nobody of the team has a route it is no more."""

    def on() -> set[str]:
        return {name for one in containers(ground) for name in ground.engine.networks_of(one)}

    ground.teams["red"], theirs = "red", team_network("red")
    web = ground.run("web", 1)
    ground.gateway.publish("web", spec())
    ground.gateway.switch("web", web)
    container = container_of(ground)
    red = ground.run("red", 1, network=ground.engine.roomy_overlay(theirs))
    ground.gateway.publish("red", spec())
    ground.gateway.switch("red", red)
    assert theirs in on()
    assert ground.text("red.localhost") == "red-r1"
    assert containers(ground) == [container]

    # No task ever gets its address there.
    given = ground.engine.addresses_on(theirs)
    assert given[container].endswith(".254")
    assert all(int(its.rpartition(".")[2]) < 128 for who, its in given.items() if who != container)

    ground.docker.containers.get(container).kill()
    wait_until(lambda: containers(ground) not in ([], [container]), 30, "another one")
    wait_until(lambda: answers(ground, "red.localhost", "red-r1"), 20, "the team's app to answer")
    container = container_of(ground)

    ground.gateway.withdraw("red")
    wait_until(lambda: theirs not in on(), 10, "it to leave")
    assert containers(ground) == [container]
    ground.end(red)
    wait_until(lambda: not ground.engine.addresses_on(theirs), 20, "the network to be empty")
    assert ground.engine.network_id(theirs)
    ground.docker.networks.get(theirs).remove()
    ground.gateway.withdraw("web")
    assert ground.engine.service(NAME) is None
