"""Deployments on the machine's engine: everything that carries them out, without the pages."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import docker

from cloudbang.apps import AppRegistry
from cloudbang.config import EngineSettings, GatewaySettings, Settings, StorageSettings
from cloudbang.core.notices import Notices
from cloudbang.deploy.limits import StepLimits
from cloudbang.deploy.log import log_name
from cloudbang.deploy.parts import Parts
from cloudbang.deploy.service import Around, Deployments, Wanted
from cloudbang.deploy.sources import Sources
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.lines import rows
from cloudbang.engine import Engine
from cloudbang.events.recorder import EventRecorder
from cloudbang.gateway import Gateway
from cloudbang.intake.log_sink import StoreSink
from cloudbang.storage.database.apps import AppStore
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.deployments import DeploymentStore
from cloudbang.storage.database.events import EventStore
from cloudbang.storage.database.routes import RouteStore
from cloudbang.storage.database.secrets import SecretStore
from cloudbang.storage.logs.log_store import LogStore
from tests.apps.test_registry import Bus, Containers
from tests.support import OFTEN, patient, wait_until

GATEWAY = GatewaySettings(http_port=8180, https_port=8543, ports="8181-8184")


def quick() -> StepLimits:
    """What nothing has to wait for is short, what only a failure waits for grows with what else the
    machine does."""
    return StepLimits(
        verify=1.0, drain=30.0, hold=5.0, start=patient(30), command=patient(20), away=patient(20)
    )


class House:
    """One CloudBang's deployments over ``folder``; another one over the same is its successor."""

    def __init__(self, folder: Path, host: str, limits: StepLimits | None = None) -> None:
        self.settings = Settings(
            storage=StorageSettings(path=folder, keep_free_bytes=0),
            engine=EngineSettings(host=host),
            gateway=GATEWAY,
        )
        notices = Notices()
        self.logs = LogStore(folder, settings=self.settings.storage)
        self.logs.open()
        self.database = Database(folder)
        self.database.open()
        self.engine = Engine(self.settings.engine)
        self.store = DeploymentStore(self.database)
        self.secrets = SecretStore(self.database, folder)
        self.events = EventStore(self.database)
        bus = Bus()
        self.recorder = EventRecorder(self.events, bus)
        self.recorder.start()
        self.apps = AppRegistry(
            AppStore(self.database), self.logs, Containers(), self.recorder, bus
        )
        self.apps.load()
        self.gateway = Gateway(
            self.settings, self.engine, RouteStore(self.database), notices, self.apps.team_of
        )
        self.sources = Sources(
            self.engine, self.store, self.secrets, self.settings, self.apps.team_of
        )
        self._patient, self._limits = limits is None, limits or quick()
        parts = Parts(
            self.engine,
            self.gateway,
            self.sources,
            self.store,
            self.secrets,
            self._limits,
            self.apps.team_of,
        )
        sink = StoreSink(self.logs, bus)
        self.deployments = Deployments(parts, Around(self.apps, self.recorder, self.logs, sink))
        self.told: list[Deployment] = []
        self.deployments.listen(self.told.append)

    def start(self) -> House:
        self.gateway.load()
        self.gateway.start()
        self.deployments.load()
        self.deployments.start()
        return self

    def close(self) -> None:
        self.deployments.stop()
        self.gateway.stop()
        self.recorder.stop()
        self.apps.stop()
        self.database.close()
        self.logs.close()

    def limited(self, **limits: float) -> AbstractContextManager[object]:
        """Deployments whose first step begins meanwhile have these limits."""
        parts = self.deployments._parts
        return patch.object(
            self.deployments, "_parts", replace(parts, limits=replace(parts.limits, **limits))
        )

    def _be_patient(self) -> None:
        """As the machine is busy now: it may have had nothing else to do when this house was made."""
        parts = self.deployments._parts
        if self._patient and parts.limits is self._limits:
            self._limits = quick()
            self.deployments._parts = replace(parts, limits=self._limits)

    # -- what is asked

    def deploy(self, app: str, *, wait: bool = False, by: str = "ada", **spec: object) -> int:
        self._be_patient()
        wanted = Wanted(spec)
        return self.deployments.begin(app, wanted, by, admin=True, wait=wait).id

    def get(self, id: int) -> Deployment:
        found = self.deployments.get(id)
        assert found is not None
        return found

    def wait(self, id: int, timeout: float = 60, *, settled: bool = True) -> Deployment:
        """Its end."""

        def ended() -> Deployment | None:
            found = self.get(id)
            return found if found.ended and (found.settled or not settled) else None

        try:
            return wait_until(ended, timeout, f"the end of deployment {id}")
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.get(id)}\n" + "\n".join(self.lines(id))) from None

    def serves(self, app: str, timeout: float = 60, **spec: object) -> Deployment:
        """A deployment that has to end well."""
        id = self.deploy(app, **spec)
        done = self.wait(id, timeout)
        assert done.state == "serving", (done, self.lines(id))
        return done

    def until(self, id: int, reached: Callable[[Deployment], object], timeout: float = 40) -> None:
        # What is waited for may be over soon.
        wait_until(lambda: reached(self.get(id)) or self.get(id).ended, timeout, f"{id}", OFTEN)
        assert not self.get(id).ended, (self.get(id), self.lines(id))

    def in_step(self, id: int, step: str) -> None:
        """Wait until that step has begun."""
        self.until(id, lambda d: d.entered(step))  # type: ignore[arg-type]

    def lines(self, id: int) -> list[str]:
        first, found = self.logs.newest(log_name(id), 1_000, 1 << 20)
        return [row[4] for row in rows(first, found)]

    def let_go(self, app: str, number: int, name: str) -> None:
        """Have what is held at a release's ``cgi-bin/held?NAME`` answered."""
        (container,) = self.engine.released(app, number)
        with closing(docker.DockerClient(base_url=self.engine.host, version="1.41")) as client:
            client.containers.get(container).exec_run(["touch", f"/www/{name}"])

    def environment(self, container: str) -> dict[str, str]:
        """The variables of a container, as the engine has them."""
        with closing(docker.DockerClient(base_url=self.engine.host, version="1.41")) as client:
            told = client.containers.get(container).attrs["Config"]["Env"]
        return dict(one.split("=", 1) for one in told)

    def services(self, app: str) -> list[str]:
        return sorted(its.name for its in self.engine.services(f"cloudbang.app={app}"))


class Swarm:
    """The machine's engine with Swarm mode on; what tests leave on it is taken away at the end."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.client = docker.DockerClient(base_url=host, version="1.41", timeout=60)
        self.engine = Engine(EngineSettings(host=host))
        self._switched_on = not self.engine.swarm().manager
        if self._switched_on:
            self.engine.swarm_init("127.0.0.1")
        assert self.engine.service("cloudbang-gateway") is None, (
            "this engine has a gateway that is not these tests': run them on another engine"
        )

    def forget_gateway(self) -> None:
        """It belongs to one data folder, and the next tests have another."""
        self.engine.remove_service("cloudbang-gateway")
        its = {"label": "com.docker.swarm.service.name=cloudbang-gateway"}
        wait_until(lambda: not self.client.containers.list(filters=its), 30, "its ports to be free")

    def forget_volume(self, name: str) -> None:
        """Once nothing has it any more."""
        for service in self.engine.services("cloudbang.app"):
            self.engine.remove_service(service.name)

        def removed() -> bool:
            try:
                self.client.volumes.get(name).remove(force=True)
            except docker.errors.NotFound:
                return True
            except docker.errors.APIError:
                return False
            return True

        wait_until(removed, 30, f"the volume {name} to be free")

    def close(self) -> None:
        for service in self.engine.services("cloudbang.app"):
            self.engine.remove_service(service.name)
        self.forget_gateway()
        if self._switched_on:
            self.client.swarm.leave(force=True)
        self.client.close()


def machine_engine() -> str:
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
