"""From real containers to the store, each line once."""

from __future__ import annotations

import uuid

import docker
import pytest
from docker.models.containers import Container

from cloudbang.node.collector.collector import wall_ahead
from tests.node.collector.rig import Rig
from tests.support import patient, wait_until
from tests.support_containers import tell

pytestmark = pytest.mark.engine


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def is_gone(container: Container) -> bool:
    try:
        container.reload()
    except docker.errors.NotFound:
        return True
    return False


def test_who_had_to_wait_between_two_clocks_looks_again():
    """A busy machine is no clock that was set back: logs would be read again for it."""
    passed, waits = [100.0], iter([0.0, 2.0])  # before each look at the wall clock

    def wall() -> float:
        passed[0] += next(waits, 0.0)
        return passed[0] + 1_000

    assert wall_ahead(wall, lambda: passed[0]) == 1_000
    waits = iter([2.0])
    assert wall_ahead(wall, lambda: passed[0]) == 1_000


def test_both_streams_of_a_container_are_stored(rig, container):
    """stdout and stderr, and what was logged before anyone looked."""
    app = unique("streams")
    container("echo one; echo two >&2; echo three", name=app)
    one: Rig = rig()
    one.wait_ended(app)
    assert one.texts(app, b"stdout") == ["one", "three"]
    assert one.texts(app, b"stderr") == ["two"]


def test_a_running_container_is_followed(rig, container):
    """Each line is stored soon after it was written, while the container runs on."""
    app = unique("follow")
    one: Rig = rig()
    made = container("while read x; do echo got $x; done", name=app, stdin_open=True)
    pipe = made.attach_socket(params={"stdin": 1, "stream": 1})
    try:
        for n in range(3):
            pipe._sock.sendall(b"%d\n" % n)
            assert one.wait_for(app, n + 1)[-1] == f"got {n}"
    finally:
        pipe._sock.close()
        pipe.close()


AWKWARD = (
    "echo first; "
    "head -c 40000 /dev/zero | tr '\\000' a; echo; "
    "head -c 32768 /dev/zero | tr '\\000' b; echo; "
    "printf 'caf\\303\\251 \\347\\214\\253\\n'; printf 'bad \\377\\376 bytes\\n'; "
    "printf 'over\\rwritten\\n'; echo; printf '  spaces  \\n'; "
    "head -c 1500000 /dev/zero | tr '\\000' c; echo; "
    "printf last"
)


@pytest.mark.parametrize("tty", [False, True], ids=["frames", "tty"])
@pytest.mark.parametrize("driver", ["json-file", "local"])
def test_awkward_lines_arrive_whole(rig, container, driver, tty):
    """Long, cut, empty, invalid and unterminated lines, as each driver keeps them."""
    app = unique("awkward")
    container(AWKWARD, name=app, tty=tty, log_config={"Type": driver})
    one: Rig = rig()
    first, long, exact, utf8, bad, over, empty, spaces, huge, last = one.wait_ended(app)
    assert (first, empty, spaces, last) == ("first", "", "  spaces  ", "last")
    assert long == "a" * 40000
    assert exact == "b" * 32768
    assert utf8 == "café 猫"
    assert bad == "bad \ufffd\ufffd bytes"
    assert over == "over\rwritten"
    assert huge.startswith("c" * 500_000)
    assert "bytes of a line longer than 1 MiB]" in huge
    assert len(huge.encode()) <= 1024 * 1024


def test_a_driver_that_cannot_be_read_says_so(rig, container):
    """The instance tells why, and no reader is started."""
    app = unique("unreadable")
    container("echo lost; sleep 1000", name=app, log_config={"Type": "none"})
    one: Rig = rig()
    known = wait_until(lambda: (a := one.apps.get(app)) and a.instances[0].inspected and a)
    assert known.instances[0].readable is False
    assert "none" in known.instances[0].unreadable_reason
    assert not one.collector.is_reading(app)


def test_a_restarted_container_goes_on_where_it_was(rig, container):
    """Both runs, once each, with the unterminated end of the first kept apart."""
    app = unique("restart")
    one: Rig = rig()
    made = container("echo start; printf end", name=app)
    assert one.wait_ended(app) == ["start", "end"]
    made.start()
    wait_until(lambda: one.store.next_seq(app) > 4, what="the second run")
    assert one.wait_ended(app) == ["start", "end", "start", "end"]
    made.restart(timeout=0)
    wait_until(lambda: one.store.next_seq(app) > 6, what="the third run")
    assert one.wait_ended(app) == ["start", "end"] * 3


def test_a_re_created_container_continues_its_app(rig, container):
    """Containers come and go; the app's lines stay one sequence."""
    app = unique("recreated")
    one: Rig = rig()
    first = container("echo old", labels={"cloudbang.app": app})
    assert one.wait_ended(app) == ["old"]
    first.remove(force=True)
    wait_until(lambda: one.apps.get(app).state == "gone", what="the removal")
    container("echo new", labels={"cloudbang.app": app})
    wait_until(lambda: one.store.next_seq(app) > 2, what="the new container's line")
    assert one.wait_ended(app) == ["old", "new"]
    ids = {raw[31:43] for raw in one.records(app)}
    assert len(ids) == 2


def test_a_renamed_container_stays_its_app(rig, container):
    """What it was created as says where its log is kept; it is shown by the name it has."""
    old, new = unique("before"), unique("after")
    one: Rig = rig()
    made = container("echo one; sleep 1000", name=old)
    one.wait_for(old, 1)
    made.rename(new)
    wait_until(lambda: one.apps.get(old).instances[0].name == new)
    assert one.apps.get(old).state == "running"
    assert one.apps.get(new) is None
    assert one.texts(old) == ["one"]


def test_a_restart_of_the_collector_stores_nothing_twice(rig, container):
    """Many lines share a moment; each is there as often as it was written."""
    app = unique("again")
    made = container("for i in $(seq 500); do echo same; done; sleep 1000", name=app)
    one: Rig = rig()
    one.wait_for(app, 500)
    one.close()
    two: Rig = rig()
    wait_until(lambda: two.collector.is_reading(app), what="reading again")
    made.kill()
    assert two.wait_ended(app) == ["same"] * 500


def test_a_container_that_goes_with_its_end_is_read_to_its_end(rig, container):
    """With --rm its log is gone a moment after its last line."""
    app = unique("gone")
    one: Rig = rig()
    one.inventory.ready.wait(patient(10))
    waits = "echo 0; while ! [ -e /go ]; do sleep 0.01; done; for i in $(seq 20); do echo $i; done"
    made = container(waits, name=app, auto_remove=True)
    one.wait_for(app, 1)
    tell(made, "touch", "/go")
    assert one.wait_for(app, 21) == [str(n) for n in range(21)]


def test_a_container_that_lives_for_a_moment_is_read(rig, container):
    """Whole or, on a machine too busy to open its log before it is gone, not at all."""
    one: Rig = rig()
    one.inventory.ready.wait(patient(10))
    for _ in range(10):
        app = unique("moment")
        made = container("for i in $(seq 20); do echo $i; done", name=app, auto_remove=True)
        wait_until(lambda made=made: is_gone(made), 60, "the engine to remove it")
        wait_until(lambda app=app: "remove" in [e.kind for e in one.events.list(app)], 20)
        wait_until(lambda app=app: not one.collector.is_reading(app), 20, "the end of its log")
        if texts := one.texts(app):
            assert texts == [str(n) for n in range(1, 21)]
            return
    raise AssertionError("of ten of them, none was read")
