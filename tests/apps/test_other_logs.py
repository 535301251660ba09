"""Logs of what is no app, beside those of apps."""

from __future__ import annotations

from pathlib import Path

from cloudbang.storage.logs.log_store import Query
from tests.apps.test_registry import House


def test_the_log_of_a_deployment_is_no_app(tmp_path: Path) -> None:
    """It is listed and counted nowhere, is its app's team's, and goes when its lines are old."""
    house = House(tmp_path)
    house.apps.create("web", "blue")
    house.apps.other_logs.keep("@deployment-7", "blue")
    house.log("@deployment-7", 3)
    house.apps.activity.look(1.0)
    everybody = {"default", "blue"}
    assert house.apps.names(everybody) == ["web"]
    assert house.apps.counts(everybody) == {"gone": 0, "put_away": 0}
    assert house.apps.get("@deployment-7") is None
    assert (len(house.apps), house.apps.activity_of("@deployment-7")[1]) == (1, 0)
    assert "activity/" not in house.bus.topics()
    assert (tmp_path / "blue" / "@deployment-7").is_dir()
    house.now += 3600
    house.apps.forget_empty()
    house.close()
    house = House(tmp_path)
    house.apps.forget_empty()
    assert len(house.logs.read("@deployment-7", Query()).lines) == 3
    assert house.log("@deployment-7") == 4
    house.logs.delete_lines("@deployment-7")  # as retention does
    house.apps.forget_empty()
    assert "@deployment-7" not in house.logs
    assert not (tmp_path / "blue" / "@deployment-7").exists()
    house.close()
