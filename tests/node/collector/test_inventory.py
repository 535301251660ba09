"""The live set of apps and what happened to them, from a real engine."""

from __future__ import annotations

import sqlite3
import time
import uuid
from dataclasses import replace

import docker.errors
import gevent
import orjson
import pytest
from gevent.event import Event

from cloudbang.bus import Subscriber
from tests.node.collector.rig import Rig
from tests.support import Stopwatch, patient, wait_until

pytestmark = pytest.mark.engine


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def state(one: Rig, app: str) -> str | None:
    known = one.apps.get(app)
    return known.state if known else None


def kinds(one: Rig, app: str) -> list[str]:
    return [event.kind for event in one.events.list(app)]


def test_a_container_is_seen_from_its_creation_to_its_removal(rig, container):
    """Each state shows by itself; without lines the app is gone with its container."""
    app = unique("life")
    one: Rig = rig()
    made = container("sleep 1000", name=app, start=False)
    wait_until(lambda: state(one, app) == "created")
    made.start()
    wait_until(lambda: state(one, app) == "running")
    made.pause()
    wait_until(lambda: state(one, app) == "paused")
    made.unpause()
    wait_until(lambda: state(one, app) == "running")
    made.kill()
    wait_until(lambda: state(one, app) == "exited")
    instance = one.apps.get(app).instances[0]
    assert instance.exit_code == 137
    made.remove()
    wait_until(lambda: one.apps.get(app) is None)
    # Kept after it is shown.
    wait_until(lambda: "remove" in [e.kind for e in one.events.list(app)])
    kinds = [e.kind for e in one.events.list(app)]
    assert kinds == ["create", "start", "pause", "unpause", "die", "remove"]
    assert one.events.list(app)[4].data == {"exit_code": 137, "signal": 9}


def how(one: Rig, app: str) -> tuple[str, bool]:
    known = one.apps.get(app)
    return (known.condition, known.trouble) if known else ("", False)


def test_trouble_does_not_look_like_health(rig, container):
    """One that dies and is restarted all the time is never well in between; half of an app is not
    all of it; one that cannot be started says why; one that was killed was not stopped,
    unless that is how it is to be stopped; and what did its work and ended is done."""
    loop, half, never, shot = (unique(name) for name in ("loop", "half", "never", "shot"))
    rude, job = unique("rude"), unique("job")
    one: Rig = rig()
    container("usleep 300000; exit 0", name=loop, restart_policy={"Name": "always"})
    for command in ("sleep 1000", "exit 1"):
        container(command, labels={"cloudbang.app": half})
    wait_until(lambda: how(one, half) == ("partial", True))
    made = container(["/nonexistent"], name=never, start=False)
    with pytest.raises(docker.errors.APIError):
        made.start()
    wait_until(lambda: how(one, never) == ("failed", True))
    (instance,) = one.apps.get(never).instances
    assert (instance.state, instance.exit_code) == ("created", 127)
    assert "/nonexistent" in instance.error
    target = container("sleep 1000", name=shot)
    wait_until(lambda: how(one, shot) == ("running", False))
    target.kill()
    wait_until(lambda: how(one, shot) == ("failed", True))
    target.start()
    wait_until(lambda: how(one, shot) == ("running", False))
    target.stop(timeout=0)
    wait_until(lambda: how(one, shot) == ("exited", False))
    target = container("sleep 1000", name=rude, stop_signal="KILL")
    wait_until(lambda: how(one, rude) == ("running", False))
    target.stop()
    wait_until(lambda: how(one, rude) == ("exited", False))
    container("true", name=job)
    wait_until(lambda: how(one, job) == ("done", False))
    wait_until(lambda: how(one, loop) == ("restarting", True))
    seen = set()
    runs = {one.apps.get(loop).instances[0].started_at}
    while len(runs) < 4:
        gevent.sleep(0.005)
        seen.add(how(one, loop))
        runs.add(one.apps.get(loop).instances[0].started_at)
    assert seen == {("restarting", True)}


def test_what_is_done_is_so_after_a_restart(rig, container, image):
    """Though the engine has forgotten how it came to its end, as behind a crash loop; a server that
    was stopped is stopped. What a release is for is known where its container does not say it."""
    job, web, old = (unique(name) for name in ("job", "web", "old"))
    one: Rig = rig()
    container("true", name=job)
    server = container(
        "trap 'exit 0' TERM; while :; do usleep 50000; done",
        name=web,
        ports={"80/tcp": ("127.0.0.1", None)},
    )
    task = {"com.docker.swarm.task.name": f"{old}-r1.1.x", "com.docker.swarm.service.name": old}
    container("true", labels={**task, "cloudbang.app": old, "cloudbang.release": "1"})
    wait_until(lambda: how(one, job) == ("done", False))
    wait_until(lambda: how(one, web) == ("running", False))
    server.stop()
    wait_until(lambda: how(one, web) == ("exited", False))
    one.close()
    for n in range(300):  # it remembers 256
        server.client.api.tag(image, "cloudbang-test/forgotten", str(n % 2))
    for n in range(2):
        server.client.images.remove(f"cloudbang-test/forgotten:{n}")
    two: Rig = rig(jobs={(old, 1)})
    wait_until(lambda: how(two, job) == ("done", False))
    wait_until(lambda: how(two, old) == ("done", False))
    wait_until(lambda: how(two, web) == ("exited", False))


def test_a_health_check_that_fails_says_what_it_printed(rig, container):
    app = unique("sick")
    one: Rig = rig()
    check = {"test": ["CMD-SHELL", "echo no route; exit 3"], "interval": 10**9, "retries": 2}
    container("sleep 1000", name=app, healthcheck=check)
    wait_until(lambda: how(one, app) == ("unhealthy", True), 15)
    shown = orjson.loads(orjson.dumps(one.apps.as_json(one.apps.get(app))))
    (instance,) = shown["instances"]
    assert instance["health_output"] == "no route"
    assert instance["health_failures"] >= 2


def test_what_an_inspection_tells(rig, container, image):
    """Image, ports, restarts, times and health, as the page shows them."""
    app = unique("details")
    one: Rig = rig()
    container(
        "sleep 1000",
        labels={"com.docker.compose.project": app, "com.docker.compose.service": "web"},
        ports={"80/tcp": ("127.0.0.1", None)},
        healthcheck={"test": ["CMD", "true"], "interval": 10**9},
    )
    name = f"{app}.web"
    wait_until(lambda: (a := one.apps.get(name)) and a.instances[0].health == "healthy", 15)
    known = one.apps.get(name)
    shown = orjson.loads(orjson.dumps(one.apps.as_json(known)))
    assert shown["name"] == name
    assert shown["stack"] == app
    assert shown["state"] == "running"
    (instance,) = shown["instances"]
    assert instance["image"] == image
    assert instance["ports"][0].startswith("127.0.0.1:")
    assert instance["ports"][0].endswith("->80/tcp")
    assert len(instance["id"]) == 12
    assert len(instance["started_at"]) == 30
    wait_until(
        lambda: "health" in kinds(one, name), what="the event, which is kept after it is shown"
    )


def test_changes_events_lines_and_activity_are_published(rig, container):
    """Who subscribes to the bus learns of all of it, stored first."""
    app = unique("told")
    one: Rig = rig()
    subscriber = Subscriber(one.hub.subscribe_at)
    for topic in ("app/", "event/", "log/", "activity/"):
        subscriber.subscribe(topic)
    for topic in ("app/x/", "event/x/", "log/x/", "activity/"):
        wait_until(lambda topic=topic: one.publisher.wanted(topic), what=topic)
    container("echo hello; sleep 1000", name=app)
    found: dict[str, list] = {}
    batches = subscriber.batches()
    wanted = {f"app/{app}/", f"event/{app}/", f"log/{app}/"}
    while not (wanted <= set(found) and any(app in a for a in found.get("activity/", []))):
        for message in next(batches):
            found.setdefault(message.topic, []).append(orjson.loads(message.body))
            if message.topic == f"log/{app}/":
                of_one = {"v": 1, "first": 1, "next": 2, "levels": [None], "entries": []}
                assert orjson.loads(message.header) == of_one
                assert one.store.next_seq(app) == 2
    subscriber.close()
    assert found[f"log/{app}/"][0][0][4] == "hello"
    assert found[f"event/{app}/"][0]["kind"] == "create"
    activity = next(a[app] for a in found["activity/"] if app in a)
    assert activity[0] == 2
    assert activity[2][4] == "hello"


def test_events_of_the_time_away_are_found_out_once(rig, container):
    """Neither missing nor doubled, whether the engine still tells of them or not."""
    app = unique("away")
    one: Rig = rig()
    made = container("sleep 1000", name=app)
    wait_until(lambda: len(one.events.list(app)) == 2)
    one.close()
    made.kill()
    made.wait()
    made.start()
    two: Rig = rig()
    wait_until(lambda: len(two.events.list(app)) >= 4, what="the events of the time away")
    two.close()
    three: Rig = rig()
    wait_until(three.inventory.ready.is_set)
    made.kill()
    wait_until(lambda: [e.kind for e in three.events.list(app)][-1] == "die")
    kinds = [e.kind for e in three.events.list(app)]
    assert kinds == ["create", "start", "die", "start", "die"]


@pytest.mark.parametrize("told", [True, False])
def test_an_out_of_memory_kill_is_an_event(rig, container, docker_client, told, monkeypatch):
    """The instance says so too, also when the engine does not tell it of the container."""
    one: Rig = rig()
    inspect = one.engine.inspect
    if not told:
        monkeypatch.setattr(
            one.engine, "inspect", lambda id: replace(inspect(id), oom_killed=False)
        )
    for _ in range(5):  # of a hundred, the engine itself misses one
        app = unique("oom")
        made = container(
            "x=a; while :; do x=$x$x; done", name=app, mem_limit="8m", memswap_limit="8m"
        )
        wait_until(lambda app=app: "die" in kinds(one, app), 30)
        if "oom" in kinds(one, app) or _says_oom(docker_client, made):
            wait_until(lambda app=app: "oom" in kinds(one, app), what="the event")
            wait_until(lambda app=app: one.apps.get(app).instances[0].oom_killed)
            return
    raise AssertionError("the engine told of none of five")


def _says_oom(docker_client, made) -> bool:
    """Whether the engine told of it, within a second of the end."""
    now = time.time()
    told = docker_client.events(
        since=now - 60, until=now + 1, filters={"container": made.id}, decode=True
    )
    return "oom" in [event["Action"] for event in told]


def _ask_and_hold(one: Rig, container: str, monkeypatch):
    """Somebody asks the engine about it, and its answer, which is there, is held back.

    Returns who asks, what lets the answer go on, and all answers of the engine so far."""
    inspect, held, answers = one.engine.inspect, Event(), []

    def slow(container):
        answers.append(found := inspect(container))
        if gevent.getcurrent() is asking:
            held.wait(patient(20))
        return found

    monkeypatch.setattr(one.engine, "inspect", slow)
    asking = gevent.Greenlet(one.inventory.refresh, container)
    asking.start()
    wait_until(lambda: any(found.id == container for found in answers))
    return asking, held, answers


def test_an_answer_that_took_long_does_not_replace_a_newer_one(rig, container, monkeypatch):
    """Two may ask about one container at once, and the later question be answered first."""
    app = unique("overtaken")
    one: Rig = rig()
    made = container(name=app)
    wait_until(lambda: state(one, app) == "running")
    asking, held, answers = _ask_and_hold(one, made.id, monkeypatch)
    made.kill()
    wait_until(lambda: answers[-1].state == "exited", what="the newer answer")
    held.set()
    assert asking.get(patient(10)).state == "exited"
    assert state(one, app) == "exited"


def test_an_answer_that_took_long_does_not_bring_back_what_was_removed(rig, container, monkeypatch):
    """Asked while it was there, answered when it had gone."""
    app = unique("ghost")
    one: Rig = rig()
    made = container(name=app)
    wait_until(lambda: state(one, app) == "running")
    asking, held, _ = _ask_and_hold(one, made.id, monkeypatch)
    made.remove(force=True)
    wait_until(lambda: one.apps.get(app) is None, what="its removal")
    held.set()
    assert asking.get(patient(10)) is None
    assert one.apps.get(app) is None


def test_what_was_not_found_is_not_brought_back_before_its_event(rig, container, monkeypatch):
    """The engine may answer that it has gone before it tells of the removal."""
    app = unique("early")
    one: Rig = rig()
    made = container(name=app)
    wait_until(lambda: state(one, app) == "running")
    on = one.inventory._on
    monkeypatch.setattr(
        one.inventory, "_on", lambda event: None if event.action == "destroy" else on(event)
    )
    asking, held, _ = _ask_and_hold(one, made.id, monkeypatch)
    made.remove(force=True)
    assert one.inventory.refresh(made.id) is None
    assert one.apps.get(app) is None
    held.set()
    assert asking.get(patient(10)) is None
    assert one.apps.get(app) is None


def test_helpers_of_our_own_are_no_apps(rig, container):
    """A container with the label ``cloudbang.hidden=true`` is not listed, told of or kept."""
    before, after, shown = unique("helper"), unique("helper"), unique("shown")
    container("sleep 1000", name=before, labels={"cloudbang.hidden": "true"})
    one: Rig = rig()
    hidden = container("sleep 1000", name=after, labels={"cloudbang.hidden": "true"})
    container("sleep 1000", name=shown, labels={"cloudbang.hidden": "no"})
    wait_until(lambda: state(one, shown) == "running")
    assert one.inventory.refresh(hidden.id) is None
    hidden.remove(force=True)
    again = container("sleep 1000")
    wait_until(lambda: state(one, again.name) == "running")
    for name in (before, after):
        assert one.apps.get(name) is None
        assert one.events.list(name) == []
    assert not any(i.name in (before, after) for i in one.inventory.instances())


def test_a_locked_database_delays_no_container(rig, container):
    """Another program holds the database's lock for longer than anybody waits for it, twice:
    containers are seen meanwhile, and what happened to them is kept afterwards, each once."""
    one: Rig = rig()
    wait_until(one.inventory.ready.is_set)
    one.database.write(lambda c: c.exec_driver_sql("PRAGMA busy_timeout = 1000").all())
    other = sqlite3.connect(one.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    locked = time.monotonic()
    made = {}
    for name in (unique("locked") for _ in range(3)):
        watch = Stopwatch()
        made[name] = container("echo hello; sleep 1000", name=name)
        wait_until(lambda name=name: state(one, name) == "running", 5)
        wait_until(lambda name=name: one.store.next_seq(name) == 2, 5, "its line")
        assert watch.seconds < 5
    first = next(iter(made))
    made[first].kill()
    wait_until(lambda: state(one, first) == "exited", 5)
    assert all(kinds(one, name) == [] for name in made), "reads go on, and see nothing yet"
    assert one.recorder.waiting >= 7
    gevent.sleep(max(0, 2.5 - (time.monotonic() - locked)))
    other.execute("COMMIT")
    other.close()
    wait_until(lambda: one.recorder.waiting == 0, 15, "the events")
    assert kinds(one, first) == ["create", "start", "die"]
    assert all(kinds(one, name) == ["create", "start"] for name in made if name != first)
    assert one.recorder.dropped == 0
