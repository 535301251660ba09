"""Whose an app is: of two teams that want one name, one gets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudbang.deploy.owner import claim
from cloudbang.errors import NoSuchApp
from tests.apps.test_registry import House


def test_a_name_is_its_teams_until_it_is_forgotten(tmp_path: Path) -> None:
    """Also while there is nothing of it, and over a kill."""
    house = House(tmp_path)
    assert house.apps.owner("web") is None
    assert claim("web", "blue", house.apps) == "blue"
    assert (house.apps.owner("web"), house.apps.get("web")) == ("blue", None)
    with pytest.raises(NoSuchApp):
        claim("web", "default", house.apps)
    assert claim("web", "", house.apps) == "blue"
    assert claim("other", "", house.apps) == "default"
    house.kill()
    again = House(tmp_path)
    assert again.apps.owner("web") == "blue"
    assert again.apps.create("web", "default").team == "blue"
    again.close()
