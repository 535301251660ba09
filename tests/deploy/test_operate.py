"""Apps that were deployed, operated on a real engine: stopped, started, scaled, restarted, deleted;
and what deployments leave, taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import docker
import pytest

from cloudbang.deploy.containers import Containers
from cloudbang.deploy.errors import DeploymentRunning
from cloudbang.deploy.operate import NotDeployed, OneAtATime, Operations, ServiceGone
from cloudbang.deploy.reaper import DeploymentReaper
from cloudbang.deploy.removal import Removals
from cloudbang.deploy.webhooks import Webhooks
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.domain.deploy.swarm_spec import APP, RELEASE, service_spec
from cloudbang.domain.deploy.webhooks import Filter
from cloudbang.errors import EngineRefused
from cloudbang.storage.database.deployments import DeployedApp
from cloudbang.storage.database.webhooks import WebhookStore
from tests.deploy import apps
from tests.deploy.house import House, Swarm
from tests.support import wait_until

pytestmark = [pytest.mark.engine]


class Ground:
    """What operates the apps of a house."""

    def __init__(self, house: House, swarm: Swarm) -> None:
        self.house, self.client = house, swarm.client
        self.told: list[tuple[object, ...]] = []
        engine, store = house.engine, house.store
        nobody: Any = None  # is asked about containers of apps that were not deployed
        self.operations = Operations(
            engine,
            store,
            house.deployments,
            Containers(engine, nobody, self.tell),
            house.apps,
            self.tell,
        )
        self.webhooks = Webhooks(WebhookStore(house.database), house.secrets, house.deployments)
        self.removals = Removals(
            *(engine, store, house.secrets, house.deployments, house.gateway),
            *(self.webhooks, house.apps, house.logs, self.tell),
        )
        self.reaper = DeploymentReaper(engine, store)

    def tell(self, *told: object, **more: object) -> None:
        self.told.append((*told, *more.items()))

    def serves(self, app: str, **spec: object) -> int:
        """The deployment of an app that serves by now, and lets others have it."""
        id = self.house.serves(app, **spec).id

        def left() -> bool:
            # It has the app for a moment longer than it takes: what it was made from is discarded.
            try:
                with self.house.deployments.occupied(app):
                    return True
            except DeploymentRunning:
                return False

        wait_until(left, 10, f"deployment {id} to leave {app}")
        return id

    def containers(self, app: str) -> set[str]:
        """Those that run."""
        found = self.client.containers.list(filters={"label": [f"{APP}={app}", RELEASE]})
        return {str(one.id) for one in found}

    def have(self, app: str, count: int) -> set[str]:
        wait_until(lambda: len(self.containers(app)) == count, 30, f"{count} instances of {app}")
        return self.containers(app)


@pytest.fixture(scope="module")
def ground(house: House, swarm: Swarm) -> Ground:
    return Ground(house, swarm)


@pytest.fixture(scope="module")
def volume(ground: Ground) -> Iterator[Callable[[str], str]]:
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return str(ground.client.volumes.create(name).name)

    yield make
    for service in ground.house.engine.services(APP):
        ground.house.engine.remove_service(service.name)
    wait_until(lambda: not ground.house.engine.containers_with(RELEASE), 30, "the end of them")
    for name in made:
        with suppress(docker.errors.NotFound):
            ground.client.volumes.get(name).remove(force=True)


@pytest.mark.slow("a deployment, and four times what Swarm takes to start or stop a task")
def test_stopped_started_scaled_and_restarted(ground: Ground, image: str) -> None:
    """What the app is told to be is so on the engine, and written down."""
    house, operations = ground.house, ground.operations
    ground.serves("op-web", **apps.spec(image))
    first = ground.have("op-web", 1)
    operations.restart("op-web", "ada")
    wait_until(lambda: len(now := ground.containers("op-web")) == 1 and not now & first, 30)
    operations.stop("op-web", "ada")
    ground.have("op-web", 0)
    assert house.store.app("op-web") == DeployedApp("op-web", 1, stopped=True)
    assert house.services("op-web") == ["op-web-r1"]
    operations.start("op-web", "ada")
    ground.have("op-web", 1)
    operations.scale("op-web", 2, "ada")
    ground.have("op-web", 2)
    assert house.store.app("op-web") == DeployedApp("op-web", 1, replicas=2)
    assert [told[3:] for told in ground.told if told[0] == "op-web"] == [
        ("restart",),
        ("stop",),
        ("start",),
        ("scale", ("replicas", 2)),
    ]
    house.engine.remove_service("op-web-r1")
    with pytest.raises(ServiceGone):
        operations.start("op-web", "ada")


@pytest.mark.slow("a deployment that only one may have the volume of")
def test_what_only_one_may_have_is_not_scaled(ground: Ground, image: str, volume) -> None:
    house = ground.house
    one = {"volumes": [{"name": volume("op-one"), "path": "/data"}]}
    ground.serves("op-one", **apps.spec(image, **one))
    with pytest.raises(OneAtATime) as refused:
        ground.operations.scale("op-one", 2, "ada")
    assert refused.value.because == "op-one"
    with pytest.raises(NotDeployed):
        ground.operations.scale("nobody", 2, "ada")
    with house.deployments.occupied("op-one"), pytest.raises(DeploymentRunning):
        ground.operations.stop("op-one", "ada")


@pytest.mark.slow("a deployment, and until Swarm has taken its containers away")
def test_deleting_an_app_takes_what_it_said_and_no_more(ground: Ground, image: str, volume) -> None:
    """Its volumes and its log stay; nothing else of it is left, on the engine or written down."""
    house = ground.house
    spec = apps.spec(image, secrets={"KEY": "a secret"})
    spec["volumes"] = [{"name": volume("op-kept"), "path": "/data"}]
    spec["files"] = [{"path": "/etc/app.conf", "content": "a = 1"}]
    ground.serves("op-gone", **spec)
    house.logs.append("op-gone", [b"2026-07-01T12:00:00.000000000Z 0123456789ab stdout hello\n"])
    ground.webhooks.make("op-gone", "plain", Filter(), "ada")
    found = ground.removals.belongings("op-gone")
    assert (found.services, found.releases, found.deployments) == (("op-gone-r1",), 1, 1)
    assert found.images == ("cloudbang/op-gone:r1",)
    assert found.secrets == ("KEY",)
    assert [(one.name, one.there, one.used_by) for one in found.volumes] == [("op-kept", True, ())]
    assert ground.removals.delete("op-gone", "ada") == []
    assert house.services("op-gone") == []
    assert ground.containers("op-gone") == set()
    for kind in ("secrets", "configs"):
        assert house.engine.handed_over(kind, f"{APP}=op-gone") == {}  # type: ignore[arg-type]
    assert house.engine.image("cloudbang/op-gone:r1") is None
    assert house.engine.image(image) is not None
    assert ground.client.volumes.get("op-kept")
    assert house.store.releases("op-gone") == []
    assert house.store.find("op-gone") == []
    assert house.secrets.newest("op-gone") == {}
    assert ground.webhooks.of("op-gone") == []
    assert house.logs.next_seq("op-gone") == 2
    with pytest.raises(NotDeployed):
        ground.removals.delete("op-gone", "ada")


@pytest.mark.slow("a deployment, and until Swarm has taken its containers away")
def test_volumes_and_logs_go_where_that_is_wanted(ground: Ground, image: str, volume) -> None:
    """But for a volume that somebody else has."""
    house = ground.house
    names = [volume("op-mine"), volume("op-shared")]
    spec = apps.spec(image)
    spec["volumes"] = [{"name": name, "path": f"/{name}"} for name in names]
    id = ground.serves("op-all", **spec)
    other = ground.client.containers.create(image, ["true"], volumes=["op-shared:/x"])
    try:
        house.logs.append("op-all", [b"2026-07-01T12:00:00.000000000Z 0123456789ab stdout x\n"])
        assert house.lines(id)
        assert ground.removals.delete("op-all", "ada", volumes=True, logs=True) == ["op-shared"]
        assert {one.name for one in ground.client.volumes.list()} & set(names) == {"op-shared"}
        assert house.lines(id) == []
        assert not house.logs.has_lines("op-all")
    finally:
        other.remove(force=True)


@pytest.mark.slow("two deployments one after the other")
def test_what_nobody_claims_is_taken_away(
    ground: Ground, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service of a release before, as after a kill; what serves, what goes on, what another
    installation has, and secrets that are used stay. One that the engine keeps keeps no other."""
    house, engine = ground.house, ground.house.engine
    ground.serves("op-reap", **apps.spec(image, secrets={"KEY": "one"}))
    first = house.store.release("op-reap", 1)
    assert first is not None
    ground.serves("op-reap", **apps.spec(image, "two", secrets={"KEY": "two"}))
    stranger = Release("op-stranger", 3, read_spec({"image": image})[0], first.image_id)
    for left in (first, stranger):
        engine.create_service({**service_spec(left, networks=[], replicas=0)})
    assert len(engine.handed_over("secrets", f"{APP}=op-reap")) >= 1
    begun = house.store.find("op-reap")[0]
    house.store.save(replace(begun, settled=False, previous=1))
    ground.reaper.look()
    assert house.services("op-reap") == ["op-reap-r1", "op-reap-r2"]  # a deployment goes on
    house.store.save(begun)
    engine.hand_over("secrets", "op-reap-left", b"x", {APP: "op-reap"})

    def refuse(name: str) -> bool:
        raise EngineRefused(f"to remove the service {name}", 500, "not now")

    monkeypatch.setattr(engine, "remove_service", refuse)
    ground.reaper.look()
    assert "op-reap-left" not in engine.handed_over("secrets", f"{APP}=op-reap")
    monkeypatch.undo()
    assert house.services("op-reap") == ["op-reap-r1", "op-reap-r2"]
    ground.reaper.look()
    assert house.services("op-reap") == ["op-reap-r2"]
    assert house.services("op-stranger") == ["op-stranger-r3"]
    assert len(engine.handed_over("secrets", f"{APP}=op-reap")) == 1
    assert ground.reaper.services == 1
    ground.reaper.look()
    assert ground.reaper.services == 1
    engine.remove_service("op-stranger-r3")
