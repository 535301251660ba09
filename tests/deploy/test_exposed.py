"""What the instances of a release expose is read where this machine reaches them."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from cloudbang.domain.apps import Instance
from cloudbang.domain.metrics.exposed import Why
from cloudbang.domain.metrics.own_samples import NotTaken, Sample
from cloudbang.domain.names import METRICS_PATH, METRICS_PORT
from cloudbang.monitoring.scrape import EVERY, Scraper
from tests.deploy import apps
from tests.deploy.house import House, Swarm
from tests.support import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.slow("a deployment of two instances")]

APP = "exposing"


class Around:
    """Who knows the containers, and who takes what is read."""

    def __init__(self, swarm: Swarm) -> None:
        self.engine = swarm.engine
        self.taken: list[Sample] = []
        self.said: list[Why | None] = []

    def instances(self) -> list[Instance]:
        found = [one.id for one in self.engine.containers() if one.app == APP]
        return [self.engine.inspect(one) for one in found]

    def own(self, app: str, samples: Sequence[object]) -> tuple[int, list[tuple[int, NotTaken]]]:
        self.taken += [one for one in samples if isinstance(one, Sample)]
        return len(samples), []

    def say_exposed(self, app: str, container: str, why: Why | None) -> None:
        self.said.append(why)


def test_every_instance_of_a_release_is_read(house: House, swarm: Swarm, image: str) -> None:
    """Over the bridge of the machine, whatever network of its team it is on."""
    labels = {METRICS_PORT: "8080", METRICS_PATH: "/"}
    house.serves(APP, **apps.web(image, "queue_length 7", replicas=2, labels=labels))
    around = Around(swarm)
    containers = sorted(one.short for one in around.instances())
    assert len(containers) == 2
    now = [time.time()]
    scraper = Scraper(swarm.engine, around, around, lambda: now[0])
    try:
        scraper.look()
        now[0] += EVERY
        scraper.look()
        wait_until(lambda: len(around.taken) >= 2 or around.said, 20, "both to be read")
    finally:
        scraper.stop()
        for service in house.services(APP):
            swarm.engine.remove_service(service)
    assert around.said == []
    assert sorted((one.name, one.value, one.labels) for one in around.taken) == [
        ("queue_length", 7.0, (("container", container),)) for container in containers
    ]
