"""A gateway on the machine's engine, apps behind it, and whoever asks for them."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

import docker
import gevent
import httpx

from cloudbang.config import (
    EngineSettings,
    GatewaySettings,
    ServerSettings,
    Settings,
    StorageSettings,
)
from cloudbang.core.notices import Notices
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import Spec, read_spec
from cloudbang.domain.deploy.swarm_spec import NETWORK, Attached, service_spec
from cloudbang.engine import Engine
from cloudbang.gateway import Gateway
from cloudbang.gateway.admin import CaddyAdmin
from cloudbang.gateway.service import NAME
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.routes import RouteStore
from tests.support import patient, wait_until

HERE = Path(__file__).parent
IMAGE = "cloudbang-test/web-app:1"
HTTP_PORT, HTTPS_PORT, OWN_PORTS = 8180, 8543, "8181-8184"
SERVER_PORT = 8188


def web_app_image(client: docker.DockerClient) -> str:
    """The id of the image of ``web_app.c``: one static program and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "web_app"
        source = str(HERE / "web_app.c")
        subprocess.run(
            ["gcc", "-O2", "-static", "-pthread", "-o", str(program), source], check=True
        )
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(program, "web_app")
    repository, _, tag = IMAGE.partition(":")
    client.api.import_image_from_data(
        archive.getvalue(), repository=repository, tag=tag, changes=['ENTRYPOINT ["/web_app"]']
    )
    return str(client.images.get(IMAGE).id)


def spec(**written: object) -> Spec:
    return read_spec({"image": IMAGE, "port": 80, "route": {}, **written})[0]


class Ground:
    """``gateway`` and what it is made of; services of releases that are taken away at the end."""

    def __init__(self, folder: Path, *, beside: bool = False) -> None:
        """``beside``: there is another one on the engine."""
        host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        self.docker = docker.DockerClient(base_url=host, version="1.41", timeout=60)
        self.engine = Engine(EngineSettings(host=host))
        self.switched_on = self.engine.swarm().state != "active"
        if self.switched_on:
            self.engine.swarm_init("127.0.0.1")
        assert beside or self.engine.service(NAME) is None, (
            f"this engine has a service {NAME} that is not these tests': run them on another engine"
        )
        self.beside = beside
        self.image_id = "" if beside else web_app_image(self.docker)
        self.network = self.engine.overlay(NETWORK)
        self.settings = Settings(
            storage=StorageSettings(path=folder),
            server=ServerSettings(port=SERVER_PORT),
            gateway=GatewaySettings(http_port=HTTP_PORT, https_port=HTTPS_PORT, ports=OWN_PORTS),
        )
        self.teams: dict[str, str] = {}
        self.notices = Notices()
        self.database = Database(folder)
        self.database.open()
        self.services: set[str] = set()
        self.gateway = self.new_gateway()
        # Idle connections are closed when a route comes or goes: none is kept here.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.client = httpx.Client(timeout=patient(40), trust_env=False, limits=limits)

    def new_gateway(self, *, start: bool = True) -> Gateway:
        """One that begins with what the database holds, as after a restart."""
        made = Gateway(
            self.settings,
            self.engine,
            RouteStore(self.database),
            self.notices,
            lambda app: self.teams.get(app, "default"),
            every=1.0,
        )
        made.load()
        if start:
            made.start()
        return made

    @property
    def run_folder(self) -> Path:
        """What the gateway and CloudBang share."""
        return self.settings.storage.path / ".gateway" / "run"

    @property
    def admin(self) -> CaddyAdmin:
        return CaddyAdmin(self.run_folder)

    def service_ports(self) -> list[int]:
        """What the gateway's service publishes."""
        found = self.engine.service(NAME)
        ports = found.spec["EndpointSpec"].get("Ports") or [] if found else []
        return [int(port["PublishedPort"]) for port in ports]

    def close(self) -> None:
        self.client.close()
        self.gateway.stop()
        for service in [*self.services, *([] if self.beside else [NAME])]:
            self.engine.remove_service(service)
        self.database.close()
        if self.switched_on:
            self.docker.swarm.leave(force=True)
        self.docker.close()

    # -- apps

    def run(
        self,
        app: str,
        number: int,
        *,
        replicas: int = 1,
        wait: bool = True,
        network: str = "",
        **env: str,
    ) -> str:
        """The service of a new release, whose tasks run and answer."""
        variables = {"RELEASE": f"{app}-r{number}", **env}
        written = read_spec({"image": IMAGE, "port": 80, "env": variables, "replicas": replicas})[0]
        release = Release(app, number, written, image_id=self.image_id)
        self.engine.create_service(
            service_spec(release, networks=[Attached(network or self.network, (app,))])
        )
        self.services.add(release.service)
        if wait:
            wait_until(lambda: self.answer(release, replicas), 40, f"{release.service} to run")
        return release.service

    def answer(self, release: Release, replicas: int) -> bool:
        port = int(dict(release.spec.env).get("PORT", "80"))
        try:
            return self.past_the_gateway(release.service, "/", port) == [200] * replicas
        except (httpx.HTTPError, KeyError):
            return False

    def past_the_gateway(self, service: str, path: str, port: int = 80) -> list[int]:
        """What each instance of a service that runs answers who asks it itself."""
        tasks = [one for one in self.engine.tasks(service) if one.state == "running"]
        at = self.engine.addresses_on("docker_gwbridge")
        asked = [f"http://{at[task.container]}:{port}{path}" for task in tasks]
        return [self.client.get(one).status_code for one in asked]

    def addresses(self, service: str) -> list[str]:
        return [task.address for task in self.engine.tasks(service, self.network) if task.address]

    def end(self, service: str) -> None:
        self.engine.remove_service(service)
        self.services.discard(service)

    def stop(self, service: str) -> None:
        """Have no instance of a service, and wait until none runs."""
        containers = {task.container for task in self.engine.tasks(service) if task.container}
        self.engine.scale_service(service, 0)

        def runs() -> bool:
            states = self.engine.states()
            return any(states.get(one) == "running" for one in containers)

        wait_until(lambda: not runs(), 40, f"{service} to stop", every=0.1)

    def drain(self, app: str, service: str) -> None:
        """Until nothing is under way to a release, twice; and not before whoever read the app's
        file just before the switch has asked."""
        addresses = self.addresses(service)
        gevent.sleep(0.4)
        none = 0

        def empty() -> bool:
            nonlocal none
            none = 0 if self.gateway.in_flight(app, 80, service, addresses) else none + 1
            return none >= 2

        wait_until(empty, 40, f"{service} to be done", every=0.2)

    # -- asking

    def ask(
        self, host: str, path: str = "/", port: int = HTTP_PORT, **how: object
    ) -> httpx.Response:
        headers = {"Host": host, **dict(how.pop("headers", {}))}  # type: ignore[call-overload]
        return self.client.get(f"http://127.0.0.1:{port}{path}", headers=headers, **how)  # type: ignore[arg-type]

    def text(self, host: str, path: str = "/", port: int = HTTP_PORT) -> str:
        return self.ask(host, path, port).text
