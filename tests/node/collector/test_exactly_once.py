"""What the engine has is stored once: whoever is killed, however fast files are rotated."""

from __future__ import annotations

import random
import subprocess
import sys
import time
import uuid

import pytest

from tests.node.collector.rig import Rig
from tests.support import ROOT, wait_until

MODULE = "tests.node.collector.process"

pytestmark = pytest.mark.engine

COUNT = "i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo $i {padding}; done"
# About `rate` lines per second on both streams; `read -t` waits without a process of its own.
STEADY = (
    "mkfifo /tmp/f; exec 3<>/tmp/f; i=0; while [ $i -lt {lines} ]; do "
    "for n in $(seq {burst}); do i=$((i+1)); echo $i; echo e$i >&2; done; "
    "read -t 0.02 x <&3; done"
)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("tty", [False, True], ids=["frames", "tty"])
def test_killed_at_random_moments_every_line_is_stored_once(tmp_path, rig, container, tty):
    """kill -9 again and again under load: nothing missing, nothing twice, order kept."""
    app = f"killed-{uuid.uuid4().hex[:8]}"
    lines, folder = 8_000, tmp_path / "data"
    made = container(STEADY.format(lines=lines, burst=20), name=app, tty=tty)
    host = rig_host(made)
    chance = random.Random(4)
    end = time.monotonic() + 20
    kills = 0
    while time.monotonic() < end and kills < 12:
        child = subprocess.Popen(
            [sys.executable, "-m", "gevent.monkey", "--module", MODULE, str(folder), host],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == b"collecting"
            time.sleep(chance.uniform(0.0, 1.0))  # the random moment is what is tested
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        kills += 1
    one: Rig = rig()
    found = one.wait_ended(app, 60)
    if tty:
        wanted = [t for n in range(1, lines + 1) for t in (str(n), f"e{n}")]
        assert found == wanted
        return
    assert one.texts(app, b"stdout") == [str(n) for n in range(1, lines + 1)]
    assert one.texts(app, b"stderr") == [f"e{n}" for n in range(1, lines + 1)]


def rig_host(container) -> str:
    """The address of the engine that a container of the tests is on."""
    url = container.client.api.base_url
    return "unix:///var/run/docker.sock" if url.startswith("http+docker") else url


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("size", "files"), [("20k", "2"), ("200k", "2"), ("1m", "3")])
def test_rotation_under_load_loses_nothing_silently(rig, container, size, files):
    """Where lines are missing a marker stands, no line is there twice, the order is kept."""
    app = f"rotated-{uuid.uuid4().hex[:8]}"
    lines = 60_000
    one: Rig = rig()
    one.inventory.ready.wait(10)
    container(
        COUNT.format(lines=lines, padding="x" * 80),
        name=app,
        log_config={"Type": "json-file", "Config": {"max-size": size, "max-file": files}},
    )
    one.wait_ended(app, 60)
    last, marked = 0, True  # before the first line: what was gone before the log was first read
    for raw in one.records(app):
        if raw[44:50] == b"marker":
            assert b"dropped by the engine" in raw
            marked = True
            continue
        number = int(raw[51:].split()[0])
        assert number > last, f"{number} after {last}: twice, or out of order"
        assert number == last + 1 or marked, f"{last + 1} to {number - 1} are silently missing"
        last, marked = number, False
    assert last == lines


def test_what_was_logged_while_nobody_collected_is_read_later(rig, container):
    """A collector that was away for long reads the rest without a gap or a double."""
    app = f"away-{uuid.uuid4().hex[:8]}"
    one: Rig = rig()
    made = container(
        COUNT.format(lines=100, padding="")
        + "; read x; "
        + COUNT.format(lines=30_000, padding="")
        + "; sleep 1000",
        name=app,
        stdin_open=True,
    )
    one.wait_for(app, 100)
    one.close()
    pipe = made.attach_socket(params={"stdin": 1, "stream": 1})
    pipe._sock.sendall(b"go\n")
    pipe._sock.close()
    pipe.close()
    wait_until(lambda: made.logs(tail=1).strip() == b"30000", 30, "the lines behind its back")
    two: Rig = rig()
    texts = two.wait_for(app, 30_100, 30)
    assert [int(t) for t in texts] == [*range(1, 101), *range(1, 30_001)]
