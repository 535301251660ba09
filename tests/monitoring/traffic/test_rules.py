"""Patterns that a release's label gives an app's addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudbang.domain.deploy.deployment import Deployment, steps_of
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.errors import StorageFailed
from cloudbang.monitoring.traffic import AddressRules
from cloudbang.monitoring.traffic import traffic as traffic_module
from cloudbang.storage.database.deployments import DeployedApp
from tests.monitoring.traffic.ground import Ground, line


class Releases:
    """One app, whose release 2 serves, with the label that a test says."""

    def __init__(self, label: str | None = None) -> None:
        self.label = label
        self.fails = False

    def app(self, app: str) -> DeployedApp | None:
        if self.fails:
            raise StorageFailed("cloudbang.db", "no")
        return DeployedApp(app, serving=2) if app == "web" else None

    def release(self, app: str, number: int) -> Release | None:
        labels = {} if self.label is None else {"labels": {"traffic.addresses": self.label}}
        written = read_spec({"image": "nginx:1", **labels})[0]
        return Release(app, number, written) if number == 2 else None


def test_what_the_label_says() -> None:
    """Each from its slash on; of an app that was not deployed, and while nobody can be asked, none."""
    releases = Releases("/blog/*  /docs/** nonsense /x")
    rules = AddressRules(releases)
    assert rules("web") == ("/blog/*", "/docs/**", "/x")
    assert rules("other") == ()
    releases.label = None
    assert rules("web") == ()
    releases.label = " ".join(["/x"] * 1000)
    assert len(rules("web")) == 50
    releases.fails = True
    assert rules("web") == ()


def test_another_release_has_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it serves, without a restart."""
    monkeypatch.setattr(traffic_module, "LOOK", 0.02)
    ground, releases = Ground(tmp_path), Releases()
    ground.traffic._rules_of = AddressRules(releases)
    try:
        ground.log.write(line(uri="/blog/one"))
        ground.wait(1)
        releases.label = "/blog/*"
        made = Deployment(1, "web", 1, 2, None, "somebody", "", steps_of("image"), state="serving")
        ground.traffic.deployment_changed(made)
        ground.log.write(line(uri="/blog/two"), line(uri="/blog/three"))
        ground.wait(3)
        found = {one["path"]: one["count"] for one in ground.report()["top"]}
        assert found["/blog/*"] == 2
    finally:
        ground.stop()
