"""Jobs: others need their end, and not that they run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudbang.deploy import watch
from tests.deploy import apps
from tests.deploy.house import House, Swarm
from tests.support import wait_until

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def house(swarm: Swarm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """With the time after which anything else serves made short."""
    folder: Path = tmp_path_factory.mktemp("jobs")
    made = House(folder, swarm.host).start()
    with pytest.MonkeyPatch.context() as short:
        short.setattr(watch, "STEADY", 0.5)
        yield made
    made.close()
    swarm.forget_gateway()


def job(image: str, **written: object) -> dict[str, object]:
    return apps.spec(image, "job", job=True, **written)


def test_it_serves_once_it_has_ended_with_0(house: House, image: str) -> None:
    """However long it runs before, and whatever else is said of it."""
    check = {"command": ["false"], "within": 1, "interval": 1}
    id = house.deploy("migrate", **job(image, CODE=0, AFTER=3, port=8080, health=check))
    done = house.wait(id)
    assert done.state == "serving", (done, house.lines(id))
    assert {task.state for task in house.engine.tasks("migrate-r1")} == {"complete"}
    assert "job gives up" in house.lines(id)


def test_one_that_fails_late_has_failed(house: House, image: str) -> None:
    id = house.deploy("fails", **job(image, CODE=3, AFTER=3))
    done = house.wait(id)
    assert done.failure, house.lines(id)
    assert (done.failure.kind, done.failure.exit_code) == ("exited", 3)


def test_one_that_does_not_end_has_failed_when_its_time_is_over(house: House, image: str) -> None:
    with house.limited(command=6.0):
        id = house.deploy("forever", **job(image))
        done = house.wait(id)
    assert done.failure, house.lines(id)
    assert (done.failure.kind, done.failure.what) == ("timed-out", "health")
    assert done.failure.said == "it has run for 6 s, and has not ended"
    assert house.services("forever") == []


def test_one_that_is_ended_from_outside_has_not_done_its_work(house: House, image: str) -> None:
    """As when the engine is restarted: nothing says whether it would have."""
    # What is gone is not started by Swarm any more after some seconds: it is known before its time is over.
    id = house.deploy("lost", **job(image, AFTER=100, CODE=0))
    house.in_step(id, "health")
    (container,) = wait_until(lambda: house.engine.released("lost", 1), 10, "its container")
    house.engine.remove_container(container)
    done = house.wait(id)
    assert done.failure, house.lines(id)
    assert done.failure.kind == "exited"
