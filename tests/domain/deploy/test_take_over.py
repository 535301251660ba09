"""A container that runs as a specification, and what of it an app would not have."""

from __future__ import annotations

from typing import Any

import pytest

from cloudbang.domain.deploy import take_over as taking
from cloudbang.domain.deploy.not_honoured import ADDRESSES, LOGS, SWARM
from cloudbang.domain.deploy.run_line import read_run_line
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.domain.deploy.take_over import TakenOver, take_over

ID = "0123456789ab" + "c" * 52
IMAGE = {
    "Id": "sha256:" + "1" * 64,
    "RepoTags": ["shop:1", "nginx:latest"],
    "Config": {
        "Env": ["PATH=/bin"],
        "Cmd": ["nginx"],
        "Entrypoint": ["/entry"],
        "WorkingDir": "/srv",
        "Labels": {"maintainer": "somebody"},
        "StopSignal": "SIGQUIT",
        "Healthcheck": {"Test": ["CMD", "true"]},
    },
}


def container(
    config: dict[str, Any] | None = None,
    host: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """As an inspection has one that was started with nothing but an image."""
    return {
        "Id": ID,
        "Image": IMAGE["Id"],
        "Config": {"Image": "nginx", "Hostname": ID[:12], **IMAGE["Config"], **(config or {})},
        "HostConfig": {
            "NetworkMode": "default",
            "RestartPolicy": {"Name": "always"},
            "ShmSize": 67108864,
            "IpcMode": "private",
            "Runtime": "runc",
            "LogConfig": {"Type": "json-file", "Config": {}},
            "MemorySwappiness": -1,
            **(host or {}),
        },
        "NetworkSettings": {"Networks": {"bridge": {}}},
        **more,
    }


def taken(*args: Any, **more: Any) -> TakenOver:
    """Of an image that is there; what comes of it is a specification."""
    found = take_over(container(*args, **more), IMAGE, ["shared"])
    read_spec(found.spec)
    return found


def test_what_only_repeats_its_image_is_left_out() -> None:
    assert taken() == TakenOver({"image": "nginx"}, ())


@pytest.mark.parametrize(
    ("config", "written"),
    [
        ({"Cmd": ["nginx", "-x"]}, {"command": ["nginx", "-x"]}),
        ({"Entrypoint": ["/other"], "Cmd": None}, {"entrypoint": ["/other"]}),
        ({"Entrypoint": ["/o"], "Cmd": ["nginx"]}, {"entrypoint": ["/o"], "command": ["nginx"]}),
        ({"Env": ["PATH=/bin", "A=b=c"]}, {"env": {"A": "b=c"}}),
        ({"User": "1000:1000", "WorkingDir": "/x"}, {"user": "1000:1000", "working_dir": "/x"}),
        ({"Hostname": "web1"}, {"hostname": "web1"}),
        ({"Tty": True, "OpenStdin": True}, {"tty": True, "stdin_open": True}),
        ({"StopSignal": "SIGINT", "StopTimeout": 30}, {"stop_signal": "SIGINT", "stop_grace": 30}),
        ({"ExposedPorts": {"80/tcp": {}, "53/udp": {}}}, {"port": 80}),
        ({"ExposedPorts": {"80/tcp": {}, "443/tcp": {}}}, {}),
        (
            {
                "Labels": {
                    "maintainer": "somebody",
                    "a": "b",
                    "cloudbang.app": "x",
                    "cloudbang.metrics.port": "9100",
                }
            },
            {"labels": {"a": "b", "cloudbang.metrics.port": "9100"}},
        ),
        (
            {"Healthcheck": {"Test": ["CMD-SHELL", "a || b"], "Interval": 10**9}},
            {"health": {"command": ["sh", "-c", "a || b"], "interval": 1.0}},
        ),
        ({"Healthcheck": {"Test": ["NONE"]}}, {"health": {"disabled": True}}),
        (
            {"Healthcheck": {"Test": ["CMD", "a"], "Timeout": 3 * 10**9, "Retries": 2}},
            {"health": {"command": ["a"], "within": 60.0, "retries": 2, "timeout": 3.0}},
        ),
        (
            {"Healthcheck": {"Test": ["CMD", "a"], "Interval": 1, "StartPeriod": 40 * 10**9}},
            {"health": {"command": ["a"], "interval": 0.5, "within": 40.0}},
        ),
    ],
)
def test_what_it_is_told(config: dict[str, Any], written: dict[str, Any]) -> None:
    assert taken(config) == TakenOver({"image": "nginx", **written}, ())


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ({"RestartPolicy": {"Name": ""}}, {"restart": "no"}),
        ({"RestartPolicy": {"Name": "unless-stopped"}}, {}),
        ({"RestartPolicy": {"Name": "on-failure"}}, {"restart": "on-failure"}),
        ({"Memory": 2**28, "MemorySwap": 2**29}, {"memory": 2**28}),
        ({"NanoCpus": 5 * 10**8}, {"cpus": 0.5}),
        ({"CpuQuota": 150_000, "CpuPeriod": 100_000}, {"cpus": 1.5}),
        ({"Init": True, "ReadonlyRootfs": True}, {"init": True, "read_only": True}),
        ({"CapAdd": ["NET_ADMIN"], "CapDrop": ["ALL"]}, {"cap_add": ["NET_ADMIN"], "cap_drop": ["ALL"]}),
        ({"Dns": ["1.1.1.1"], "ExtraHosts": ["a:1.2.3.4"]}, {"dns": ["1.1.1.1"], "extra_hosts": ["a:1.2.3.4"]}),
        ({"Sysctls": {"net.core.somaxconn": "1"}}, {"sysctls": {"net.core.somaxconn": "1"}}),
        (
            {"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}]},
            {"ulimits": [{"name": "nofile", "soft": 1, "hard": 2}]},
        ),
        ({"Tmpfs": {"/run": ""}}, {"tmpfs": ["/run"]}),
        (
            {"Tmpfs": {"/run": "rw,size=1m,mode=0700"}},
            {"tmpfs": [{"path": "/run", "size": 2**20, "mode": 0o700}]},
        ),
        (
            {
                "Mounts": [
                    {
                        "Type": "tmpfs",
                        "Target": "/t",
                        "TmpfsOptions": {"SizeBytes": 5, "Mode": 0o1777},
                    }
                ]
            },
            {"tmpfs": [{"path": "/t", "size": 5, "mode": 0o1777}]},
        ),
        ({"ShmSize": 2**30}, {"tmpfs": [{"path": "/dev/shm", "size": 2**30}]}),
        ({"ShmSize": 2**26}, {}),
        ({"PidsLimit": 50}, {"pids_limit": 50}),
        ({"PidsLimit": -1}, {}),
        ({"GroupAdd": ["44"]}, {"group_add": ["44"]}),
        (
            {"DnsSearch": ["a.b"], "DnsOptions": ["ndots:1"]},
            {"dns_search": ["a.b"], "dns_opt": ["ndots:1"]},
        ),
        ({"NetworkMode": "host"}, {"networks": ["host"]}),
        (
            {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}},
            {"port": 80, "ports": [{"published": 8080, "target": 80}]},
        ),
        (
            {"PortBindings": {"53/udp": [{"HostIp": "0.0.0.0", "HostPort": "53"}]}},
            {"ports": [{"published": 53, "target": 53, "protocol": "udp"}]},
        ),
    ],
)  # fmt: skip
def test_how_it_runs(host: dict[str, Any], written: dict[str, Any]) -> None:
    assert taken(host=host) == TakenOver({"image": "nginx", **written}, ())


def test_what_it_keeps() -> None:
    """Volumes by their names, those without one as well: their data goes with them."""
    nameless = "f" * 64
    mounts = [
        {"Type": "volume", "Name": "data", "Destination": "/d", "RW": True},
        {"Type": "volume", "Name": nameless, "Destination": "/a", "RW": True},
        {"Type": "bind", "Source": "/etc/x", "Destination": "/x", "RW": False},
        {"Type": "tmpfs", "Destination": "/t"},
    ]
    found = taken(Mounts=mounts, SizeRw=0)
    assert found.spec["volumes"] == [
        {"path": "/a", "name": nameless},
        {"path": "/d", "name": "data"},
        {"path": "/x", "source": "/etc/x", "read_only": True},
    ]
    assert found.spec["tmpfs"] == ["/t"]
    assert found.left == ()
    (left,) = taken(SizeRw=10).left
    assert left.why is taking.WRITTEN


def test_a_port_that_only_this_machine_reaches_is_not_opened_to_all() -> None:
    """Nobody finds an app on all addresses that was on one; what it listens on stays known."""
    bound = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}
    found = taken({"ExposedPorts": {"80/tcp": {}}}, {"PortBindings": bound})
    assert found.spec == {"image": "nginx", "port": 80}
    assert [(left.option, left.why) for left in found.left] == [
        ("-p 127.0.0.1:8080:80", taking.LOOPBACK)
    ]
    bound = {"80/tcp": [{"HostIp": "10.0.0.1", "HostPort": "8080"}]}
    found = taken(host={"PortBindings": bound})
    assert found.spec["ports"] == [{"published": 8080, "target": 80}]
    assert [left.why for left in found.left] == [ADDRESSES]


def test_in_the_machines_network_nothing_is_published() -> None:
    """Though the engine keeps what was asked for: such a specification would be refused."""
    bound = {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}
    found = taken(host={"NetworkMode": "host", "PortBindings": bound})
    assert found.spec == {"image": "nginx", "networks": ["host"]}


def test_a_port_that_the_engine_chose_stays() -> None:
    now = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "49153"}], "81/tcp": None}
    settings = {"Ports": now, "Networks": {"bridge": {}}}
    found = taken(host={"PublishAllPorts": True}, NetworkSettings=settings)
    assert found.spec["ports"] == [{"published": 49153, "target": 80}]
    bound = {"80/tcp": [{"HostIp": "", "HostPort": "0"}]}
    found = taken(host={"PortBindings": bound}, NetworkSettings=settings)
    assert found.spec["ports"] == [{"published": 49153, "target": 80}]
    assert [left.why for left in found.left] == [taking.RANDOM]


def test_what_runs_is_taken_and_not_what_its_name_means_by_now() -> None:
    found = take_over(container({"Image": "shop:2"}), IMAGE)
    assert found.spec["image"] == IMAGE["Id"]
    assert [left.why for left in found.left] == [taking.MOVED]
    for by_id in (IMAGE["Id"], "1" * 12):
        assert take_over(container({"Image": by_id}), IMAGE) == TakenOver({"image": "shop:1"}, ())
    assert take_over(container(), None).spec["image"] == "nginx"


@pytest.mark.parametrize(
    ("config", "host", "option", "why"),
    [
        ({}, {"Privileged": True}, "--privileged", taking.CAPABILITIES),
        ({}, {"PidMode": "host"}, "--pid host", SWARM),
        ({}, {"Devices": [{"PathOnHost": "/dev/kvm"}]}, "--device /dev/kvm", SWARM),
        ({}, {"DeviceRequests": [{"Driver": ""}]}, "--gpus all", SWARM),
        ({}, {"SecurityOpt": ["apparmor=x"]}, "--security-opt apparmor=x", SWARM),
        ({}, {"OomKillDisable": True}, "--oom-kill-disable", SWARM),
        ({}, {"MemorySwap": -1}, "--memory-swap -1", SWARM),
        ({}, {"AutoRemove": True}, "--rm", taking.KEPT),
        ({}, {"NetworkMode": "none"}, "--network none", taking.NO_NETWORK),
        ({}, {"LogConfig": {"Type": "syslog"}}, "--log-driver syslog", LOGS),
        ({}, {"Tmpfs": {"/run": "size=1m,exec"}}, "--tmpfs /run:exec", SWARM),
        ({"Env": ["GONE"]}, {}, "-e GONE", taking.NO_VALUE),
        ({"Domainname": "x.y"}, {}, "--domainname x.y", SWARM),
        (
            {"Labels": {"com.docker.compose.project": "shop"}},
            {},
            "shop",
            taking.BY_COMPOSE,
        ),
    ],
)
def test_what_is_not_carried_over_is_said(config: Any, host: Any, option: str, why: Any) -> None:
    (left,) = taken(config, host).left
    assert (left.option, left.why) == (option, why)


def test_networks_of_one_machine_are_left() -> None:
    found = taken(NetworkSettings={"Networks": {"shop_default": {}, "shared": {}}})
    assert found.spec["networks"] == ["shared"]
    assert [(left.option, left.why) for left in found.left] == [
        ("--network shop_default", taking.ONE_MACHINE)
    ]


def test_it_says_what_the_line_said_that_started_it() -> None:
    """The same app, whichever of the two it is written from."""
    line = "docker run -p 8080:80 -v data:/d -e A=b -m 64m --restart always --user 5 nginx -x"
    its = container(
        {"Cmd": ["-x"], "Env": ["PATH=/bin", "A=b"], "User": "5"},
        {
            "Memory": 64 * 2**20,
            "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
        },
        Mounts=[{"Type": "volume", "Name": "data", "Destination": "/d", "RW": True}],
    )
    written, _ = read_spec(read_run_line(line).spec)
    found, _ = read_spec(take_over(its, IMAGE).spec)
    assert {**found.as_json(), "port": 0} == {**written.as_json(), "port": 0}
