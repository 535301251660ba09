"""From a specification to an app that serves, and from there to the next release: on a real engine."""

from __future__ import annotations

from typing import Any

import pytest

from cloudbang.errors import StorageFailed
from tests.deploy import apps
from tests.deploy.house import House

pytestmark = pytest.mark.engine


@pytest.mark.slow("two deployments, and the grace of what is stopped")
def test_an_app_is_deployed_and_then_replaced(house: House, image: str) -> None:
    """The new release is proven before the old one is stopped; the log tells it all."""
    first = house.serves("web", **apps.web(image, "one"))
    assert [step.name for step in first.steps] == ["pull", "start", "health"]
    assert all(step.state == "done" for step in first.steps)
    assert house.services("web") == ["web-r1"]
    assert house.deployments.app("web").serving == 1  # type: ignore[union-attr]
    second = house.serves("web", **apps.web(image, "two"))
    assert (second.number, second.release, second.previous) == (2, 2, 1)
    assert [step.name for step in second.steps] == ["pull", "start", "health", "stop"]
    assert house.services("web") == ["web-r2"]
    assert house.engine.released("web", 1) == []
    lines = house.lines(second.id)
    assert lines[0] == "deployment 2 of web: release 2, by ada"
    assert "two begins" in lines
    assert lines[-1] == "release 2 of web serves"


@pytest.mark.slow("a deployment, after those of others")
def test_one_that_is_written_down_comes_to_its_turn(
    house: House, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when its secrets cannot be read for its first line, as while the database is locked."""
    original, refused = house.secrets.get, []

    def get(app: str, versions: Any) -> dict[str, str]:
        if not refused:
            refused.append(app)
            raise StorageFailed("cloudbang.db", "database is locked")
        return original(app, versions)

    monkeypatch.setattr(house.secrets, "get", get)
    done = house.serves("turn", **apps.spec(image, secrets={"KEY": "canary"}))
    assert refused == ["turn"]
    assert done.number == 1
