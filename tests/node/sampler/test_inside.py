"""What is seen from within a container: with namespaces of its own for mounts, processes and control
groups, and the machine's folders mounted, or not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT, patient

pytestmark = pytest.mark.engine

INSIDE = """
set -e
mount --rbind /sys/fs/cgroup "$1/cgroup"
mount --rbind /proc "$1/proc"
mount -t tmpfs none /sys/fs/cgroup
mount -t proc proc /proc
exec "$2" -c "$3" "$1" "$4" "$5"
"""
LOOK = """
import json, sys
from cloudbang.domain.apps import Instance
from cloudbang.node.sampler.container import Context, MeasuredContainer
from cloudbang.node.sampler.files import Room
from cloudbang.node.sampler.hierarchies import Hierarchies
from cloudbang.node.sampler.network import Networks

folder, container, pid = sys.argv[1:]
found = []
for cgroup, proc in ((folder + "/cgroup", folder + "/proc"), ("/sys/fs/cgroup", "/proc")):
    context = Context(Hierarchies(cgroup, proc), Networks(proc, Room(9)), Room(9))
    one = MeasuredContainer(Instance(
        id=container, name="x", app="x", stack=None, image="", image_id="", state="running",
        created="", pid=int(pid), network_mode="bridge",
    ), context)
    one.sample(True)
    values = one.sample(True).values
    one.sample(True)
    found.append([sorted(values), one.why.get("network.sent"), context.networks.is_machines])
print(json.dumps(found))
"""


def test_the_machines_folders_show_what_its_own_do_not(container, tmp_path: Path) -> None:
    """With them all is measured; without, nothing is made up."""
    made = container("sleep 1000", network_mode="bridge")
    for name in ("cgroup", "proc"):
        (tmp_path / name).mkdir()
    spaces = ["unshare", "--mount", "--cgroup", "--pid", "--fork", "--propagation", "private"]
    pid = str(made.attrs["State"]["Pid"])
    script = ["sh", "-c", INSIDE, "sh", str(tmp_path), sys.executable, LOOK, made.id, pid]
    done = subprocess.run(
        [*spaces, *script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patient(60),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (values, why, known), (others, why_not, not_known) = json.loads(done.stdout)
    assert {"cpu", "memory", "network.sent", "processes", "disk.read"} <= set(values)
    assert (why, known) == (None, True)
    assert (others, not_known) == (["restarts"], False)
    assert why_not is not None
    assert "/host/proc" in why_not
