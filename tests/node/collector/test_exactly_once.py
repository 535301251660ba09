"""What the engine has is stored once: whoever is killed, however fast files are rotated."""

from __future__ import annotations

import random
import subprocess
import sys
import time
import uuid

import gevent
import pytest

from cloudbang.domain.lines import format_time
from tests.node.collector.rig import Rig
from tests.support import ROOT, patient, rounds, wait_until

MODULE = "tests.node.collector.process"

pytestmark = pytest.mark.engine

COUNT = "i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo $i {padding}; done"
ID = "c" * 64
KILLS = rounds(4, 60)


@pytest.mark.parametrize("tty", [False, True], ids=["frames", "tty"])
@pytest.mark.slow("a process is killed and started again and again")
@pytest.mark.timeout(240 + 5 * KILLS)
def test_killed_at_random_moments_every_line_is_stored_once(tmp_path, rig, scripted, tty):
    """kill -9 again and again under load: nothing missing, nothing twice, order kept. With a real
    engine, and the whole server: tests/faults/test_server_killed.py."""
    scripted.add(ID, "killed", tty=tty)
    chance = random.Random(4)
    writing, written = True, 0

    def write() -> None:
        nonlocal written
        while writing:
            for _ in range(20):
                written += 1
                scripted.log(ID, format_time(time.time_ns()), str(written))
            gevent.sleep(0.01)

    writer = gevent.spawn(write)
    folder = str(tmp_path / "data")
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-m", "gevent.monkey", "--module", MODULE, folder, scripted.host],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == b"collecting"
            time.sleep(chance.uniform(0.0, 0.8))  # the random moment is what is tested
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
    writing = False
    writer.get()
    scripted.stop(ID)
    one: Rig = rig(scripted.host)
    assert one.wait_ended("killed", 60) == [str(n) for n in range(1, written + 1)]


@pytest.mark.parametrize(("size", "files"), [("20k", "2"), ("200k", "2"), ("1m", "3")])
@pytest.mark.slow("twenty thousand lines rotate through small files")
def test_rotation_under_load_loses_nothing_silently(rig, container, size, files):
    """Where lines are missing a marker stands, no line is there twice, the order is kept."""
    app = f"rotated-{uuid.uuid4().hex[:8]}"
    lines = rounds(20_000, 200_000)
    one: Rig = rig()
    one.inventory.ready.wait(patient(10))
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
