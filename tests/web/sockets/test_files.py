"""Files into the container of a terminal and out of it, with a real engine."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
from typing import Any

import docker
import pytest

from tests.conftest import RUN
from tests.support import wait_until
from tests.terminal_support import MIB, Terminal, known
from tests.web.sockets.files_support import CHUNK, LIMIT, Ground, ask, closing, hear, put


@pytest.fixture(scope="module")
def ground(files_ground: Ground) -> Ground:
    return files_ground


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, CHUNK, CHUNK + 1, 3 * MIB + 7])
def test_a_file_arrives_whole(ground: Ground, size: int) -> None:
    """Byte for byte, whatever its size; it comes back the same."""
    data = random.Random(size).randbytes(size)
    with ground.route() as socket:
        done = put(ground, socket, f"f{size}", data)
    assert done == {"op": "done", "path": f"/app/f{size}", "size": size}
    assert ground.sha(f"/app/f{size}") == hashlib.sha256(data).hexdigest()
    answer = ground.me.ask("GET", ground.path(f"/app/f{size}"))
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["Content-Length"] == str(size)
    assert answer.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("name", ["a b.txt", "你好 🎉.txt", "-rf", "a\nb", "n" * 255, '"%s";\\'])
def test_any_name(ground: Ground, name: str) -> None:
    """A file has whatever name it has, in and out, and nothing takes it for anything else."""
    with ground.route() as socket:
        assert put(ground, socket, name, name.encode())["op"] == "done"
    answer = ground.me.ask("GET", ground.path(f"/app/{name}"))
    assert answer.content == name.encode()
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")


def test_several_files_on_one_socket(ground: Ground) -> None:
    """One after the other; one that is there is replaced, a link by a file."""
    ground.inside("ln", "-sf", "/etc/hostname", "/app/link")
    with ground.route() as socket:
        for name, text in (("x", b"one"), ("x", b"two"), ("link", b"three")):
            assert put(ground, socket, name, text)["op"] == "done"
    assert ground.inside("cat", "/app/x", "/app/link") == "twothree"
    assert "three" not in ground.inside("cat", "/etc/hostname")


def test_the_folder_follows_the_shell(ground: Ground) -> None:
    """Where the shell is now; a path that is not full begins there."""
    ground.terminal.run("mkdir -p /app/deep/er; cd /app/deep/er; echo there > here")
    assert ground.me.got(f"/terminals/{ground.session}/folder") == {"folder": "/app/deep/er"}
    assert ground.me.ask("GET", ground.path("here")).content == b"there\n"
    assert ground.me.ask("GET", ground.path("../../a.txt")).content == b"hello\n"
    ground.terminal.run("cd /")


def test_a_folder_is_a_tar(ground: Ground) -> None:
    """With all that is in it, named after itself; through a link too."""
    ground.inside("sh", "-c", "mkdir -p /app/folder/sub; echo x > /app/folder/sub/y")
    ground.inside("ln", "-sfn", "/app/folder", "/app/link to")
    for path, name in (
        ("/app/folder", "folder"),
        ("/app/folder/", "folder"),
        ("/app/./folder/sub/..", "folder"),
        ("/app/link to", "link to"),
    ):
        answer = ground.me.ask("GET", ground.path(path))
        assert answer.headers["Content-Type"] == "application/x-tar"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.tar"'
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
            assert "./folder/sub/y" in archive.getnames()
    ground.inside("sh", "-c", "mkdir -p '/app/new\nline\n'; echo z > '/app/new\nline\n/z'")
    answer = ground.me.ask("GET", ground.path("/app/new\nline\n"))
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        assert "./new\nline\n/z" in archive.getnames()


def test_the_shells_user_may_do_what_they_may(ground: Ground) -> None:
    """And no more: a file that they cannot read or write is refused."""
    ground.inside("sh", "-c", "echo s > /app/secret; chmod 600 /app/secret")
    mine = ground.me.terminal(ground.container.name, user="1234").ready()
    answer = ground.me.ask("GET", ground.path("/app/secret", mine.session))
    assert (answer.status_code, answer.json()["code"]) == (409, "file-refused")
    assert "may not" in answer.json()["detail"]
    with ground.route() as socket:
        heard = put(ground, socket, "x", b"y", session=mine.session)
    assert heard["code"] == "file-refused"
    assert "may not" in heard["message"]
    mine.close()


def test_a_file_belongs_to_the_shells_user(ground: Ground) -> None:
    """Who typed can go on working with it."""
    mine = ground.me.terminal(ground.container.name, user="1234:77").ready()
    with ground.route() as socket:
        done = put(ground, socket, "owned", b"x", session=mine.session, folder="/tmp")
    assert done["op"] == "done", done
    assert ground.inside("stat", "-c", "%u:%g %a", "/tmp/owned") == "1234:77 644"
    mine.close()


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("/nowhere/at/all", "/nowhere/at/all: there is no such folder: choose another"),
        ("/app/a.txt", "/app/a.txt: this is no folder"),
    ],
)
def test_a_folder_that_is_none_is_what_is_said(ground: Ground, folder: str, said: str) -> None:
    """Not the file that was to go there."""
    with ground.route() as socket:
        heard = put(ground, socket, "new", b"x", folder=folder)
    assert heard["code"] == "file-refused"
    assert heard["message"].startswith(said)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size": LIMIT + 1}, "file-too-large"),
        ({"folder": "/nowhere"}, "file-refused"),
        ({"folder": "/app/a.txt"}, "file-refused"),
        ({"name": "folder"}, "file-refused"),
        ({"folder": "/proc"}, "file-refused"),
        ({"name": "../x"}, "bad-request"),
        ({"name": ".."}, "bad-request"),
        ({"name": ""}, "bad-request"),
        ({"name": "n" * 256}, "bad-request"),
        ({"name": "a\0b"}, "bad-request"),
        ({"name": None}, "bad-request"),
        ({"folder": "app"}, "bad-request"),
        ({"size": -1}, "bad-request"),
        ({"size": 1.5}, "bad-request"),
        ({"size": True}, "bad-request"),
        ({"size": 2**60}, "bad-request"),
        ({"session": "0" * 16}, "no-such-terminal"),
        ({"session": 5}, "bad-request"),
        ({"op": "get"}, "bad-message"),
    ],
)
def test_what_is_refused_before_it_begins(ground: Ground, changes: Any, code: str) -> None:
    """By a sentence; the socket stays and takes the next file."""
    with ground.route() as socket:
        socket.send(ask(ground, "new", 3, **changes))
        heard = hear(socket)
        assert (heard["op"], heard["code"]) == ("error", code), heard
        assert heard["message"]
        assert put(ground, socket, "after", b"all is well")["op"] == "done"


def test_what_is_in_memory_can_be_reached(ground: Ground) -> None:
    """The engine's own archives would put it where nobody finds it."""
    with ground.route() as socket:
        for folder in ("/mem", "/app/mem", "/dev/shm"):
            assert put(ground, socket, "m", b"x" * 600, folder=folder)["op"] == "done"
            assert ground.inside("wc", "-c", f"{folder}/m").split()[0] == "600"
            assert ground.me.ask("GET", ground.path(f"{folder}/m")).content == b"x" * 600
    assert ground.me.ask("GET", ground.path("/proc/1/cmdline")).content.startswith(b"sleep\0")


def test_the_engine_goes_on_while_a_file_waits(ground: Ground, docker_client: Any) -> None:
    """A slow page holds up nothing but its own file."""
    with ground.route() as socket:
        socket.send(ask(ground, "slow", MIB))
        assert hear(socket)["op"] == "go"
        socket.send(b"a" * CHUNK)
        assert hear(socket)["op"] == "got"
        other = ground.me.terminal(ground.container.name).ready()
        other.type("exit\n")
        other.ended(timeout=10)
        docker_client.containers.get(ground.container.id)


def parts_left(ground: Ground) -> str:
    return ground.inside("sh", "-c", "find / -xdev -name '.cloudbang-*' 2>/dev/null")


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ('{"op":"cancel"}', "cancelled"),
        ('{"op":"put"}', "put"),
        (b"x" * (CHUNK + 1 - 1), "more bytes"),
    ],
)
def test_a_file_that_breaks_off_is_told(ground: Ground, then: Any, words: str) -> None:
    """What was there before stays, and nothing else."""
    ground.inside("sh", "-c", "echo before > /app/half")
    with ground.route() as socket:
        socket.send(ask(ground, "half", CHUNK + 5))
        assert hear(socket)["op"] == "go"
        socket.send(b"a" * CHUNK)
        assert hear(socket) == {"op": "got", "offset": CHUNK}
        socket.send(then)
        heard = hear(socket)
        assert (heard["op"], heard["code"]) == ("error", "not-whole")
        assert words in heard["message"]
        assert "/app/half" in heard["message"]
        assert ground.inside("cat", "/app/half") == "before"
        assert parts_left(ground) == ""
        socket.send(b"late")  # it was on its way already
        assert put(ground, socket, "half", b"whole again")["op"] == "done"
    assert ground.inside("cat", "/app/half") == "whole again"


def test_a_page_that_leaves_in_the_middle(ground: Ground) -> None:
    """What had arrived goes, too."""
    with ground.route() as socket:
        socket.send(ask(ground, "left", MIB))
        assert hear(socket)["op"] == "go"
        socket.send(b"a" * CHUNK)
        assert hear(socket)["op"] == "got"
        assert parts_left(ground) != ""
    wait_until(lambda: parts_left(ground) == "", what="the beginning of a file to go")
    assert "No such file" in ground.inside("cat", "/app/left")


def test_a_message_that_is_too_large(ground: Ground) -> None:
    """More than 256 KiB at once ends the socket."""
    with ground.route() as socket:
        socket.send(ask(ground, "big", MIB))
        assert hear(socket)["op"] == "go"
        assert closing(socket, b"x" * (CHUNK + 1)) == 1009


def test_who_signs_out_loses_the_file(ground: Ground) -> None:
    """In the middle: closed with 4401, and it breaks off."""
    other = ground.me.account("leaver", "admin")
    shell = other.terminal(ground.container.name).ready()
    with ground.route(other) as socket:
        socket.send(ask(ground, "gone", MIB, session=shell.session))
        assert hear(socket)["op"] == "go"
        socket.send(b"a" * CHUNK)
        assert hear(socket)["op"] == "got"
        assert other.ask("DELETE", "/session").status_code == 204
        assert closing(socket) == 4401
    wait_until(lambda: parts_left(ground) == "", what="the beginning of a file to go")
    shell.close()
    other.client.close()


def test_a_terminal_that_ends_in_the_middle(ground: Ground) -> None:
    """Nobody may type there any more."""
    shell = ground.me.terminal(ground.container.name).ready()
    with ground.route() as socket:
        socket.send(ask(ground, "ends", MIB, session=shell.session))
        assert hear(socket)["op"] == "go"
        socket.send(b"a" * CHUNK)
        assert hear(socket)["op"] == "got"
        shell.type("exit\n")
        shell.ended()
        socket.send(b"a" * CHUNK)
        assert hear(socket)["code"] == "not-whole"


def test_guests(ground: Ground) -> None:
    """Who may type may move files, until they may not; who watches may not."""
    guest = ground.me.account("guest")
    links = f"/terminals/{ground.session}/links"
    with ground.route(guest) as socket:
        assert put(ground, socket, "g", b"x")["code"] == "no-such-terminal"
        assert guest.ask("GET", ground.path("/app/a.txt")).status_code == 404
        watching = guest.back(ground.session, key=ground.me.made(links, {"mode": "watch"})["key"])
        assert put(ground, socket, "g", b"x")["code"] == "not-allowed"
        assert guest.ask("GET", ground.path("/app/a.txt")).status_code == 403
        watching.close()
        typing = guest.back(ground.session, key=ground.me.made(links, {"mode": "type"})["key"])
        assert put(ground, socket, "g", b"x")["op"] == "done"
        assert guest.ask("GET", ground.path("/app/a.txt")).content == b"hello\n"
        socket.send(ask(ground, "g", MIB))
        assert hear(socket)["op"] == "go"
        ground.terminal.say("take")
        typing.wait_op("mode", mode="watch")
        socket.send(b"a" * CHUNK)
        heard = hear(socket)
        assert (heard["op"], heard["code"]) == ("error", "not-whole")
        assert "may type" in heard["message"]
        typing.close()
    assert ("guest", "file-put") in ground.actions()
    guest.client.close()


def test_another_admin_has_a_terminal_of_their_own(ground: Ground) -> None:
    """They see it and end it; what is typed and moved there is its owner's."""
    eve = ground.me.account("eve", "admin")
    with ground.route(eve) as socket:
        assert put(ground, socket, "e", b"x")["code"] == "not-allowed"
    answer = eve.ask("GET", ground.path("/app/a.txt"))
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    eve.client.close()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("", 400, "bad-request"),
        ("/nothing", 409, "file-refused"),
        ("/app/pipe", 409, "file-refused"),
        ("/app/broken", 409, "file-refused"),
        ("/app/a.txt/", 409, "file-refused"),
        ("/dev/zero", 409, "file-refused"),
        ("/app/large", 413, "file-too-large"),
        ("/a\0b", 400, "bad-request"),
    ],
)
def test_what_cannot_be_fetched(ground: Ground, path: str, status: int, code: str) -> None:
    """A sentence, before anything is sent."""
    ground.inside("sh", "-c", "mkfifo /app/pipe; ln -sf /nothing /app/broken")
    ground.inside("dd", "if=/dev/zero", "of=/app/large", "bs=1", "count=0", f"seek={LIMIT + 1}")
    answer = ground.me.ask("GET", ground.path(path))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"]


def test_a_folder_that_is_too_large(ground: Ground) -> None:
    """A sentence. Where only the way shows it (links to one file are not added up), the answer is
    cut, so that no part passes for the whole."""
    ground.inside("sh", "-c", f"mkdir -p /app/huge; head -c {LIMIT + 1} /dev/urandom > /app/huge/x")
    answer = ground.me.ask("GET", ground.path("/app/huge"))
    assert (answer.status_code, answer.json()["code"]) == (413, "file-too-large")
    ground.inside("ln", "/app/huge/x", "/app/huge/y")
    with pytest.raises(Exception, match=r"peer closed|incomplete|disconnected"):
        ground.me.ask("GET", ground.path("/app/huge"))
    assert ground.me.ask("GET", ground.path("/app/a.txt")).status_code == 200


def test_actions_are_events_of_the_app(ground: Ground) -> None:
    """Who put and fetched what kind of thing, for everybody who sees the app."""
    with ground.route() as socket:
        assert put(ground, socket, "event", b"x")["op"] == "done"
    ground.me.ask("GET", ground.path("/app/event"))
    assert [what for who, what in ground.actions() if who == "admin"][-2:] == [
        "file-put",
        "file-get",
    ]


def test_a_read_only_container(
    ground: Ground, docker_client: docker.DockerClient, image: str
) -> None:
    """Said before the file is sent."""
    container = docker_client.containers.run(
        image,
        ["sleep", "600"],
        detach=True,
        read_only=True,
        network_mode="none",
        labels={"cloudbang.test": RUN},
    )
    try:
        known(ground.server, container.name)
        shell: Terminal = ground.me.terminal(container.name).ready()
        with ground.route() as socket:
            heard = put(ground, socket, "x", b"y" * MIB, session=shell.session, folder="/tmp")
        assert (heard["op"], heard["code"]) == ("error", "file-refused")
        assert "read-only" in heard["message"]
        shell.close()
    finally:
        container.remove(force=True, v=True)


def test_nothing_of_it_is_logged(ground: Ground) -> None:
    """No content of a file and no ticket in what the server says."""
    said = ground.server.said(10**7)
    assert "Traceback" not in said, said
    assert "hello" not in said
