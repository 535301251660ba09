"""Starting where one may not, stopping on request, and being kept alive."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import psutil
import pytest
import zstandard
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.faults.truth import assert_same, ticker
from tests.faults.viewers import handshake, text_frame
from tests.socket_client import open_socket
from tests.support import ROOT, Stopwatch, patient, wait_until
from tests.terminal_support import STUBBORN, Person


def _open(server) -> ClientConnection:
    return open_socket(
        server.url.replace("http", "ws") + "/websocket",
        additional_headers={"Cookie": server.cookie},
        origin=server.url,
        subprotocols=["cloudbang.live.v1"],
    )


@pytest.mark.engine
def test_a_second_instance_on_the_same_folder_refuses(server, new_server) -> None:
    """The second start ends with 1 and one sentence that names the folder; the first goes on."""
    second = new_server({"CLOUDBANG_STORAGE_PATH": str(server.storage)}, start=False)
    second.spawn()
    assert second.process.wait(patient(20)) == 1
    said = second.said().strip()
    assert str(server.storage) in said
    assert str(server.pid) in said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1
    assert server.client.get("/healthz").status_code == 200


@pytest.mark.engine
@pytest.mark.parametrize("variable", ["CLOUDBANG_SERVER_PORT", "ZMQ_BIND_SUB", "ZMQ_BIND_PUB"])
def test_a_taken_port_stops_the_start_with_one_sentence(new_server, variable: str) -> None:
    """What is taken and which setting moves it, and no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        value = str(port) if variable.startswith("CLOUD") else f"tcp://127.0.0.1:{port}"
        server = new_server({variable: value}, start=False)
        server.spawn()
        assert server.process.wait(patient(20)) == 1
    said = server.said().strip().splitlines()
    assert str(port) in said[-1]
    assert variable in said[-1]
    assert not any("Traceback" in line for line in said)


@pytest.mark.engine
@pytest.mark.slow("the five seconds of a stop are what is tested")
def test_sigterm_ends_within_five_seconds_and_says_so_to_sockets(container, server) -> None:
    """Under load, with a viewer and a download that never read, and with a terminal in which a
    program ignores every signal: sockets get 1001, the exit code is 0, the recording is whole."""
    one = container(ticker("going", 3000))
    wait_until(lambda: _has_lines(server, one.name), 20, "lines")
    with ExitStack() as stack:
        terminal = stack.enter_context(Person(server)).terminal(one.id)
        stack.callback(terminal.close)
        terminal.ready().type(STUBBORN)
        terminal.wait_for("has started")
        stack.enter_context(_stuck_download(server, one.name))
        reading = [stack.enter_context(_open(server)) for _ in range(5)]
        for viewer in reading:
            viewer.send(f'{{"op":"subscribe","channel":"log/{one.name}","tail":10}}')
            viewer.recv(timeout=patient(10))
        stack.enter_context(_stuck_viewer(server, one.name))
        watch = Stopwatch()
        server.process.send_signal(signal.SIGTERM)
        assert [_close_code(viewer) for viewer in reading] == [1001] * 5
        assert server.process.wait(patient(10)) == 0, server.said()
        assert watch.seconds < 5
    said = server.said()
    assert "Traceback" not in said, said
    assert "did not stop in time" not in said, said
    (cast,) = server.storage.glob(f".terminals/*/{terminal.session}.cast*")
    with zstandard.open(cast) if cast.suffix == ".zst" else cast.open("rb") as file:
        recorded = [json.loads(line) for line in file.read().splitlines()]
    assert "has started" in "".join(text for _, kind, text in recorded[1:] if kind == "o")
    # What was collected is on disk, and the next start goes on exactly there.
    server.start()
    one.kill()
    one.wait()
    assert_same(server, one.name, one)


def _close_code(viewer: ClientConnection) -> int | None:
    """Read to the end; the code the server closed with, None when it closed without one."""
    try:
        while True:
            viewer.recv(timeout=patient(5))
    except ConnectionClosed as e:
        return e.rcvd.code if e.rcvd else None


def _has_lines(server, app: str) -> bool:
    answer = server.client.get(f"/api/v1/apps/{app}/lines", params={"limit": 1})
    return answer.status_code == 200 and answer.json()["next"] > 100


def _stuck_viewer(server, app: str) -> socket.socket:
    """A subscribed viewer with a tiny receive buffer that never reads again."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.connect(("127.0.0.1", server.port))
    handshake(link, server.port, server.cookie)
    link.sendall(text_frame(f'{{"op":"subscribe","channel":"log/{app}","tail":5000}}'))
    return link


def _stuck_download(server, app: str) -> socket.socket:
    """One who asks for the whole log, and reads the beginning only."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.connect(("127.0.0.1", server.port))
    request = f"GET /api/v1/apps/{app}/download HTTP/1.1\r\nHost: x\r\nCookie: {server.cookie}"
    link.sendall(f"{request}\r\n\r\n".encode())
    assert link.recv(100).startswith(b"HTTP/1.1 200")
    return link


@pytest.mark.engine
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_as_soon_as_it_listens(new_server, told: signal.Signals) -> None:
    """Much of it is started after that: whatever is there by then is stopped, the rest never begins."""
    server = new_server(start=False)
    server.spawn()
    address = ("127.0.0.1", httpx.URL(server.url).port)

    def listens() -> bool:
        with suppress(OSError), socket.create_connection(address, timeout=1):
            return True
        return False

    wait_until(listens, 40, "it to listen", every=0.002)
    server.process.send_signal(told)
    assert server.process.wait(patient(10)) == 0, server.said()
    assert "Traceback" not in server.said(), server.said()


@pytest.mark.engine
def test_ctrl_c_ends_it_too(server) -> None:
    """SIGINT, as Ctrl+C in `make run` sends it, is a clean end without a traceback."""
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(patient(10)) == 0, server.said()
    said = server.said()
    assert "Traceback" not in said, said


@pytest.mark.engine
def test_idle_strangers_leave_files_to_open(new_server, container) -> None:
    """Where few files may be open, connections are held back and not the logs: 700 strangers who
    say nothing are told 503, and a container that starts meanwhile is read."""
    server = new_server(start=False)
    server.before = ["sh", "-c", 'ulimit -n 600; exec "$@"', "-"]
    server.start()
    assert "150 connections at a time and not 10000" in server.said()
    assert server.client  # signed in while there is room
    with ExitStack() as strangers:
        opened = [
            strangers.enter_context(
                socket.create_connection(("127.0.0.1", server.port), patient(10))
            )
            for _ in range(700)
        ]
        heard: dict[socket.socket, bytes] = {}

        def told() -> int:
            for one in opened:
                one.settimeout(0)
                with suppress(BlockingIOError):
                    heard.setdefault(one, one.recv(12))
            return Counter(heard.values())[b"HTTP/1.1 503"]

        # 150 have room; one more had it if somebody left meanwhile who had asked for the health.
        wait_until(lambda: told() >= 700 - 151, 10, "all others to be told")
        # Whoever was let in and asked for nothing in 30 s hears nothing either.
        assert set(heard.values()) <= {b"HTTP/1.1 503", b""}
        box = container("echo $((40+2)) lines; sleep 1000000")
        logs = server.storage / "default" / box.name

        def stored() -> bool:
            return any("42 lines" in path.read_text("utf-8", "replace") for path in logs.glob("*"))

        wait_until(stored, 5, "the line of a container that was started meanwhile", every=0.05)
    wait_until(lambda: server.client.get(f"/api/v1/apps/{box.name}").status_code == 200, 5, "room")
    assert "Too many open files" not in server.said(100_000)


@pytest.fixture
def supervised(new_server, tmp_path: Path):
    """The shipped supervisord.conf with its files put into a folder of the test."""
    server = new_server(start=False)
    text = (ROOT / "supervisord.conf").read_text()
    for folder in ("/var/log", "/run"):
        text = text.replace(folder + "/", f"{tmp_path}/")
    text = text.replace("%(here)s", str(ROOT)).replace(f"{ROOT}/.venv/bin/python", sys.executable)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    text = re.sub(r"minfds = \d+", f"minfds = {min(hard, 65536)}", text)
    if os.getuid() != 0:
        text = text.replace("user = root\n", "")
    path = tmp_path / "supervisord.conf"
    path.write_text(text)
    supervisord = Path(sys.executable).with_name("supervisord")
    process = subprocess.Popen(
        [str(supervisord), "-n", "-c", str(path)],
        env=server.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield server, process
    if process.poll() is None:
        process.terminate()
        process.wait(patient(20))


@pytest.mark.engine
@pytest.mark.slow("supervisord starts it, it is killed, and starts again")
def test_supervisord_keeps_it_running(supervised) -> None:
    """Killed, it comes again; ended with 0, it comes again; supervisord's stop ends it."""
    server, supervisord = supervised

    def child() -> psutil.Process | None:
        if supervisord.poll() is not None:
            raise AssertionError("supervisord ended")
        for one in psutil.Process(supervisord.pid).children():
            if _answers(server):
                return one
        return None

    first = wait_until(child, 30, "the first start")
    assert first.rlimit(psutil.RLIMIT_NOFILE)[0] >= 10_000
    first.send_signal(signal.SIGKILL)
    second = wait_until(lambda: (c := child()) and c.pid != first.pid and c, 30, "a second start")
    second.send_signal(signal.SIGTERM)
    third = wait_until(lambda: (c := child()) and c.pid != second.pid and c, 30, "a third start")
    supervisord.terminate()
    assert supervisord.wait(patient(20)) == 0
    assert not third.is_running()


def _answers(server) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return True
    except OSError:
        return False
