"""The doctor: what it finds, how it says it, and its exit code."""

from __future__ import annotations

import fcntl
import http.server
import json
import os
import re
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from cloudbang.cli import doctor_checks, doctor_engine
from cloudbang.cli.doctor import examine
from cloudbang.cli.language import is_chinese
from cloudbang.config import GIB, ServerSettings, Settings, StorageSettings
from cloudbang.domain.apps import nothing_kept
from cloudbang.domain.lines import format_time
from cloudbang.storage import data_folder
from tests.support import ROOT, free_port, patient, wait_until


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Settings with which nothing of this machine itself is wrong."""
    return {
        "CLOUDBANG_CONFIG": str(ROOT / "conf" / "cloudbang.toml"),
        "CLOUDBANG_STORAGE_PATH": str(tmp_path / "data"),
        "CLOUDBANG_SERVER_PORT": str(free_port()),
        "CLOUDBANG_SERVER_MAX_CONNECTIONS": "100",
        "ZMQ_BIND_SUB": f"tcp://127.0.0.1:{free_port()}",
        "ZMQ_BIND_PUB": f"tcp://127.0.0.1:{free_port()}",
        "ZMQ_BIND_PUB2": f"tcp://127.0.0.1:{free_port()}",
        "CLOUDBANG_GATEWAY_HTTP_PORT": str(free_port()),
        "CLOUDBANG_GATEWAY_HTTPS_PORT": str(free_port()),
        "DOCKER_HOST": os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"),
    }


def doctor(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cloudbang", "doctor", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **environ},
        capture_output=True,
        text=True,
        timeout=patient(60),
    )


def wrong(environ: dict[str, str]) -> dict[str, str]:
    """code -> what was found, of everything that is wrong."""
    return {f.code: f.found.en for f in examine(environ) if not f.ok}


@pytest.mark.engine
def test_a_healthy_machine_has_nothing_to_mend(engine_socket: str, environ) -> None:
    """With an engine that answers, free ports and room, only others' containers can be wrong."""
    assert set(wrong(environ)) <= {"log-driver"}


@pytest.mark.parametrize("nodes", [1, 3])
def test_of_swarm_it_is_said_what_it_leaves_open(nodes: int) -> None:
    """And how that is closed, which must not cut other machines off; nothing where it is off."""
    assert list(doctor_engine.swarm({"Swarm": {"LocalNodeState": "inactive"}})) == []
    told = {"LocalNodeState": "active", "ControlAvailable": True, "Nodes": nodes}
    [found] = doctor_engine.swarm({"Swarm": told})
    assert found.ok
    for text in (found.found.en, found.found.zh):
        assert "iptables -I INPUT ! -i lo -p udp --dport 4789 -j DROP" in text
    assert ("but for packets of the other machines" in found.found.en) == (nodes > 1)


def test_no_engine_is_said_with_the_reason(environ, tmp_path: Path) -> None:
    """An engine that does not answer: exit code 1, the address, why, and how to start it."""
    done = doctor(environ | {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert done.returncode == 1
    assert f"nothing answers at unix://{tmp_path}/none.sock (No such file" in done.stdout
    assert "systemctl start docker" in done.stdout
    assert not done.stderr


def test_an_engine_that_hangs_does_not_hang_the_doctor(environ, monkeypatch) -> None:
    """Something that accepts and never answers is unreachable too, within a bounded time."""
    monkeypatch.setattr(doctor_engine, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        assert "timed out" in wrong(environ | {"DOCKER_HOST": address})["engine-unreachable"]


@pytest.mark.parametrize("host", ["tcp://", "nonsense:port", "unix://", "ssh://somewhere"])
def test_a_docker_host_that_is_none_is_no_crash(environ, host: str) -> None:
    """A DOCKER_HOST nobody can use is a finding like any other."""
    assert "engine-unreachable" in wrong(environ | {"DOCKER_HOST": host})


def test_a_socket_that_may_not_be_opened_says_which_group() -> None:
    """A socket of another user is not an engine that is away: the mend is a group."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as closed:
        path = Path(folder, "engine.sock")
        path.parent.chmod(0o755)
        closed.bind(str(path))
        closed.listen()
        path.chmod(0)
        if os.access(path, os.W_OK):  # root may open everything: look as nobody does
            assert _as_nobody(f"unix://{path}") == ["socket-denied"]
        else:
            found = [f.code for f in doctor_engine.engine(f"unix://{path}", {})]
            assert found == ["socket-denied"]


def _as_nobody(host: str) -> list[str]:
    """The codes found by a process of the user nobody."""
    code = (
        "import os, sys; from cloudbang.cli import doctor_engine\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "print(*(f.code for f in doctor_engine.engine(sys.argv[1], {})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, host],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patient(30),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.engine
def test_a_log_driver_that_cannot_be_read_is_named(container, environ) -> None:
    """The container, its driver and what the engine says about it."""
    name = f"unreadable-{uuid.uuid4().hex[:8]}"
    container(name=name, log_config={"Type": "none"})
    (found,) = [f for f in examine(environ) if name in f.found.en]
    # Somebody wanted it so: a remark, with the reason of the page.
    assert found.ok
    assert found.found.en.startswith(f"{nothing_kept('none')} (")


def test_a_clock_that_differs_is_said_with_its_direction() -> None:
    """More than two seconds are wrong, and which of the two is ahead is said."""
    now = time.time()

    def found(offset: float) -> tuple[bool, str]:
        says = format_time(int((now + offset) * 1e9))
        (one,) = doctor_engine.clock(says, now)
        return one.ok, one.found.en

    assert found(0.5) == (True, "the same as the engine's")
    assert found(-61.0) == (False, "the engine's is 61.0 s behind ours")
    assert found(7.2) == (False, "the engine's is 7.2 s ahead of ours")
    assert list(doctor_engine.clock("rubbish", now)) == []


class _EngineOfYesterday(http.server.BaseHTTPRequestHandler):
    """Answers like an engine whose clock stands a day behind."""

    def do_GET(self) -> None:
        info = {"SystemTime": format_time(int((time.time() - 86400) * 1e9))}
        version = {"Version": "20.10.0", "ApiVersion": "1.41"}
        known = {"/version": version, "/v1.41/info": info, "/v1.41/containers/json": []}
        said = known.get(self.path.split("?")[0], {"message": "there is none"})
        body = json.dumps(said).encode()
        self.send_response(200 if self.path.split("?")[0] in known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def engine_of_yesterday() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), _EngineOfYesterday) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join(patient(5))


def test_clock_skew_is_read_over_tcp(environ, engine_of_yesterday: str) -> None:
    """The engine of another machine says its time, and a day of difference is found."""
    found = wrong(environ | {"DOCKER_HOST": engine_of_yesterday})
    assert found == {"clock-skew": "the engine's is 86400.0 s behind ours"}


def test_a_taken_port_names_the_setting_that_moves_it(environ) -> None:
    """Whoever holds the port: the finding says so, and which variable chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        mends = [
            f.mend.en
            for f in examine(environ | {"CLOUDBANG_SERVER_PORT": port})
            if not f.ok and f.code == "port" and f.mend
        ]
        assert len(mends) == 1
        assert "CLOUDBANG_SERVER_PORT" in mends[0]
        bus = environ | {"ZMQ_BIND_PUB2": f"tcp://127.0.0.1:{port}"}
        assert wrong(bus)["port"] == "taken on 127.0.0.1 by another program"


def test_ports_of_the_running_cloudbang_are_fine(environ, tmp_path: Path) -> None:
    """While CloudBang holds the data folder, its ports are not a problem."""
    folder = tmp_path / "data"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as ours, (folder / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        taken = environ | {"CLOUDBANG_SERVER_PORT": str(ours.getsockname()[1])}
        assert "port" not in wrong(taken)


@pytest.mark.parametrize(
    ("form", "served", "said"),
    [
        ("0001", True, "has the form 0001"),  # its server is from before the update
        ("0001", False, None),  # the next start brings it to the new form
        ("9999", False, "has the form 9999"),
        (None, False, "cannot be read"),
    ],
)
def test_the_form_of_the_database(environ, tmp_path: Path, form, served, said) -> None:
    """One that this CloudBang cannot use, or not yet, is said; a healthy one is not."""
    folder = tmp_path / "data"
    folder.mkdir()
    with sqlite3.connect(folder / "cloudbang.db") as c:
        c.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        if form is not None:
            c.execute("INSERT INTO alembic_version VALUES (?)", (form,))
    c.close()
    with data_folder.taken(folder) if served else nullcontext():
        found = wrong(environ).get("database")
    assert (found is None) if said is None else (said in (found or ""))


def test_an_address_that_is_not_here_is_said(environ) -> None:
    """A host that no interface of this machine has cannot be listened on."""
    assert (
        "cannot be listened on" in wrong(environ | {"CLOUDBANG_SERVER_HOST": "192.0.2.1"})["port"]
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True
    )
    assert made.returncode == 0, f"tests of a full disk need root: {made.stderr.decode()}"
    yield place
    wait_until(
        lambda: subprocess.run(["umount", str(place)], capture_output=True).returncode == 0,
        what="the small disk to be unmounted",
    )


def test_a_disk_that_is_nearly_full_is_found(environ, small_disk: Path) -> None:
    """Less than twice what is kept free counts as nearly full."""
    found = wrong(environ | {"CLOUDBANG_STORAGE_PATH": str(small_disk / "data")})
    assert found == {"disk": f"8 MiB of 8 MiB free on the disk of {small_disk}"} | {
        code: text for code, text in found.items() if code == "log-driver"
    }


def test_a_disk_with_room_is_fine(small_disk: Path) -> None:
    """The same disk is fine for one who keeps little free."""
    assert doctor_checks.room("disk", doctor_checks.Text("", ""), small_disk, 1024).ok
    assert not doctor_checks.room("disk", doctor_checks.Text("", ""), small_disk, GIB).ok


def test_a_data_folder_that_is_a_file_is_found(tmp_path: Path) -> None:
    """What stands where the folder should be made cannot be written into."""
    (tmp_path / "data").write_text("a file")
    storage = StorageSettings(path=tmp_path / "data" / "logs")
    assert [f.code for f in doctor_checks.data_folder(storage) if not f.ok] == ["data-folder"]


def test_too_few_file_descriptors_are_found() -> None:
    """The hard limit must hold the connections that are allowed, and what CloudBang needs itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert [f.ok for f in doctor_checks.file_descriptors(10)] == [True]
    if hard != resource.RLIM_INFINITY:
        (few,) = doctor_checks.file_descriptors(hard)
        assert not few.ok
        assert f"{hard - 500} are taken at a time" in few.found.en


def test_what_a_proxy_has_to_be_told_and_to_do_is_said() -> None:
    """A public address over HTTPS is a proxy's, for the server itself speaks none."""
    assert list(doctor_checks.proxies(ServerSettings(public_url="http://10.0.0.1:8188"))) == []
    (found,) = doctor_checks.proxies(ServerSettings(public_url="https://cloud.example"))
    assert not found.ok
    assert "CLOUDBANG_SERVER_TRUSTED_PROXIES" in found.mend.en
    trusting = ServerSettings(
        public_url="https://cloud.example", trusted_proxies=("127.0.0.1", "10.0.0.0/8")
    )
    (found,) = doctor_checks.proxies(trusting)
    assert found.ok
    assert "127.0.0.1, 10.0.0.0/8" in found.found.en
    assert "X-Forwarded-For" in found.found.en


def test_a_wrong_setting_is_a_finding(environ) -> None:
    """A setting that stops the start is said in its own sentence, and nothing else is checked."""
    found = wrong(environ | {"CLOUDBANG_SERVER_PORT": "many"})
    assert list(found) == ["settings"]
    assert "CLOUDBANG_SERVER_PORT" in found["settings"]


@pytest.mark.parametrize(
    ("variables", "chinese"),
    [
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_TW"}, True),
        ({"LANG": "", "LC_ALL": ""}, False),
        ({}, False),
    ],
)
def test_the_language_is_the_terminals(variables: dict[str, str], chinese: bool) -> None:
    """LC_ALL comes before LANG; zh in any writing is Chinese."""
    assert is_chinese(variables) is chinese


def test_it_speaks_chinese(environ, tmp_path: Path) -> None:
    """Every sentence is Chinese where the terminal is: what, found and mend."""
    chinese = {"LANG": "zh_CN.UTF-8", "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    done = doctor(environ | chinese)
    assert "[异常] Docker 引擎：" in done.stdout
    assert "启动它" in done.stdout
    assert "共有 1 处需要处理" in done.stdout


def test_programs_get_json(environ, tmp_path: Path) -> None:
    """--json gives one document with code, verdict, what was found and how to mend it."""
    done = doctor(environ | {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}, "--json")
    assert done.returncode == 1
    checks = {one["check"]: one for one in json.loads(done.stdout)}
    assert checks["engine-unreachable"]["ok"] is False
    assert checks["engine-unreachable"]["mend"]
    assert checks["disk"]["mend"] is None


def test_every_setting_it_names_exists() -> None:
    """A mend that names a variable names one that the settings know."""
    names = {
        f"CLOUDBANG_{section}_{name}".upper()
        for section, info in Settings.model_fields.items()
        for name in getattr(info.annotation, "model_fields", {})
    }
    source = (ROOT / "cloudbang" / "cli" / "doctor_checks.py").read_text()
    assert set(re.findall(r"CLOUDBANG_[A-Z_]+[A-Z]", source)) <= names
