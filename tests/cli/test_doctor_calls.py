"""The doctor tries each call that the server makes, and says what a refused one means."""

from __future__ import annotations

import ast
import http.server
import json
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest

from cloudbang.cli import doctor_calls, doctor_engine
from cloudbang.cli.doctor_checks import Finding
from cloudbang.domain.refusals import REFUSALS
from tests.support import ROOT, patient

LOGS = "c" * 64


class _Filtered(http.server.BaseHTTPRequestHandler):
    """An engine of which something before it lets only a part through."""

    refused: ClassVar[set[str]] = set()  # kinds of calls
    oldest: ClassVar[str] = "1.24"
    speaks: ClassVar[str] = "1.41"
    containers: ClassVar[list[dict[str, object]]] = []
    drivers: ClassVar[dict[str, str]] = {}
    name: ClassVar[str] = "Engine"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?")[0]
        version, _, rest = path.removeprefix("/v").partition("/")
        if path == "/version":
            rest = "version"
        elif version != self.speaks:
            self._say(400, {"message": f"client version {version} is too old"})
            return
        if kind(self.command, rest) in self.refused:
            self._say(403, b"<html><body><h1>403 Forbidden</h1></body></html>")
        elif rest == "version":
            parts = [{"Name": self.name}]
            version = {"Version": "20.10.0", "ApiVersion": self.speaks, "Components": parts}
            self._say(200, version)
        elif rest == "containers/json":
            self._say(200, self.containers)
        elif rest == "events":
            self._say(200, b"")
        elif rest.endswith("/json") and (one := rest.split("/")[1]) in self.drivers:
            self._say(200, {"HostConfig": {"LogConfig": {"Type": self.drivers[one]}}})
        elif rest.endswith("/logs") and rest.split("/")[1] in self.drivers:
            self._say(501, {"message": "configured logging driver does not support reading"})
        else:
            self._say(404, {"message": "there is none of that name"})

    do_POST = do_DELETE = do_GET

    def _say(self, status: int, said: object) -> None:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def kind(method: str, path: str) -> str:
    """Which kind of call that is."""
    if path in ("version", "events", "info", "plugins"):
        return path
    if (first := path.split("/")[0]) in ("swarm", "nodes"):
        return "swarm"
    if path == "system/df" or (path == "volumes" and method == "GET"):
        return "disk"
    ours = first in ("volumes", "networks")
    if path == "build/prune" or (method == "DELETE" and ours):
        return "clean-up"
    if path.split("/")[-1] in ("stop", "restart", "kill", "pause", "unpause", "update") and (
        first == "containers"
    ):
        return "operate"
    if first in ("networks", "services", "secrets"):
        return first
    if first in ("tasks", "configs"):
        return {"tasks": "services", "configs": "secrets"}[first]
    if first == "build":
        return first
    if path.endswith("/tag") or (path.startswith("images/") and method == "DELETE"):
        return "tag"
    if path.startswith("images/"):
        return "pull" if method == "POST" else "images"
    if path.startswith("exec/") or path.endswith("/exec"):
        return "exec"
    if path == "containers/json":
        return "list"
    if path.endswith(("/logs", "/stats")):
        return path.split("/")[-1]
    return "inspect" if method == "GET" else "create"


@pytest.fixture
def filtered() -> Iterator[type[_Filtered]]:
    class One(_Filtered):
        host = ""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), One) as served:
        thread = threading.Thread(target=served.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        One.host = f"tcp://127.0.0.1:{served.server_port}"
        yield One
        served.shutdown()
        thread.join(patient(5))


def wrong(engine: type[_Filtered]) -> list[Finding]:
    return [f for f in doctor_engine.engine(engine.host, {}) if not f.ok]  # type: ignore[attr-defined]


@pytest.mark.parametrize("call", list(REFUSALS))
def test_a_refused_call_is_said_with_what_does_not_work_and_what_mends_it(filtered, call) -> None:
    """In the words of the page; nothing else is wrong with such an engine."""
    filtered.refused = {call}
    (found,) = wrong(filtered)
    assert found.code == f"refused-{call}"
    assert found.found.en == f"{REFUSALS[call].refused.en} (403)"
    assert found.mend == REFUSALS[call].mend


def test_what_the_server_does_not_need_may_be_refused(filtered) -> None:
    """It never asks for /plugins."""
    filtered.refused = {"plugins"}
    assert wrong(filtered) == []


def test_a_newer_engine_is_asked_by_the_version_it_speaks(filtered) -> None:
    """One that takes nothing older than 1.44 is well."""
    filtered.speaks = "1.52"
    assert wrong(filtered) == []


def test_podman_is_called_by_its_name_and_what_is_its_own_is_said(filtered) -> None:
    """It answers as Docker does, and nothing is wrong with it."""
    filtered.name = "Podman Engine"
    found = {f.code: f for f in doctor_engine.engine(filtered.host, {})}
    assert found["engine"].found.en.startswith("Podman 20.10.0 answers at ")
    assert "systemd" in found["podman"].found.en
    assert wrong(filtered) == []
    filtered.name = "Engine"
    assert "podman" not in [f.code for f in doctor_engine.engine(filtered.host, {})]


def test_a_log_that_is_not_kept_on_purpose_is_no_problem(filtered) -> None:
    """Of the driver none, of one that never ran, of our own helpers; one that should is named."""
    ids = {name: str(n) * 64 for n, name in enumerate(("quiet", "never", "ours", "lost"), 1)}
    filtered.containers = [
        {"Id": ids["quiet"], "Names": ["/quiet"], "State": "running"},
        {"Id": ids["never"], "Names": ["/never"], "State": "created"},
        {
            "Id": ids["ours"],
            "Names": ["/ours"],
            "State": "running",
            "Labels": {"cloudbang.hidden": "true"},
        },
        {"Id": ids["lost"], "Names": ["/lost"], "State": "running"},
    ]
    filtered.drivers = {ids[name]: "none" for name in ("quiet", "never", "ours")}
    filtered.drivers[ids["lost"]] = "syslog"
    (found,) = wrong(filtered)
    assert found.found.en.startswith("lost logs with the driver syslog")
    remarks = [f.found.en for f in doctor_engine.engine(filtered.host, {}) if f.ok]
    assert "the log driver is none: nothing is kept (quiet)" in remarks


def test_every_call_of_the_server_is_tried() -> None:
    """Each place in the engine's room where it is asked names its kind, and each kind is tried."""
    named: set[str] = set()
    for path in (ROOT / "cloudbang" / "engine").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", "")
            if name in ("_open", "_json", "_answer") and path.name != "http.py":
                given = {k.arg: k.value for k in node.keywords}
                assert isinstance(given.get("call"), ast.Constant), (path.name, node.lineno)
                named.add(str(given["call"].value))  # type: ignore[attr-defined]
            elif name == "refusal" and path.name != "http.py":
                named.add(str(node.args[1].value))  # type: ignore[attr-defined]
    tried = {probe.call for probe in doctor_calls.PROBES}
    assert named - {""} == tried
    assert set(REFUSALS) == tried | {"version"}
