"""Files of a container without a shell, through the toolbox beside it."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any
from urllib.parse import quote

import docker
import pytest

from tests.conftest import RUN
from tests.socket_client import open_socket
from tests.terminal_support import MIB, Person, known
from tests.web.sockets.files_support import hear

# As /var/run leads to /run: what begins with a slash begins in the container itself, not in the
# toolbox, which has an /etc and a /bin of its own and no /data.
LINKS = {
    "app/link": "/data",
    "app/far": "/app/../app/link/./../data/there",
    "app/bin": "/bin",
    "app/round": "/app/round",
    "app/back": "../../../data",
}


@pytest.fixture(scope="module")
def bare(docker_client: docker.DockerClient, image: str) -> str:
    """An image without a shell: its only program sleeps."""
    made = docker_client.containers.create(image)
    pieces, _ = made.get_archive("/bin/busybox")
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        program = archive.extractfile("busybox")
        assert program
        content = program.read()
    made.remove()
    root = io.BytesIO()
    with tarfile.open(fileobj=root, mode="w") as archive:
        for name, body, mode in (
            ("bin/sleep", content, 0o755),
            ("app/a.txt", b"in it\n", 0o644),
            ("data/there", b"data\n", 0o644),
        ):
            head = tarfile.TarInfo(name)
            head.size, head.mode = len(body), mode
            archive.addfile(head, io.BytesIO(body))
        for name, leads_to in LINKS.items():
            head = tarfile.TarInfo(name)
            head.type, head.linkname = tarfile.SYMTYPE, leads_to
            archive.addfile(head)
    docker_client.api.import_image_from_data(
        root.getvalue(), repository="cloudbang-test/bare", tag="1"
    )
    return "cloudbang-test/bare:1"


def test_an_image_without_a_shell(
    new_server: Any, docker_client: docker.DockerClient, bare: str, image: str
) -> None:
    """Nothing inside could move a file: that is said; a toolbox moves it."""
    container = docker_client.containers.run(
        bare,
        ["/bin/sleep", "600"],
        detach=True,
        network_mode="none",
        labels={"cloudbang.test": RUN},
        stop_signal="KILL",
    )
    server = new_server({"CLOUDBANG_TERMINAL_TOOLBOX_IMAGE": image})
    known(server, container.name)
    me = Person(server)
    try:
        with open_socket(
            f"ws://127.0.0.1:{server.port}/terminal_files",
            subprotocols=["cloudbang.files.v1"],  # type: ignore[list-item]
            additional_headers=me.headers,
        ) as socket:
            asleep = me.terminal(container.name, "/bin/sleep 60")
            asked = {"op": "put", "session": asleep.session, "folder": "/app", "name": "n"}
            socket.send(json.dumps({**asked, "size": 3}))
            heard = hear(socket)
            assert (heard["op"], heard["code"]) == ("error", "file-refused")
            assert "open a toolbox" in heard["message"]
            answer = me.ask("GET", f"/terminals/{asleep.session}/files?path=/app/a.txt")
            assert (answer.status_code, answer.json()["code"]) == (409, "file-refused")
            assert "open a toolbox" in answer.json()["detail"]

            box = me.terminal(container.name, kind="toolbox").ready(timeout=30)
            box.run("cd app")
            folder = me.got(f"/terminals/{box.session}/folder")["folder"]
            assert folder == "/app"
            socket.send(json.dumps({**asked, "session": box.session, "folder": folder, "size": 3}))
            assert hear(socket) == {"op": "go", "path": "/app/n", "window": MIB}
            socket.send(b"new")
            assert hear(socket)["op"] == "got"
            assert hear(socket) == {"op": "done", "path": "/app/n", "size": 3}
        for path, content in (("/app/a.txt", b"in it\n"), ("n", b"new")):
            answer = me.ask("GET", f"/terminals/{box.session}/files?path={quote(path)}")
            assert answer.content == content
        asleep.close()
        box.close()
    finally:
        me.client.close()
        container.remove(force=True, v=True)


def test_links_lead_where_the_container_has_them(
    new_server: Any, docker_client: docker.DockerClient, bare: str, image: str
) -> None:
    """Not into the toolbox, with which a file would vanish."""
    container = docker_client.containers.run(
        bare,
        ["/bin/sleep", "600"],
        detach=True,
        network_mode="none",
        labels={"cloudbang.test": RUN},
        stop_signal="KILL",
    )
    server = new_server({"CLOUDBANG_TERMINAL_TOOLBOX_IMAGE": image})
    known(server, container.name)
    me = Person(server)
    try:
        box = me.terminal(container.name, kind="toolbox").ready(timeout=30)

        def fetch(path: str) -> Any:
            return me.ask("GET", f"/terminals/{box.session}/files?path={quote(path)}")

        for path in ("/app/link/there", "/app/far", "/app/back/there", "/../data/./there"):
            assert fetch(path).content == b"data\n", path
        assert fetch("/app/bin/sh").json()["detail"].endswith("there is nothing here")
        assert "link" in fetch("/app/round/x").json()["detail"]
        for path, name in (("/app/link", "data"), ("/app", "app"), ("/data/../app/.", "app")):
            answer = fetch(path)
            with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
                names = archive.getnames()
            assert names[0] == f"./{name}", names
        with open_socket(
            f"ws://127.0.0.1:{server.port}/terminal_files",
            subprotocols=["cloudbang.files.v1"],  # type: ignore[list-item]
            additional_headers=me.headers,
        ) as socket:

            def put(folder: str, name: str) -> dict[str, Any]:
                asked = {"op": "put", "session": box.session, "folder": folder, "name": name}
                socket.send(json.dumps({**asked, "size": 3}))
                if (said := hear(socket))["op"] != "go":
                    return said
                socket.send(b"new")
                assert hear(socket)["op"] == "got"
                return hear(socket)

            assert put("/app/link", "n") == {"op": "done", "path": "/app/link/n", "size": 3}
            assert put("/app/bin", "sleeps")["op"] == "done"
            assert "folder of this name" in put("/app", "link")["message"]
            assert put("/app", "far")["op"] == "done"  # the link is replaced, not what it leads to
            assert "link" in put("/app/round", "x")["message"]
        for path in ("/data/n", "/bin/sleeps", "/app/far"):
            pieces, stat = container.get_archive(path)
            pieces.close()
            assert stat["size"] == 3, stat
        box.close()
    finally:
        me.client.close()
        container.remove(force=True, v=True)
