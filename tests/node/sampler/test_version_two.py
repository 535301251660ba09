"""Control groups of version 2 as the kernel of this machine makes them, as far as it has them: on one that
has all controllers in version 1 there is still what every group of version 2 tells. What it does not
have there is played by files, in ``test_files.py``."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudbang.domain.apps import Instance
from cloudbang.domain.metrics import cgroup
from cloudbang.node.sampler import reasons
from cloudbang.node.sampler.container import Context, MeasuredContainer
from cloudbang.node.sampler.files import Room
from cloudbang.node.sampler.hierarchies import PRESSURE, Hierarchies
from cloudbang.node.sampler.network import Networks
from tests.node.sampler.rig import ran
from tests.support import ENDS_WITH_US, wait_until

pytestmark = pytest.mark.engine  # and so root, on Linux

ID = uuid.uuid4().hex * 2


@pytest.fixture
def unified(tmp_path: Path) -> Iterator[tuple[Hierarchies, Path]]:
    """What a machine would see that has nothing but this one, and a container's group in it, where the
    systemd driver puts it."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines(keepends=True)
    own = [line for line in lines if any(m.version == 2 for m in cgroup.mounts(line))]
    assert own, "this kernel has no control groups of version 2"
    (tmp_path / "mountinfo").write_text(own[0])
    [mount] = cgroup.mounts(own[0])
    there = Hierarchies(mount.point, mountinfo=str(tmp_path / "mountinfo"))
    slice_ = Path(mount.point, f"cloudbangtest{ID[:12]}.slice")
    group = slice_ / f"docker-{ID}.scope"
    group.mkdir(parents=True)
    yield there, group
    wait_until(lambda: not (group / "cgroup.procs").read_text(), what="its processes to be gone")
    group.rmdir()
    slice_.rmdir()


def test_what_the_kernel_tells_of_a_real_group(unified: tuple[Hierarchies, Path]) -> None:
    """The processor as the scheduler gave it, the pressure; what is not on says so."""
    there, group = unified
    parent = group.parent.name
    context = Context(there, Networks("/proc", Room(9)), Room(9))
    burning = subprocess.Popen([*ENDS_WITH_US, "sh", "-c", "while :; do :; done"])
    try:
        (group / "cgroup.procs").write_text(str(burning.pid))
        known: dict[str, object] = {
            **{"id": ID, "name": "web", "app": "web", "stack": None, "image": "", "image_id": ""},
            **{"state": "running", "created": "", "network_mode": "host"},
        }
        found = Instance(**known, pid=burning.pid, cgroup_parent=parent)  # type: ignore[arg-type]
        one = MeasuredContainer(found, context)
        assert there.find(ID, parent)["cpu"].version == 2
        one.sample(True)
        start = began = time.monotonic()
        before = ran(burning.pid)
        told = true = held_up = 0.0
        while true < 0.5:
            time.sleep(0.1)
            looked = time.monotonic()
            values = one.sample(True).values
            at, true = time.monotonic(), ran(burning.pid) - before
            held_up += time.monotonic() - looked
            told += values["cpu"] * (at - began)
            began = at
        # A busy machine lets others run between the two readings, and for how long is known.
        assert told == pytest.approx(true, rel=0.02, abs=0.05 + held_up)
        assert 0 <= values["pressure.cpu"] <= 1.05
        assert {"pressure.memory", "pressure.io"} <= set(values)
        if "memory" not in there.controllers:
            assert one.why["memory"] == reasons.MEMORY_IS_OFF
            assert "memory" not in values
        assert PRESSURE in there.controllers
    finally:
        burning.kill()
        burning.wait()
    # One alone runs no longer than the clock, whenever it is looked at.
    told += one.sample(True).values.get("cpu", 0.0) * (time.monotonic() - began)
    assert told <= time.monotonic() - start + 0.05
