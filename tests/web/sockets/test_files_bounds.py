"""What bounds the moving of files: sizes, numbers, rights, time, and an end for every process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudbang.app import Application
from cloudbang.config import Settings
from cloudbang.web.security.authenticator import authenticator_of
from cloudbang.web.server.server import Server
from cloudbang.web.sockets.files import PATH, FilesEndpoint
from tests.support import ServerProcess, free_port, wait_until
from tests.terminal_support import known
from tests.web.sockets.files_support import CHUNK, LIMIT, Ground, Slow, ask, hear, moving, put


@pytest.fixture(scope="module")
def ground(files_ground: Ground) -> Ground:
    files_ground.inside("sh", "-c", f"head -c {LIMIT} /dev/urandom > /app/full")
    return files_ground


def idle(ground: Ground) -> bool:
    return not moving(ground.container.id)


def test_a_file_with_more_than_can_be_read(ground: Ground) -> None:
    """Its size is asked for, not counted: it is refused at once, and nobody goes on reading."""
    ground.inside("dd", "if=/dev/zero", "of=/app/sparse", "bs=1", "count=0", "seek=900G")
    answer = ground.me.ask("GET", ground.path("/app/sparse"))
    assert (answer.status_code, answer.json()["code"]) == (413, "file-too-large")
    assert str(900 * 2**30) in answer.json()["detail"]
    wait_until(lambda: idle(ground))


def test_a_folder_with_more_than_can_be_read(ground: Ground) -> None:
    """Refused where it can be known before; cut off where not, and then its tar ends."""
    ground.inside("sh", "-c", "mkdir -p /big /linked; cd /big; for n in 1 2 3 4 5 6 7 8; do "
                  "dd if=/dev/zero of=$n bs=1 count=0 seek=8G 2>/dev/null; done")  # fmt: skip
    answer = ground.me.ask("GET", ground.path("/big"))
    assert (answer.status_code, answer.json()["code"]) == (413, "file-too-large")
    wait_until(lambda: idle(ground))
    ground.inside("sh", "-c", "ln /big/* /linked")
    slow = Slow(ground.me, ground.path("/big"))
    assert slow.status == 200
    assert LIMIT // 2 < slow.rest() < 2 * LIMIT
    slow.close()
    wait_until(lambda: idle(ground), what="tar to end")


def test_a_download_that_is_left(ground: Ground) -> None:
    """Nothing of it goes on in the container."""
    slow = Slow(ground.me, ground.path("/app/full"))
    assert not idle(ground)
    slow.close()
    wait_until(lambda: idle(ground), what="the download's processes to end")


@pytest.mark.parametrize("end", [ServerProcess.terminate, ServerProcess.kill])
def test_nothing_outlives_the_server(
    end: Callable[[ServerProcess], Any], new_server: Any, container: Callable[..., Any]
) -> None:
    """Files on their way, in and out: they end with it, also when it is killed."""
    one = container(f"head -c {LIMIT} /dev/urandom > /full; mkdir /app; exec sleep 1000000")
    server = new_server()
    known(server, one.name)
    ground = Ground(server, one)
    with ground.route() as route:
        route.send(ask(ground, "half", LIMIT))
        assert hear(route)["op"] == "go"
        slow = Slow(ground.me, ground.path("/full"))
        assert len(moving(one.id)) >= 4
        end(server)
        wait_until(lambda: idle(ground), what="what moved files to end")
        slow.close()
    assert ground.inside("ls", "-A", "/app") == ""
    ground.terminal.close()
    ground.me.client.close()


def test_no_more_than_32_at_once(ground: Ground) -> None:
    """Both ways together; one more is told so, and there is room again when one has ended."""
    held = [Slow(ground.me, ground.path("/app/full")) for _ in range(32)]
    try:
        assert [one.status for one in held] == [200] * 32
        answer = ground.me.ask("GET", ground.path("/app/a.txt"))
        assert (answer.status_code, answer.json()["code"]) == (503, "too-busy")
        assert "32 files" in answer.json()["detail"]
        with ground.route() as socket:
            heard = put(ground, socket, "one more", b"x")
        assert (heard["op"], heard["code"]) == ("error", "too-busy")
        assert "32 files" in heard["message"]
    finally:
        for one in held:
            one.close()
    wait_until(lambda: idle(ground), 30)
    wait_until(lambda: ground.me.ask("GET", ground.path("/app/a.txt")).status_code == 200)


def test_take_cuts_a_guests_download(ground: Ground) -> None:
    """Who may not type any more gets no more of the file."""
    guest = ground.me.account("downloader")
    key = ground.me.made(f"/terminals/{ground.session}/links", {"mode": "type"})["key"]
    typing = guest.back(ground.session, key=key)
    slow = Slow(guest, ground.path("/app/full"))
    assert slow.status == 200
    ground.terminal.say("take")
    typing.wait_op("mode", mode="watch")
    assert slow.rest() < LIMIT
    slow.close()
    typing.close()
    guest.client.close()
    wait_until(lambda: idle(ground))


def test_signing_out_cuts_a_download(ground: Ground) -> None:
    """And what moved it ends."""
    other = ground.me.account("leaves", "admin")
    shell = other.terminal(ground.container.name).ready()
    slow = Slow(other, ground.path("/app/full", shell.session))
    assert slow.status == 200
    assert other.ask("DELETE", "/session").status_code == 204
    assert slow.rest() < LIMIT
    slow.close()
    shell.close()
    other.client.close()
    wait_until(lambda: idle(ground))


@pytest.mark.parametrize(
    ("before", "after"),
    [("600 0:0", "600 0:0"), ("755 12:34", "755 12:34"), ("4711 0:0", "711 0:0")],
)
def test_a_file_that_is_replaced_keeps_its_rights(ground: Ground, before: str, after: str) -> None:
    """Those of others to it, and whose it is; not what would make it a program with the rights of
    another. A new one is readable by all."""
    mode, owner = before.split()
    ground.inside("sh", "-c", f"echo > /app/kept; chown {owner} /app/kept; chmod {mode} /app/kept")
    with ground.route() as socket:
        assert put(ground, socket, "kept", b"new")["op"] == "done"
        assert put(ground, socket, f"new {mode}", b"new")["op"] == "done"
    assert ground.inside("stat", "-c", "%a %u:%g %s", "/app/kept") == f"{after} 3"
    assert ground.inside("stat", "-c", "%a %u:%g", f"/app/new {mode}") == "644 0:0"


class Hasty(ServerProcess):
    """A server in this process, whose door of files waits only 0.3 s for the next piece."""

    def __init__(self, folder: Path, engine_socket: str) -> None:
        super().__init__(folder)
        values = {
            "server": {"port": self.port},
            "storage": {"path": folder},
            "engine": {"host": engine_socket},
            "bus": {"bind_sub": "tcp://127.0.0.1:*", "bind_pub": "tcp://127.0.0.1:*",
                    "bind_pub2": ""},
            "admin_password": self.password,
        }  # fmt: skip
        self.application = Application(Settings.model_validate(values))
        self.application.start()
        assert self.application.server
        app: Any = self.application.server.application
        parts = app.extensions["cloudbang"]
        route = FilesEndpoint(parts.terminals, parts.files, authenticator_of(app), stalled=0.3)
        self.routes = Server(("127.0.0.1", free_port()), app, {PATH: route.route()})
        self.routes.start()

    def close(self) -> None:
        super().close()
        self.routes.stop()
        self.application.stop()


@pytest.fixture
def hasty(tmp_path: Path, engine_socket: str) -> Iterator[Hasty]:
    made = Hasty(tmp_path, engine_socket)
    yield made
    made.close()


def test_a_page_that_stalls(hasty: Hasty, container: Callable[..., Any]) -> None:
    """The file is broken off, and the socket takes the next one."""
    one = container("mkdir /app; exec sleep 1000000")
    known(hasty, one.name)
    ground = Ground(hasty, one)
    hasty.port, hasty.url = hasty.routes.port, f"http://127.0.0.1:{hasty.routes.port}"
    with ground.route() as socket:
        socket.send(ask(ground, "stalls", 2 * CHUNK))
        assert hear(socket)["op"] == "go"
        socket.send(b"a" * CHUNK)
        assert hear(socket) == {"op": "got", "offset": CHUNK}
        heard = hear(socket)
        assert (heard["op"], heard["code"]) == ("error", "not-whole")
        assert "nothing came for 0.3 seconds" in heard["message"]
        assert ground.inside("ls", "-A", "/app") == ""
        assert put(ground, socket, "next", b"x")["op"] == "done"
    ground.terminal.close()
    ground.me.client.close()
