"""Networks that are not ours: the machine's own, those that carry no apps, those of one name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudbang.domain.deploy.fields import SpecInvalid
from tests.deploy.house import House, Swarm
from tests.support import free_port, patient

pytestmark = pytest.mark.engine


def on_host(image: str, port: int, release: str = "one", **written: object) -> dict[str, object]:
    serve = f"mkdir -p /www && echo {release} >/www/index.html && exec httpd -f -p {port} -h /www"
    made = {"image": image, "command": ["sh", "-c", serve], "networks": ["host"], "stop_grace": 1}
    return {**made, "port": port, **written}


def test_an_app_in_the_machines_network_serves_and_is_replaced(
    house: House, swarm: Swarm, image: str
) -> None:
    """It is in no other, is asked where it listens, and ends before the next one listens there."""
    port = free_port()
    house.serves("hosted", **on_host(image, port, stack="home", aliases=["hosted"]))
    [task] = [one for one in swarm.engine.tasks("hosted-r1") if one.state == "running"]
    its = swarm.client.containers.get(task.container).attrs
    assert list(its["NetworkSettings"]["Networks"]) == ["host"]
    done = house.serves("hosted", **on_host(image, port, "two", stack="home"))
    assert done.stop_first
    check = {"health": {"http": "/none", "within": round(patient(2))}}
    id = house.deploy("hosted", **on_host(image, port, "three", **check))
    failed = house.wait(id)
    assert failed.failure is not None, house.lines(id)
    assert failed.failure.said == f"GET /none at port {port} is answered with 404"
    assert house.services("hosted") == ["hosted-r2"]


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({"route": {}}, "route"),
        ({"networks": ["host", "mesh"]}, "networks"),
        ({"ports": [{"published": 1, "target": 1}]}, "ports"),
    ],
)
def test_what_does_not_go_with_it_is_refused(
    house: House, image: str, written: dict[str, Any], field: str
) -> None:
    with pytest.raises(SpecInvalid) as e:
        house.deploy("odd", **on_host(image, 8080, **written))
    assert e.value.field == field


@pytest.fixture
def bridge(swarm: Swarm) -> Iterator[str]:
    made = swarm.client.networks.create("proxy-of-one-machine")
    yield "proxy-of-one-machine"
    made.remove()


def test_a_network_of_one_machine_is_said_to_be_one(house: House, image: str, bridge: str) -> None:
    """As what people make for their proxy, and name in their Compose files as external."""
    id = house.deploy("proxied", image=image, networks=[bridge])
    done = house.wait(id)
    assert done.failure is not None, house.lines(id)
    assert done.failure.kind == "path-missing"
    assert "of one machine" in done.failure.said
    assert "overlay" in done.failure.said
