"""Files of containers that are not as most are: another sh, another PATH, devices, folders that
change while they are read."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import docker
import pytest

from tests.conftest import RUN
from tests.terminal_support import Terminal, known
from tests.web.sockets.files_support import Ground, put

Odd = Callable[..., tuple[Any, Terminal]]


@pytest.fixture(scope="module")
def ground(files_ground: Ground) -> Ground:
    return files_ground


@contextmanager
def odd_one(
    ground: Ground, client: docker.DockerClient, first: str, command: str | None, **options: Any
) -> Iterator[tuple[Any, Terminal]]:
    """A container in which ``first`` was done, and a terminal in it."""
    with ExitStack() as ends:
        one = client.containers.run(
            command=["/bin/sleep", "1000000"],
            name=f"odd-{uuid.uuid4().hex[:8]}",
            detach=True,
            network_mode="none",
            labels={"cloudbang.test": RUN},
            **options,
        )
        ends.callback(one.remove, force=True, v=True)
        if first:
            done = one.exec_run(["/bin/sh", "-c", first])
            assert done.exit_code == 0, done.output
        known(ground.server, one.name)
        shell = ground.me.terminal(one.name, command)
        ends.callback(shell.close)
        yield one, shell


@pytest.fixture
def odd(ground: Ground, docker_client: docker.DockerClient, image: str) -> Iterator[Odd]:
    """``odd("what is done in it first", command=…, image=…)``: a container and a terminal in it."""
    with ExitStack() as ends:

        def start(first: str = "", command: str | None = None, **options: Any) -> Any:
            made = odd_one(ground, docker_client, first, command, **{"image": image, **options})
            return ends.enter_context(made)

        yield start


# Its sh does what the file /says has in it.
LIAR = """
printf '#!/bin/busybox ash\\n. /says\\n' > /bin/new; chmod 755 /bin/new; mv /bin/new /bin/sh
"""


@pytest.fixture(scope="module")
def liar(
    files_ground: Ground, docker_client: docker.DockerClient, image: str
) -> Iterator[tuple[Any, Terminal]]:
    """One for all that it may say."""
    with odd_one(files_ground, docker_client, LIAR, "/bin/ash", image=image) as made:
        yield made


@pytest.mark.parametrize(
    "says",
    [
        r"printf 'file abc\n'",
        r"printf 'file \xff\n'",
        r"printf 'ready\n'",
        r"printf 'file -5\n'; echo hello",
        r"printf 'file 1 1\n'",
        r"printf 'file ٣\n'",
        r"printf 'file 99999999999999999999999999\n'",
        r"printf 'folder 3\n'",
        r"printf '\n'",
        r"printf '\033[2J\0\n'",
        r"yes x | busybox head -c 1000 | busybox tr -d '\n'",
        "exit 0",
        "exit 3",
        "yes 'and on it goes' >&2",
    ],
)
def test_a_sh_that_says_something_else(
    ground: Ground, liar: tuple[Any, Terminal], says: str
) -> None:
    """A sentence, in both directions, at once; and never what it says as a number."""
    one, shell = liar
    one.exec_run(["/bin/ash", "-c", 'printf %s "$1" > /says', "ash", says])
    answer = ground.me.ask("GET", ground.path("/etc/passwd", shell.session))
    assert (answer.status_code, answer.json()["code"]) == (409, "file-refused"), answer.text
    assert answer.json()["detail"].isprintable()
    if "ready" in says:
        return
    with ground.route() as socket:
        heard = put(ground, socket, "x", b"y", session=shell.session)
    assert heard["code"] == "file-refused"


def test_a_sh_that_never_ends_what_it_says(ground: Ground, liar: tuple[Any, Terminal]) -> None:
    """A file that is put in is given up, and leaves its place to others."""
    one, shell = liar
    says = "echo ready; busybox head -c 1 > /dev/null; yes 'and on it goes' >&2"
    one.exec_run(["/bin/ash", "-c", 'printf %s "$1" > /says', "ash", says])
    with ground.route() as socket:
        heard = put(ground, socket, "x", b"y", session=shell.session)
    assert heard["op"] == "error"
    assert heard["code"] in ("file-refused", "not-whole")


def test_a_path_that_leads_nowhere(ground: Ground, odd: Odd) -> None:
    """A shell that is there is found, for a terminal and for files, and it knows its programs."""
    one, shell = odd(environment={"PATH": "/opt/none"})
    assert shell.run("echo up").strip().endswith("\nup")
    answer = ground.me.ask("GET", ground.path("/etc/passwd", shell.session))
    assert (answer.status_code, answer.content[:5]) == (200, b"root:")
    with ground.route() as socket:
        done = put(ground, socket, "x", b"y", session=shell.session, folder="/tmp")
    assert done["op"] == "done"
    assert one.exec_run(["/bin/cat", "/tmp/x"]).output == b"y"


@pytest.mark.parametrize("name", ["null", "pipe", "leads"])
def test_only_a_file_is_replaced(ground: Ground, odd: Odd, name: str) -> None:
    """Not a device, a pipe, or a link to one."""
    one, shell = odd("mkfifo /dev/pipe; ln -s null /dev/leads; ln -s gone /dev/broken")
    with ground.route() as socket:
        heard = put(ground, socket, name, b"x", session=shell.session, folder="/dev")
        assert (heard["op"], heard["code"]) == ("error", "file-refused")
        assert "device" in heard["message"]
        assert (
            put(ground, socket, "broken", b"x", session=shell.session, folder="/dev")["op"]
            == "done"
        )
    assert one.exec_run(["/bin/sh", "-c", "[ -c /dev/null ] && [ -p /dev/pipe ]"]).exit_code == 0


# --- folders that cannot be read as a whole -----------------------------------------------------------


@pytest.fixture(params=["busybox", "gnu"])
def kind_of_image(request: pytest.FixtureRequest) -> str:
    name = "gnu_image" if request.param == "gnu" else "image"
    return str(request.getfixturevalue(name))


def taken(ground: Ground, path: str, shell: Terminal) -> dict[str, bytes]:
    """The files of an archive that came to its end, by name."""
    answer = ground.me.ask("GET", ground.path(path, shell.session))
    assert answer.status_code == 200, answer.text
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        files = ((one.name, archive.extractfile(one)) for one in archive if one.isreg())
        return {name: file.read() for name, file in files if file}


def test_what_may_not_be_read_is_named(ground: Ground, odd: Odd, kind_of_image: str) -> None:
    """The rest of the folder comes as it is, to its end."""
    one, _ = odd(
        "mkdir /d; for n in 1 2 3 4 5 6; do echo $n > /d/$n; done; chmod 600 /d/3; mkdir -m 700 /d/x",
        image=kind_of_image,
    )
    mine = ground.me.terminal(one.name, user="1234")
    found = taken(ground, "/d", mine)
    mine.close()
    said = found.pop("cloudbang-not-whole.txt").decode()
    assert "./d/3" in said
    assert "./d/x" in said
    assert "ermission denied" in said
    assert found == {f"./d/{n}": f"{n}\n".encode() for n in (1, 2, 4, 5, 6)}


def test_a_folder_that_is_being_written_is_whole(ground: Ground, odd: Odd, gnu_image: str) -> None:
    """tar says that it was, and it is told on."""
    one, shell = odd("mkdir /d; for n in 1 2 3 4 5; do head -c 999999 /dev/zero > /d/$n; done",
                     image=gnu_image)  # fmt: skip
    one.exec_run(["sh", "-c", "while :; do touch /d/1 /d/2 /d/3 /d/4 /d/5; done"], detach=True)
    found = taken(ground, "/d", shell)
    said = found.pop("cloudbang-changed.txt").decode()
    assert "file changed as we read it" in said
    assert found == {f"./d/{n}": bytes(999_999) for n in range(1, 6)}
