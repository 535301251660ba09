"""The terminal beside a container that has no shell, against the real engine."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import gevent
import pytest
from docker.models.containers import Container

from cloudbang.config import EngineSettings
from cloudbang.domain.terminals import ExitStatus, Size, TerminalRequest, TerminalTarget
from cloudbang.engine import Engine
from cloudbang.engine.images import _step
from cloudbang.errors import EngineRefused, NoSuchContainer
from cloudbang.node.terminals.debug_container import (
    LABEL,
    DebugContainerSource,
    _host_config,
    remove_debug_containers,
)
from cloudbang.node.terminals.reaper import Reaper
from tests.conftest import ContainerFactory
from tests.node.terminals.conftest import Shown, target_of
from tests.node.terminals.scripted_execs import ID, ScriptedExecs
from tests.support import patient, wait_until

Boxer = Callable[..., Shown]
TOOLBOX = TerminalRequest(kind="toolbox")


@pytest.fixture
def open_box(
    engine: Engine, reaper: Reaper, docker_client: docker.DockerClient, image: str
) -> Iterator[Boxer]:
    made: list[Shown] = []

    def start(target: Container, *command: str, session: str = "", box: str = image) -> Shown:
        asked = target_of(
            target, *command, session=session or uuid.uuid4().hex[:16], kind="toolbox"
        )
        shown = Shown(DebugContainerSource(engine, asked, reaper, box))
        shown.source.start(Size())
        made.append(shown)
        return shown

    yield start
    for shown in made:
        reading = gevent.spawn(shown.rest, 30)
        shown.source.end()
        reading.get()
        assert _boxes(docker_client, shown) == []


def _boxes(client: docker.DockerClient, shown: Shown) -> list[Container]:
    label = f"{LABEL}={shown.source._target.session}"
    return client.containers.list(all=True, filters={"label": label}, ignore_removed=True)


@pytest.fixture
def target(container: ContainerFactory, static_image) -> Container:
    """One without a shell, that shares its IPC."""
    return container(
        ["/bin/copy"], image=static_image("/bin/copy"), stdin_open=True, ipc_mode="shareable"
    )


def test_it_sees_processes_files_and_network(
    target: Container, open_box: Boxer, docker_client: docker.DockerClient
) -> None:
    """What was typed while it was made reaches the shell."""
    shown = open_box(target)
    shown.source.write(b"pwd; ls bin/\r")
    said = shown.until(b"\r\n").decode()
    assert f"The files of {target.name} are under /proc/1/root." in said
    assert f"{target.name} 的文件在 /proc/1/root 下。" in said
    assert b"getcwd" not in shown.until(b"\r\n/proc/1/root\r\ncopy\r\n")
    shown.run(
        "tr '\\0' ' ' </proc/1/cmdline; echo; ls -A /sys/class/net | tr '\\n' ' '; echo e''nd"
    )
    assert b"/bin/copy" in shown.until(b"end")
    box = _boxes(docker_client, shown)[0]
    host = box.attrs["HostConfig"]
    joined = f"container:{target.id}"
    assert (host["PidMode"], host["NetworkMode"], host["IpcMode"]) == (joined, joined, joined)
    assert box.labels["cloudbang.hidden"] == "true"
    # A folder of the target is one to put files into; the toolbox's own are not.
    assert shown.source.folder() == "/"
    shown.run("cd bin; echo th''ere")
    shown.until(b"there")
    assert shown.source.folder() == "/bin"
    shown.run("cd /tmp; echo ou''t")
    shown.until(b"out")
    assert shown.source.folder() == ""
    shown.run("exit 9")
    assert shown.result() == ExitStatus("exit", 9)
    wait_until(lambda: _boxes(docker_client, shown) == [], 5, "its removal")


def test_a_private_ipc_is_said_and_not_joined(
    container: ContainerFactory, open_box: Boxer, docker_client: docker.DockerClient
) -> None:
    target = container(ipc_mode="private")
    shown = open_box(target, "sh", "-c", "echo it runs; id -u")
    text = shown.rest().decode()
    assert "keeps its inter-process communication (IPC) to itself: not joined." in text
    assert text.endswith("it runs\r\n0\r\n")


def test_beside_the_machines_processes_it_is_not_root_of_the_machine(
    container: ContainerFactory, open_box: Boxer, docker_client: docker.DockerClient
) -> None:
    """As an exec in the target itself: the processes are seen, their files and memory are not."""
    target = container(["sleep", "1000000"], pid_mode="host")
    with subprocess.Popen(["sleep", "100"]) as outside:
        try:
            for there in ("root/etc", "cwd/", "environ"):
                look = [
                    "sh",
                    "-c",
                    f"ls /proc/{outside.pid}/{there} && cat /proc/{outside.pid}/{there}",
                ]
                assert b"denied" in target.exec_run(look).output
                said = open_box(target, *look).rest()
                assert b"shares its processes" in said
                assert b"denied" in said, said
                assert b"passwd" not in said
            seen = open_box(
                target, "sh", "-c", f"cat /proc/{outside.pid}/comm; ls /proc/*/root/bin"
            )
            said = seen.rest()
            assert b"sleep" in said
        finally:
            outside.kill()


@pytest.mark.parametrize(
    ("options", "added", "dropped"),
    [
        ({}, ["SYS_PTRACE"], []),
        ({"pid_mode": "host"}, [], []),
        ({"network_mode": "host", "ipc_mode": "host"}, ["SYS_PTRACE"], []),
        ({"privileged": True}, ["SYS_PTRACE"], []),
        ({"privileged": True, "pid_mode": "host"}, [], []),
        ({"cap_add": ["SYS_ADMIN", "NET_ADMIN"]}, ["SYS_PTRACE"], []),
        ({"cap_drop": ["CAP_NET_RAW", "mknod"]}, ["SYS_PTRACE"], ["MKNOD", "NET_RAW"]),
        (
            {"cap_drop": ["ALL"], "cap_add": ["CHOWN", "SYS_ADMIN"]},
            ["CHOWN", "SYS_PTRACE"],
            ["ALL"],
        ),
        ({"cap_drop": ["ALL"], "pid_mode": "host"}, [], ["ALL"]),
        ({"cap_drop": ["SYS_PTRACE"]}, ["SYS_PTRACE"], []),
    ],
)
def test_it_may_do_no_more_than_its_target(
    container: ContainerFactory,
    engine: Engine,
    options: dict[str, Any],
    added: list[str],
    dropped: list[str],
) -> None:
    """But see the files of its target, where nothing else can be seen by the same right."""
    target = container(["sleep", "1000000"], start=False, **options)
    host = _host_config(engine.container_state(str(target.id)))
    assert (host["CapAdd"], host["CapDrop"]) == (added, dropped)
    assert not host.get("Privileged")


def test_beside_one_that_has_dropped_everything(
    container: ContainerFactory, open_box: Boxer
) -> None:
    """The toolbox has dropped it, too, and still sees its files."""
    target = container(["sleep", "1000000"], cap_drop=["ALL"], user="1234")
    said = open_box(
        target, "sh", "-c", "ls /proc/1/root/bin/sh; grep CapEff /proc/self/status"
    ).rest()
    assert b"/proc/1/root/bin/sh" in said
    assert b"0000000000080000" in said  # SYS_PTRACE alone


def test_its_processes_end_with_it_and_the_targets_stay(target: Container, open_box: Boxer) -> None:
    shown = open_box(target)
    shown.until(b"# ")
    shown.run("trap '' HUP; sleep 4242 & echo be''gun; while :; do sleep 0.1; done")
    shown.until(b"begun")
    reader = gevent.spawn(shown.rest)
    shown.source.end()
    reader.get(timeout=patient(5))
    left = target.top(ps_args="-eo pid,args")["Processes"]
    assert [row[1] for row in left] == ["/bin/copy"]


@pytest.mark.parametrize(("how", "reason"), [("kill", "stopped"), ("remove", "removed")])
def test_the_targets_end_is_said(target: Container, open_box: Boxer, how: str, reason: str) -> None:
    shown = open_box(target)
    shown.until(b"# ")
    if how == "kill":
        target.kill()
    else:
        target.remove(force=True)
    assert shown.result().reason == f"container-{reason}"


def test_an_image_that_cannot_be_fetched_is_a_sentence(target: Container, open_box: Boxer) -> None:
    shown = open_box(target, box="127.0.0.1:9/no/such:1")
    text = shown.rest().decode()
    assert "Fetching 127.0.0.1:9/no/such:1" in text
    end = shown.source.result()
    assert end.reason == "not-started"
    assert "no toolbox of 127.0.0.1:9/no/such:1: " in end.message
    assert "connection refused" in end.message


def test_a_registry_that_falls_silent_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine goes on to say nothing for as long as that does."""
    monkeypatch.setattr("cloudbang.engine.images.SILENT", 1.0)
    monkeypatch.setattr("cloudbang.engine.images.LOOK", 0.1)
    scripted = ScriptedExecs(tmp_path)
    scripted.pulls = [
        {"id": "1", "status": "Downloading", "progressDetail": {"current": 1, "total": 1_000_000}}
    ]
    engine = Engine(EngineSettings(host=scripted.host))
    reaper = Reaper(engine)
    reaper.start()
    try:
        target = TerminalTarget("5" * 16, "default", "web", ID, "web", request=TOOLBOX)
        shown = Shown(DebugContainerSource(engine, target, reaper, "registry.example/silent:1"))
        shown.source.start(Size())
        assert b"0.0 / 1.0 MB" in shown.rest()
        end = shown.source.result()
        assert end.reason == "not-started"
        assert end.message.endswith("nothing came for 1 s"), end
    finally:
        reaper.stop()
        engine.close()
        scripted.close()


@pytest.mark.parametrize("line", [b"<html>", b"[1]", b'{"progressDetail": {"current": "x"}}'])
def test_progress_that_nobody_understands_is_refused_in_words(line: bytes) -> None:
    with pytest.raises(EngineRefused, match="nobody understands"):
        _step(line, "the image x")


def test_an_image_without_a_shell_is_a_sentence(
    target: Container, open_box: Boxer, static_image
) -> None:
    shown = open_box(target, box=static_image("/bin/copy"))
    shown.rest()
    end = shown.source.result()
    assert end.reason == "not-started"
    assert "executable file not found" in end.message


def test_an_end_in_the_beginning_leaves_nothing(target: Container, open_box: Boxer) -> None:
    """The fixture looks whether its container has gone."""
    for _ in range(3):
        shown = open_box(target)
        reader = gevent.spawn(shown.rest)
        gevent.joinall([gevent.spawn(shown.source.end) for _ in range(2)], raise_error=True)
        reader.get(timeout=patient(5))


def test_who_removes_what_is_being_removed_waits_until_it_has_gone(
    target: Container, engine: Engine
) -> None:
    """Whoever ends a toolbox and its own beginning may remove it at the same time."""

    def remove() -> bool:
        engine.remove_container(str(target.id))
        try:
            engine.container_state(str(target.id))
        except NoSuchContainer:
            return True
        return False

    removing = [gevent.spawn(remove) for _ in range(4)]
    gevent.joinall(removing, timeout=patient(20), raise_error=True)
    assert [one.value for one in removing] == [True] * 4


def test_toolboxes_of_a_killed_server_are_removed_others_stay(
    target: Container, open_box: Boxer, engine: Engine, docker_client: docker.DockerClient
) -> None:
    """Only those of the sessions that are named: another server has its own."""
    mine, theirs = open_box(target), open_box(target)
    for shown in (mine, theirs):
        shown.until(b"# ")
    assert (
        remove_debug_containers(engine, {mine.source._target.session, "f" * 16}.__contains__)
        == set()
    )
    assert _boxes(docker_client, mine) == []
    assert len(_boxes(docker_client, theirs)) == 1
    assert remove_debug_containers(engine, lambda session: False) == set()
    assert len(_boxes(docker_client, theirs)) == 1
