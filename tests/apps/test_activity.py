"""Who logs now: told on the bus, and to the registry, which shows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.apps.test_registry import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


def test_an_app_whose_lines_come_after_it_is_shown(house: House) -> None:
    """Also where nobody asks for it before it is counted who logs."""
    house.apps.create("job", "blue", "put")
    assert house.apps.get("job") is None
    house.log("job")
    house.apps.activity.look(1.0)
    assert house.apps.get("job") is not None
    house.apps.put_away("job")
    house.log("job")
    house.apps.activity.look(1.0)
    assert house.apps.names({"blue"}) == ["job"]


def test_who_logs_is_told_of_those_who_do(house: House) -> None:
    """Once a second: next seq, rate and last line; silence is told once."""
    for n in range(50):
        house.run(f"quiet-{n}", n)
    house.log("web", 30)
    house.apps.activity.look(1.0)
    assert house.apps.activity.rate("web") == 30
    topic, _, body = house.bus.sent[-1]
    assert topic == "activity/"
    (name, (next_seq, rate, last)) = next(iter(orjson.loads(body).items()))
    assert (name, next_seq, rate, last[4]) == ("web", 31, 30, "hello")
    house.bus.topics()
    house.apps.activity.look(1.0)
    assert orjson.loads(house.bus.sent[-1][2])["web"][1] == 0
    house.bus.topics()
    house.apps.activity.look(1.0)
    assert house.bus.topics() == []
