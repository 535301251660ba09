"""How long a person waits for a deployment: from the click to each thing that the page says.

A server of its own on the machine's engine, asked as the page asks; what it says is taken down as it
comes over the live socket. The window for which a new release is watched stays as it is set; "serves"
is said when it begins. What decides is timed by the engine's own clock, which is this machine's.
"""

from __future__ import annotations

import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import docker
import gevent
import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from cloudbang.domain.deploy.release import service_name
from tests.deploy import apps
from tests.deploy.git_host import Host, git
from tests.deploy.house import Swarm, machine_engine
from tests.deploy.test_why_it_failed import FAULTS
from tests.support import ServerProcess, script, wait_until

Row = dict[str, object]
Message = dict[str, Any]
FINAL = ("serving", "failed", "cancelled")
LATE = 2  # seconds until the app listens
ROUNDS = 5
HEALTH = {"http": "/", "within": 60}
# Those that something on the engine decides, so that there is a moment to count from.
DECIDED = (
    "at-once",
    "with-0",
    "after-3",
    "memory",
    "path",
    "command",
    "migration",
    "migration-missing",
    "no-port",
    "check-fails",
)
PUSHES, PUSHED_IN = 20, 10.0  # seconds


class Viewer:
    """Who looks at the page of all deployments, and at that of some."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.told: list[tuple[float, Message]] = []  # when it came
        self._socket = connect(
            f"{server.url.replace('http', 'ws')}/websocket",
            additional_headers={"Cookie": server.cookie, "Origin": server.url},
            max_size=None,
        )
        self._reader = gevent.spawn(self._read)
        self._token = server.get("/api/v1/me")["csrf_token"]
        self.subscribe("deployment/*")

    def close(self) -> None:
        self._socket.close()
        self._reader.join(5)

    def _read(self) -> None:
        with suppress(ConnectionClosed):
            for text in self._socket:
                self.told.append((time.time(), json.loads(text)))

    def subscribe(self, channel: str, **more: object) -> None:
        self._socket.send(json.dumps({"op": "subscribe", "channel": channel, **more}))

    def when(self, is_it: Callable[[Message], object], what: str, timeout: float = 90) -> float:
        """The moment at which it was told so."""

        def told() -> float | None:
            return next((at for at, one in [*self.told] if is_it(one)), None)

        return wait_until(told, timeout, what, every=0.005)  # type: ignore[return-value]

    def state(self, id: int, *states: str, timeout: float = 90) -> float:
        """When the list said that the deployment is in one of them."""

        def is_it(one: Message) -> bool:
            its = one.get("deployment") or {}
            return its.get("id") == id and its.get("state") in states

        return self.when(is_it, f"deployment {id} to be {states}", timeout)

    def serves(self, id: int) -> float:
        """When its own page said that it serves."""

        def is_it(one: Message) -> bool:
            its = one.get("deployment") or {}
            assert its.get("id") != id or its["state"] not in ("failed", "cancelled"), its
            return its.get("id") == id and any(
                (step.get("progress") or {}).get("serving") for step in its["steps"]
            )

        return self.when(is_it, f"deployment {id} to serve")

    def ask(self, method: str, path: str, **asked: Any) -> Any:
        headers = {"Origin": self.server.url, "X-CSRF-Token": self._token}
        answer = self.server.client.request(method, path, headers=headers, **asked)
        assert answer.status_code < 300, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def deploy(self, app: str, body: dict[str, object]) -> tuple[float, int]:
        """When it was clicked, and the deployment that has begun; its page is open."""
        clicked = time.time()
        id = int(self.ask("POST", f"/api/v1/apps/{app}/deployments", json=body)["id"])
        self.subscribe(f"deployment/{id}", after=0)
        return clicked, id

    def end(self, id: int) -> Message:
        """Its end, once all is tidied up."""
        self.state(id, *FINAL)
        found: Message = {}

        def settled() -> bool:
            found.update(self.ask("GET", f"/api/v1/deployments/{id}"))
            return bool(found["settled"])

        wait_until(settled, 60, f"deployment {id} to be settled", every=0.05)
        return found


class Moments:
    """When containers and tasks of services ended, as the engine tells it."""

    def __init__(self, host: str, client: docker.DockerClient) -> None:
        self._host, self._client = host, client
        self._died: dict[str, float] = {}
        self._greenlets = [gevent.spawn(self._events), gevent.spawn(self._tasks)]

    def close(self) -> None:
        gevent.killall(self._greenlets)

    def _take(self, service: str, at: float) -> None:
        self._died[service] = min(at, self._died.get(service, at))

    def _events(self) -> None:
        for event in self._client.events(decode=True, filters={"event": ["die"]}):
            labels = event["Actor"]["Attributes"]
            if service := labels.get("com.docker.swarm.service.name"):
                self._take(service, event["timeNano"] / 1e9)

    def _tasks(self) -> None:
        with closing(docker.DockerClient(self._host, version="1.41")) as client:
            while True:
                names = {one["ID"]: one["Spec"]["Name"] for one in client.api.services()}
                for task in client.api.tasks():
                    name = names.get(task["ServiceID"])
                    if name and task["Status"]["State"] in ("failed", "rejected"):
                        told = task["Status"]["Timestamp"]
                        self._take(name, _seconds(told))
                gevent.sleep(0.1)

    def of(self, service: str) -> float | None:
        return self._died.get(service)


def _seconds(told: str) -> float:
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*Z$", r"\1+00:00", told)).timestamp()


def p95(values: list[float]) -> float:
    return (
        statistics.quantiles(values, n=20, method="inclusive")[18] if len(values) > 1 else values[0]
    )


def row(name: str, value: float, limit: float | None, unit: str) -> Row:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}


def own_start(client: docker.DockerClient, image: str) -> float:
    """Seconds until the same app answers when it is run by hand."""
    spec: Any = apps.web(image, LATE=str(LATE))
    took = []
    for _ in range(3):
        began = time.time()
        one = client.containers.run(
            image, spec["command"], environment=spec["env"], detach=True, stop_signal="KILL"
        )
        try:
            one.reload()
            (network,) = one.attrs["NetworkSettings"]["Networks"].values()
            wait_until(lambda: _answers(network["IPAddress"]), 30, "the app", every=0.02)  # noqa: B023
            took.append(time.time() - began)
        finally:
            one.remove(force=True)
    return statistics.median(took)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}:8080/", timeout=1, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def started(viewer: Viewer, client: docker.DockerClient, image: str) -> list[Row]:
    """Releases of an app, one after the other, and back to the one before."""
    own = own_start(client, image)
    fresh, back, first_lines = [], [], []
    for number in range(ROUNDS + 1):
        spec = apps.web(image, f"r{number}", LATE=LATE, health=HEALTH)
        clicked, id = viewer.deploy("started", {"spec": spec})
        fresh.append(viewer.serves(id) - clicked)
        first_lines.append(first_line(viewer, id) - clicked)
        viewer.end(id)
    for number in range(ROUNDS, ROUNDS - 3, -1):
        clicked, id = viewer.deploy("started", {"release": number})
        back.append(viewer.serves(id) - clicked)
        first_lines.append(first_line(viewer, id) - clicked)
        viewer.end(id)
    what = f"from the click until it serves, over its own start of {own:.1f} s"
    return [
        row(f"{what}: median", statistics.median(fresh) - own, 4, "s"),
        row("… the longest", max(fresh) - own, None, "s"),
        row("… back to the release before: the longest", max(back) - own, 5, "s"),
        row("the first live line after the click, p95", p95(first_lines) * 1000, 300, "ms"),
    ]


def first_line(viewer: Viewer, id: int) -> float:
    channel = f"deployment/{id}"
    return viewer.when(
        lambda one: one.get("op") == "lines" and one["channel"] == channel, f"a line of {channel}"
    )


def failed(viewer: Viewer, moments: Moments, image: str) -> list[Row]:
    """From what the engine did to the verdict on the page."""
    took: dict[str, float] = {}
    for name in DECIDED:
        fault = FAULTS[name]
        _, id = viewer.deploy(name, {"spec": apps.spec(image, "one", **fault.written)})
        told = viewer.state(id, *FINAL)
        done = viewer.end(id)
        assert done["class"] == fault.kind, (name, done["class"], done["sentence"])
        if (decided := _decided(done, moments, name)) is not None:
            took[name] = told - decided
    assert len(took) == len(DECIDED), f"no moment for {set(DECIDED) - set(took)}"
    longest = max(took, key=lambda name: took[name])
    return [
        row(
            f"what decides to the verdict, p95 of {len(took)} kinds", p95([*took.values()]), 2, "s"
        ),
        row(f"… the longest: {longest}", took[longest], None, "s"),
    ]


def _decided(done: Message, moments: Moments, app: str) -> float | None:
    steps = {step["name"]: step for step in done["steps"]}
    if done["class"] == "unhealthy":  # when it should have been
        within = FAULTS[app].written["health"]["within"]  # type: ignore[index]
        return _seconds(steps["health"]["started"]) + float(within)
    names = [service_name(name, done["release"]) for name in (f"{app} once", app)]
    return next(filter(None, map(moments.of, names)), None)


def cancelled(viewer: Viewer, client: docker.DockerClient, image: str) -> list[Row]:
    """At each step that stays for long enough; another one waits behind it."""
    cases: dict[str, dict[str, Any]] = {
        "release_command": {"release_command": ["sh", "-c", "echo migrating; sleep 1000"]},
        "start": {"memory_reserved": "900g"},
        "health": {"LISTENS": "no", "health": {"tcp": True, "within": 60}},
    }
    took = [
        _cancelled(viewer, client, name, apps.web(image, **written), apps.web(image, "next"))
        for _ in range(3)
        for name, written in cases.items()
    ]
    answered, stopped, begun = zip(*took, strict=True)
    return [
        row("cancelling is answered, p95", p95([*answered]) * 1000, 300, "ms"),
        row("… nothing of it is left: the longest", max(stopped), 3, "s"),
        row("… the next one begins: the longest", max(begun), 1, "s"),
    ]


def _cancelled(
    viewer: Viewer,
    client: docker.DockerClient,
    step: str,
    spec: dict[str, object],
    behind: dict[str, object],
) -> tuple[float, float, float]:
    """Seconds until it is answered, until nothing is left, and from its end to the next one."""
    app = f"cancel-{step.replace('_', '-')}"
    _, id = viewer.deploy(app, {"spec": spec})
    viewer.when(lambda one: _in_step(one, id, step), f"{step} of {id}")
    gevent.sleep(1)
    _, waiting = viewer.deploy(app, {"spec": behind, "wait": True})
    asked = time.time()
    viewer.ask("DELETE", f"/api/v1/deployments/{id}")
    answered = time.time() - asked
    ended = viewer.state(id, "cancelled")
    release = viewer.ask("GET", f"/api/v1/deployments/{id}")["release"]
    names = [service_name(name, release) for name in (f"{app} once", app)]
    wait_until(
        lambda: not any(_left(client, name) for name in names), 30, "it to be gone", every=0.02
    )
    stopped = time.time() - asked
    begun = viewer.state(waiting, "running", "serving") - ended
    viewer.end(waiting)
    return answered, stopped, begun


def _in_step(one: Message, id: int, name: str) -> bool:
    its = one.get("deployment") or {}
    return its.get("id") == id and any(
        step["name"] == name and step["state"] == "running" for step in its["steps"]
    )


def _left(client: docker.DockerClient, service: str) -> bool:
    its: Any = {"label": f"com.docker.swarm.service.name={service}"}
    return bool(client.containers.list(filters=its)) or bool(
        client.services.list(filters={"name": service})
    )


def pushed(viewer: Viewer, host: Host, repository: Path, image: str) -> list[Row]:
    """Many pushes to a repository, each of which the host tells at once."""
    (repository / "Dockerfile").write_text(
        f"FROM {image}\nCOPY index.html /www/\nRUN sleep 2\n"
        'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n'
    )

    def push(text: str) -> str:
        (repository / "index.html").write_text(text)
        git("add", ".", at=repository)
        git("commit", "-qm", text, at=repository)
        git("push", "-q", "--force", str(host.folder / "web.git"), "HEAD:main", at=repository)
        return git("rev-parse", "HEAD", at=repository)

    push("before")
    written = {"build": {"git": f"{host.url}/web.git"}, "port": 8080, "health": HEALTH}
    _, first = viewer.deploy("pushed", {"spec": written})
    assert viewer.end(first)["state"] == "serving"
    hook = viewer.ask("POST", "/api/v1/apps/pushed/webhooks", json={"kind": "plain"})
    last = ""
    began = time.time()
    for n in range(PUSHES):
        last = push(f"push {n}")
        viewer.server.client.post(
            hook["path"],
            json={"branch": "main", "commit": last},
            headers={"X-CloudBang-Token": hook["secret"]},
        ).raise_for_status()
        gevent.sleep(max(began + (n + 1) * PUSHED_IN / PUSHES - time.time(), 0))
    found: list[Message] = []

    def done() -> bool:
        found[:] = viewer.ask("GET", "/api/v1/deployments?app=pushed")["deployments"]
        return all(one["settled"] for one in found) and len(found) > 1

    wait_until(done, 120, "all to have ended", every=0.2)
    gevent.sleep(1)
    done()
    built = [
        one for one in found if one["id"] != first and _state(one, "build") not in ("", "waiting")
    ]
    assert found[0]["state"] == "serving", found[0]
    (fetched,) = [step for step in found[0]["steps"] if step["name"] == "fetch"]
    assert fetched["progress"]["commit"] == last, (fetched, last)
    took = time.time() - began
    return [row(f"{PUSHES} pushes in {took:.0f} s: built (the last one serves)", len(built), 2, "")]


def _state(one: Message, step: str) -> str:
    return next((its["state"] for its in one["steps"] if its["name"] == step), "")


@contextmanager
def git_host(folder: Path) -> Iterator[tuple[Host, Path]]:
    root, repository = folder / "git", folder / "work"
    for one in (root, repository):
        one.mkdir()
    git("init", "-q", "--bare", "web.git", at=root)
    git("init", "-q", at=repository)
    host = Host(root)
    try:
        yield host, repository
    finally:
        host.close()


def run() -> list[Row]:
    swarm = Swarm(machine_engine())
    image = script("test-image")
    moments = Moments(swarm.host, swarm.client)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            environ = {
                "DOCKER_HOST": swarm.host,
                "CLOUDBANG_DEPLOY_ALLOWED_HOSTS": "127.0.0.1",
                "CLOUDBANG_DEPLOY_KEEP_FREE_BYTES": "0",
            }
            server = ServerProcess(folder / "server", environ)
            (folder / "server").mkdir()
            server.start()
            viewer = Viewer(server)
            try:
                rows = started(viewer, swarm.client, image)
                rows += failed(viewer, moments, image)
                rows += cancelled(viewer, swarm.client, image)
                with git_host(folder) as (host, repository):
                    rows += pushed(viewer, host, repository, image)
                return rows
            finally:
                viewer.close()
                server.close()
    finally:
        moments.close()
        swarm.close()
