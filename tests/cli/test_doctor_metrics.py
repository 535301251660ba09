"""What the doctor says of who measures containers."""

from __future__ import annotations

import json
from pathlib import Path

import docker
import pytest

from cloudbang.cli.doctor_checks import Finding
from cloudbang.cli.doctor_metrics import metrics
from cloudbang.config import NodeSettings

pytestmark = pytest.mark.engine


def examined(
    client: docker.DockerClient, settings: NodeSettings, mountinfo: str, only: str
) -> dict[str, Finding]:
    """Of one container."""

    def ask(path: str, *_: object) -> tuple[int, bytes]:
        if path == "/containers/json":
            return 200, json.dumps([{"Id": only}]).encode()
        return 200, json.dumps(client.api.inspect_container(only)).encode()

    return {found.code: found for found in metrics(ask, settings, mountinfo)}


def test_on_the_machine_itself_all_is_read_from_files(docker_client, container) -> None:
    """It names the controllers, and in which version each is."""
    made = container("sleep 1000", network_mode="bridge")
    found = examined(docker_client, NodeSettings(), "/proc/self/mountinfo", made.id)
    assert found["metrics-groups"].ok
    assert "memory (v" in found["metrics-groups"].found.en
    assert found["metrics-network"].ok


def test_what_is_not_mounted_is_said_with_what_it_costs(
    docker_client, container, tmp_path: Path
) -> None:
    """In a container that sees neither the machine's control groups nor its processes."""
    made = container("sleep 1000", network_mode="bridge")
    settings = NodeSettings(cgroup=str(tmp_path), proc=str(tmp_path))
    found = examined(docker_client, settings, "/proc/self/mountinfo", made.id)
    assert not found["metrics-groups"].ok
    assert "1 of 1 containers" in found["metrics-groups"].found.en
    assert "/sys/fs/cgroup:/host/cgroup:ro" in found["metrics-groups"].mend.en
    assert not found["metrics-network"].ok
    assert "/proc:/host/proc:ro" in found["metrics-network"].mend.en


def test_what_the_kernel_does_not_count_is_said(docker_client, container, tmp_path: Path) -> None:
    """Memory may be off, and pressure."""
    made = container("sleep 1000")
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    (root / "docker" / made.id).mkdir(parents=True)
    (root / "cgroup.controllers").write_text("cpu io pids\n")
    proc.mkdir()
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(f"35 24 0:30 / {root} rw - cgroup2 cgroup2 rw\n")
    settings = NodeSettings(cgroup=str(root), proc=str(proc))
    found = examined(docker_client, settings, str(mountinfo), made.id)
    assert not found["metrics-memory"].ok
    assert "cgroup_enable=memory" in found["metrics-memory"].mend.en
    assert "psi=1" in found["metrics-pressure"].found.en
    assert found["metrics-pressure"].ok
