"""What an engine says of a release that does not serve, as it was seen to say it."""

from __future__ import annotations

import pytest

from cloudbang.domain.deploy.failure import (
    SENTENCES,
    Ended,
    Failure,
    Task,
    failure_of_pull,
    failure_of_task,
    taken_port,
    worst,
)


def task(
    state: str, error: str = "", *, code: int | None = None, container: str = "c" * 64
) -> Task:
    status: dict[str, object] = {"State": state, "Err": error, "Timestamp": "t"}
    if container:
        status["ContainerStatus"] = {"ContainerID": container, "ExitCode": code or 0}
    return Task.of({"ID": "x", "Slot": 1, "DesiredState": "running", "Status": status})


START = "starting container failed: "
NO_COMMAND = (
    START
    + "failed to create shim task: OCI runtime create failed: runc create failed: unable to start "
    'container process: exec: "/no/such": stat /no/such: no such file or directory: unknown'
)
DENIED = START + 'OCI runtime create failed: exec: "/etc/passwd": permission denied: unknown'
BOUND = (
    START
    + "driver failed programming external connectivity on endpoint web: Error starting userland "
    "proxy: listen tcp4 0.0.0.0:8099: bind: address already in use"
)
PATH = 'invalid mount config for type "bind": bind source path does not exist: /srv/none'


@pytest.mark.parametrize(
    ("told", "ended", "kind", "code"),
    [
        (task("rejected", "No such image: web:9", container=""), None, "image-not-found", None),
        (task("rejected", PATH, container=""), None, "path-missing", None),
        (task("failed", "task: non-zero exit (1)", code=1), Ended(1, ran=0.1), "exited", 1),
        (task("failed", "task: non-zero exit (1)", code=1), None, "exited", 1),
        (task("complete"), Ended(0, ran=2), "exited", 0),
        (task("complete"), Ended(0, unhealthy=True, output="no\n"), "unhealthy", None),
        (task("failed", "task: non-zero exit (137): dockerexec: unhealthy container", code=137), None,
         "unhealthy", 137),
        (task("failed", "task: non-zero exit (137)", code=137), Ended(137, oom_killed=True),
         "out-of-memory", 137),
        (task("starting"), Ended(0, unhealthy=True), "unhealthy", None),
        (task("failed", BOUND, code=128), Ended(128, error=BOUND), "port-taken", 128),
        (task("failed", NO_COMMAND, code=127), Ended(127, error=NO_COMMAND), "command-not-found", 127),
        (task("failed", DENIED, code=126), None, "command-not-found", 126),
        (task("failed", START + "oh", code=127), None, "command-not-found", 127),
        (task("rejected", "write /var/lib/docker: no space left on device"), None, "disk-full", 0),
    ],
)  # fmt: skip
def test_the_faults_of_a_task(told, ended, kind, code):
    failure = failure_of_task(told, ended)
    assert failure is not None
    assert (failure.kind, failure.exit_code) == (kind, code)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("no suitable node (insufficient resources on 1 node)", "no-room"),
        ("no suitable node (host-mode port already in use on 1 node)", "port-taken"),
    ],
)
def test_a_task_that_no_node_takes(error, kind):
    """It waits for ever; for two seconds that may be another one's going."""
    waiting = task("pending", error, container="")
    assert failure_of_task(waiting, waited=1.0) is None
    failure = failure_of_task(waiting, waited=2.5)
    assert failure is not None
    assert failure.kind == kind


def test_what_is_no_fault_of_a_release():
    """A task on its way, one that went with its engine, one that was stopped by somebody."""
    for told in (
        task("preparing", container=""),
        task("pending", container=""),
        task("running"),
        task("shutdown"),
        task("failed", "No such container: web-r1.1.x"),
    ):
        assert failure_of_task(told, waited=60) is None


def test_a_release_command_that_ends_with_0_is_done():
    assert failure_of_task(task("complete"), Ended(0), one_off=True) is None
    failure = failure_of_task(task("failed", code=4), Ended(4, ran=1.5), one_off=True)
    assert failure == Failure("exited", "", 4, 1.5)


@pytest.mark.parametrize(
    ("said", "status", "kind"),
    [
        ("manifest for nginx:none not found: manifest unknown: manifest unknown", 404,
         "image-not-found"),
        ("pull access denied for nope, repository does not exist or may require 'docker login': "
         "denied: requested access to the resource is denied", 404, "image-not-found"),
        ("Get https://r.example.com/v2/: unauthorized: authentication required", 500,
         "registry-refused"),
        ("Head \"https://r/v2/x/manifests/1\": no basic auth credentials", 500, "registry-refused"),
        ("Get https://r.example.com/v2/: dial tcp: lookup r.example.com: no such host", 500,
         "registry-unreachable"),
        ("Get http://127.0.0.1:5000/v2/: dial tcp 127.0.0.1:5000: connect: connection refused", 500,
         "registry-unreachable"),
        ("unexpected EOF", 500, "registry-unreachable"),
        ("nothing came for 120 s", 504, "registry-unreachable"),
        ("failed to register layer: write /x: no space left on device", 500, "disk-full"),
        ("toomanyrequests: You have reached your pull rate limit", 500, "registry-refused"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", 500,
         "image-not-found"),
        ("invalid reference format: repository name must be lowercase", 400, "image-not-found"),
        ("something that nobody has seen", 404, "image-not-found"),
        ("something that nobody has seen", 500, "registry-unreachable"),
    ],
)  # fmt: skip
def test_the_faults_of_a_pull(said, status, kind):
    assert failure_of_pull(said, status).kind == kind


def test_of_several_the_one_that_explains_most():
    """Out of memory rather than that it exited."""
    exited, memory = Failure("exited", exit_code=137), Failure("out-of-memory")
    assert worst([None, exited, memory, None]) is memory
    assert worst([None]) is None


def test_every_class_has_a_sentence():
    """As the contract lists them."""
    assert set(SENTENCES) == {
        "image-not-found", "registry-refused", "registry-unreachable", "build-failed",
        "command-not-found", "exited", "unhealthy", "out-of-memory", "port-taken", "path-missing",
        "no-room", "release-command-failed", "disk-full", "engine-away", "timed-out",
    }  # fmt: skip
    for sentence in SENTENCES.values():
        sentence.format(what="a", said="b", exit_code=1, after="2 s")


def test_a_task_is_read_with_its_address_on_one_network():
    told = {
        "ID": "t1",
        "Slot": 2,
        "DesiredState": "running",
        "Status": {"State": "running", "Timestamp": "t", "ContainerStatus": {"ContainerID": "c"}},
        "NetworksAttachments": [
            {"Network": {"ID": "n1"}, "Addresses": ["10.0.1.4/24"]},
            {"Network": {"ID": "n2"}, "Addresses": ["10.0.2.7/24"]},
        ],
    }
    assert Task.of(told, "n2").address == "10.0.2.7"
    assert Task.of(told).address == "10.0.1.4"
    assert Task.of({}).state == ""


@pytest.mark.parametrize(
    ("said", "port"),
    [
        (BOUND, 8099),
        ("Bind for 0.0.0.0:8180 failed: port is already allocated", 8180),
        ("driver failed: Bind for :::8181 failed: port is already allocated", 8181),
        (
            "failed to bind host port for 0.0.0.0:8180:172.18.0.3:80/tcp: address already in use",
            8180,
        ),
        ("failed to bind host port for [::]:8180:[fd00::3]:80/tcp: address already in use", 8180),
        ("failed to bind host port 127.0.0.1:53/udp: address already in use", 53),
        ("no suitable node (host-mode port already in use on 1 node)", None),
        ("listen tcp4 0.0.0.0:8099: bind: permission denied", None),
    ],
)
def test_the_port_that_somebody_has(said: str, port: int | None) -> None:
    """Each engine says it in other words."""
    assert taken_port(said) == port
