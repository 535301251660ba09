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
grep -E '^Groups' /proc/1/status; grep -E '^(search|options)' /etc/resolv.conf
grep -E ' (/run/t|/dev/shm) ' /proc/mounts; stat -c '%a %n' /run/t /dev/shm
cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null
"""
LINE = (
    "docker run --group-add 44 --dns-search a.example --dns-option ndots:3 --pids-limit 77 "
    "--shm-size 5m --tmpfs /run/t:size=1m,mode=0700 --no-healthcheck x"
)
SERVICE = {
    "image": "x",
    "group_add": ["44"],
    "dns_search": ["a.example"],
    "dns_opt": ["ndots:3"],
    "deploy": {"resources": {"limits": {"pids": 77}}},
    "shm_size": "5242880",
    "tmpfs": ["/run/t:size=1m,mode=0700"],
    "healthcheck": {"disable": True},
}


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
    house.serves("asked", **apps.web(image, **own))
    (container,) = docker_client.containers.list(filters={"label": "cloudbang.app=asked"})
    said = container.exec_run(["sh", "-c", LOOKS]).output.decode()
    lines = said.splitlines()
    assert "44" in lines[0].split(), said
    assert "search a.example" in lines, said
    assert any(line.startswith("options") and "ndots:3" in line for line in lines), said
    mounts = {line.split()[1]: line for line in lines if line.startswith("tmpfs ")}
    assert "size=1024k" in mounts["/run/t"], said
    assert "size=5120k" in mounts["/dev/shm"], said
    assert "noexec" in mounts["/dev/shm"], said
    assert {"700 /run/t", "1777 /dev/shm", "77"} <= set(lines), said
