"""What a Compose file or a `docker run` line says of a process, looked at from within its container."""

from __future__ import annotations

import docker
import pytest

from cloudbang.domain.deploy.compose import stack_of
from cloudbang.domain.deploy.run_line import read_run_line
from cloudbang.domain.deploy.spec import read_spec
from tests.deploy import apps
from tests.deploy.house import House

pytestmark = pytest.mark.engine
LOOKS = """
grep -E '^(Groups|CapEff)' /proc/1/status; grep -E '^(search|options)' /etc/resolv.conf
grep -E ' (/|/run/t|/dev/shm) ' /proc/mounts; stat -c '%a %n' /run/t /dev/shm
cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null
grep 'open files' /proc/1/limits; cat /proc/sys/net/core/somaxconn; cat /proc/1/comm; hostname
grep db.example /etc/hosts; stat -c '%u %g %a %n' /etc/one.conf
"""
LINE = (
    "docker run --group-add 44 --dns-search a.example --dns-option ndots:3 --pids-limit 77 "
    "--shm-size 5m --tmpfs /run/t:size=1m,mode=0700 --no-healthcheck --ulimit nofile=1234:2345 "
    "--cap-add NET_ADMIN --cap-drop mknod --sysctl net.core.somaxconn=99 --init --hostname asked-for "
    "--read-only --add-host db.example:10.9.8.7 --tmpfs /www x"
)
SERVICE = {
    "image": "x",
    "group_add": ["44"],
    "dns_search": ["a.example"],
    "dns_opt": ["ndots:3"],
    "deploy": {"resources": {"limits": {"pids": 77}}},
    "shm_size": "5242880",
    "tmpfs": ["/run/t:size=1m,mode=0700", "/www"],
    "healthcheck": {"disable": True},
    "ulimits": {"nofile": {"soft": 1234, "hard": 2345}},
    "cap_add": ["NET_ADMIN"],
    "cap_drop": ["MKNOD"],
    "sysctls": {"net.core.somaxconn": "99"},
    "init": True,
    "hostname": "asked-for",
    "read_only": True,
    "extra_hosts": ["db.example:10.9.8.7"],
}
FILE = {"path": "/etc/one.conf", "content": "one", "uid": 1000, "gid": 101, "mode": "0440"}


def test_it_has_what_was_asked_for(
    house: House, image: str, docker_client: docker.DockerClient
) -> None:
    """The same from both."""
    [service] = stack_of({"services": {"a": SERVICE}}).services
    asked = read_run_line(LINE).spec
    for key in ("stack", "aliases"):
        service.spec.pop(key)
    assert read_spec(service.spec) == read_spec(asked)
    own = {key: value for key, value in asked.items() if key != "image"}
    house.serves("asked", **apps.web(image, **own, files=[FILE]))
    (container,) = docker_client.containers.list(filters={"label": "cloudbang.app=asked"})
    said = container.exec_run(["sh", "-c", LOOKS]).output.decode()
    lines = said.splitlines()
    told = {line.split()[0]: line.split()[1:] for line in lines if line.strip()}
    assert "44" in told["Groups:"], said
    able = int(told["CapEff:"][0], 16)
    assert (able >> 12 & 1, able >> 27 & 1) == (1, 0), said  # NET_ADMIN, MKNOD
    assert told["search"] == ["a.example"], said
    assert "ndots:3" in told["options"], said
    mounts = {line.split()[1]: line.split()[3].split(",") for line in lines if " rw," in line}
    assert "size=1024k" in mounts["/run/t"], said
    assert {"size=5120k", "noexec"} <= set(mounts["/dev/shm"]), said
    assert "/" not in mounts, said
    assert told["Max"][2:4] == ["1234", "2345"], said
    assert told["10.9.8.7"] == ["db.example"], said
    assert {"700 /run/t", "1777 /dev/shm", "77", "99", "asked-for"} <= set(lines), said
    assert {"docker-init", "tini"} & set(lines), said
    assert "1000 101 440 /etc/one.conf" in lines, said
