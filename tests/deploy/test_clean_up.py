"""A clean-up on a real engine: what it shows is what goes, and what one can go back to never does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cloudbang.config import EngineSettings
from cloudbang.deploy.clean_up import PLAN_FOR, CleanUp, NoSuchPlan
from cloudbang.domain.deploy.deployment import Deployment, steps_of
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.domain.lines import format_time
from cloudbang.engine import Engine
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.deployments import DeployedApp, DeploymentStore
from tests.support_engine import PrivateEngine

pytestmark = pytest.mark.engine

NOW = format_time(1_750_000_000_000_000_000)
ALL = ("image", "volume", "network", "cache")


class Ground:
    """An engine of its own, and what is kept of releases."""

    def __init__(self, private: PrivateEngine, folder: Path) -> None:
        self.client = private.client
        self.image = private.image()
        self.original = private.client.containers.create(self.image, ["true"], network_mode="none")
        self.engine = Engine(EngineSettings(host=private.address))
        self.database = Database(folder)
        self.database.open()
        self.store = DeploymentStore(self.database)
        self.now = 0.0
        self.clean_up = CleanUp(
            *(self.engine, self.store, lambda app: "default", [self.image]), clock=lambda: self.now
        )

    def variant(self, n: int) -> str:
        """The id of an image of its own, which nothing names."""
        return str(self.original.commit(changes=f"LABEL variant={n}").id)

    def release(self, app: str, n: int, id: str, settled: bool = True, **spec: object) -> Release:
        """One that was deployed, with its image's tag."""
        read = read_spec({"image": "shop:1", **spec})[0]
        state = "serving" if settled else "running"
        deployment = Deployment(
            *(0, app, 0, 0, None, "ada", NOW, steps_of("image")), state=state, settled=settled
        )
        release, _ = self.store.add(Release(app, 0, read, image_id=id), deployment, {})
        if id:
            assert self.client.images.get(id).tag(*release.tag.split(":"))
        return release

    def names(self, *kinds: str, others: bool = False) -> list[str]:
        plan = self.clean_up.plan("a1", kinds or ALL, others=others)  # type: ignore[arg-type]
        return [item.name for item in plan.items]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    private = PrivateEngine()
    try:
        private.start()
        made = Ground(private, tmp_path_factory.mktemp("clean-up"))
        yield made
        made.database.close()
    finally:
        private.close()


def test_the_last_ten_releases_are_kept_and_the_one_that_serves(ground: Ground) -> None:
    """Of the twelve there are the first serves, and the second is all that may go."""
    images = [ground.variant(n) for n in range(12)]
    releases = [
        ground.release("web", n, image, volumes=[{"name": f"data{n}", "path": "/d"}])
        for n, image in enumerate(images, 1)
    ]
    for n in (1, 2, 3, 99):
        ground.client.volumes.create(f"data{n}")
    ground.store.save_app(DeployedApp("web", serving=1))
    plan = ground.clean_up.plan("a1", ALL)
    assert [(item.kind, item.id, item.names) for item in plan.items] == [
        ("image", images[1], (releases[1].tag,)),
        ("volume", "data2", ()),
    ]
    assert set(ground.names(others=True)) == {releases[1].tag, "data2", "data99"}
    stock = ground.clean_up.look()
    (used,) = (one.used_by for one in stock.images if one.id == images[2])
    assert [(use.by, use.name, use.app) for use in used] == [("release", "r3", "web")]

    outcomes = ground.clean_up.carry_out(plan.id, "a1", "ada")
    assert [one.done for one in outcomes] == [True, True]
    assert ground.clean_up.freed == plan.size
    assert ground.engine.image(images[1]) is None
    assert all(ground.engine.image(id) for n, id in enumerate(images) if n != 1)
    assert {one.name for one in ground.client.volumes.list()} == {"data1", "data3", "data99"}
    with pytest.raises(NoSuchPlan):
        ground.clean_up.carry_out(plan.id, "a1", "ada")


def test_what_has_become_used_since_it_was_shown_stays(ground: Ground) -> None:
    """By a container, by a release, or under another name; the rest goes, and nothing else."""
    free, busy, named, kept = (ground.variant(n) for n in range(20, 24))
    ground.client.volumes.create("v-free")
    ground.client.volumes.create("v-busy")
    network = ground.client.networks.create("shown", internal=True)
    plan = ground.clean_up.plan("a1", ALL, others=True)
    shown = {item.id for item in plan.items}
    assert {free, busy, named, kept, "v-free", "v-busy", network.id} <= shown
    late = ground.variant(30)
    container = ground.client.containers.create(
        busy, ["true"], network_mode="none", volumes={"v-busy": {"bind": "/v", "mode": "rw"}}
    )
    ground.client.images.get(named).tag("somebodys", "1")
    ground.release("shop", 1, kept, image="other:1")
    outcomes = {one.item.id: one for one in ground.clean_up.carry_out(plan.id, "a1", "ada")}
    assert set(outcomes) == shown
    assert {id: outcomes[id].why for id in (busy, named, kept, "v-busy")} == {
        busy: "used",
        named: "named",
        kept: "kept",
        "v-busy": "used",
    }
    for id in (free, "v-free", network.id):
        assert outcomes[id].done, outcomes[id]
    for id in (busy, named, kept, late):
        assert ground.engine.image(id) is not None
    container.remove()


def test_a_part_of_a_plan(ground: Ground) -> None:
    """Only what was chosen; by who made it, and not long after."""
    first, second = ground.variant(40), ground.variant(41)
    plan = ground.clean_up.plan("a1", ["image"], others=True)
    with pytest.raises(NoSuchPlan):
        ground.clean_up.carry_out(plan.id, "a2", "bob")
    (outcome,) = ground.clean_up.carry_out(plan.id, "a1", "ada", {("image", first)})
    assert (outcome.item.id, outcome.done) == (first, True)
    assert ground.engine.image(second)
    old = ground.clean_up.plan("a1", ["image"], others=True)
    ground.now += PLAN_FOR + 1
    with pytest.raises(NoSuchPlan):
        ground.clean_up.carry_out(old.id, "a1", "ada")


def test_what_a_deployment_is_about_to_use_stays(ground: Ground) -> None:
    """The image that it names and has not taken over yet, and what is being built."""
    begun = ground.release("next", 1, "", settled=False, image="named:1")
    image = ground.variant(50)
    ground.client.images.get(image).tag("named", "1")
    nameless = ground.variant(51)
    assert not {"named:1", nameless} & set(ground.names("image", others=True))
    (deployment,) = ground.store.unsettled()
    ground.store.save(replace(deployment, settled=True, state="failed"))
    ground.store.forget(begun.app)
    assert {"named:1", nameless} <= set(ground.names("image", others=True))


def test_the_build_cache_keeps_within_its_budget(ground: Ground) -> None:
    """Its own, or a part of the disk; an engine that is away stops nothing."""
    disk = ground.clean_up.disk()
    assert disk is not None
    assert 0 < disk.free < disk.total
    assert ground.clean_up.budget == min(10 * 1024**3, int(disk.total * 0.15))
    assert CleanUp(ground.engine, ground.store, str, budget=5).budget == 5
    assert ground.clean_up.keep_budget() == 0
    away = CleanUp(Engine(EngineSettings(host="unix:///none")), ground.store, str, budget=5)
    assert away.keep_budget() == 0
