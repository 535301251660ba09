"""What may happen to a gateway, on a real engine: it is put right, and nobody else notices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import gevent
import httpx
import pytest

from cloudbang.config import GatewaySettings
from cloudbang.domain.deploy.caddy import local_host
from cloudbang.gateway import service
from cloudbang.gateway.errors import GatewayAway
from cloudbang.gateway.service import NAME
from tests.gateway.ground import HTTP_PORT, HTTPS_PORT, OWN_PORTS, Ground, spec
from tests.gateway.load import Load, Talker
from tests.support import patient, rounds, wait_until

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def app(ground: Ground) -> Iterator[str]:
    """The host of an app that is reached."""
    running = ground.run("steady", 1)
    ground.gateway.publish("steady", spec())
    ground.gateway.switch("steady", running)
    yield local_host("steady")
    ground.gateway.withdraw("steady")
    ground.end(running)


def answers(ground: Ground, host: str, text: str) -> bool:
    try:
        return ground.text(host) == text
    except httpx.HTTPError:
        return False


def containers(ground: Ground) -> list[str]:
    tasks = [task for task in ground.engine.tasks(NAME) if task.state == "running"]
    return [task.container for task in tasks]


def container_of(ground: Ground) -> str:
    """The one that runs, once there is one: what was changed before may have brought another."""
    found: list[str] = wait_until(lambda: containers(ground), 40, "the gateway's container")
    [container] = found
    return container


def test_killed_it_comes_back_with_its_routes(ground: Ground, app: str) -> None:
    """Without being told by anybody; the next change is made as if nothing had been."""
    container = container_of(ground)
    ground.docker.containers.get(container).kill()
    wait_until(lambda: containers(ground) not in ([], [container]), 30, "another one")
    wait_until(lambda: answers(ground, app, "steady-r1"), 20, "the app to answer")
    ground.gateway.publish("steady", spec())
    assert len(containers(ground)) == 1


@pytest.mark.slow("it is waited for whether Swarm brings it back")
def test_its_socket_gone_it_is_started_anew(ground: Ground, app: str) -> None:
    """Nobody could tell it anything for ever; the socket is there again within 30 s."""
    container = container_of(ground)
    (ground.run_folder / "admin.sock").unlink()
    wait_until(lambda: (ground.run_folder / "admin.sock").exists(), 30, "its socket")
    wait_until(lambda: answers(ground, app, "steady-r1"), 20, "the app to answer")
    assert containers(ground) != [container]
    ground.gateway.publish("steady", spec())


def test_a_configuration_changed_by_hand_is_put_back(ground: Ground, app: str) -> None:
    repairs = ground.gateway.repairs
    wanted = ground.admin.config()
    changed = json.loads(json.dumps(wanted))
    changed["apps"]["http"]["servers"]["http"]["routes"] = []
    ground.admin.load(changed)

    def runs() -> object:
        with suppress(GatewayAway):  # with each configuration it opens its socket anew
            return ground.admin.config()
        return None

    wait_until(lambda: runs() == wanted, 30, "the configuration")
    wait_until(lambda: ground.gateway.repairs > repairs, 10, "it to be counted")
    wait_until(lambda: answers(ground, app, "steady-r1"), 20, "the app to answer")
    assert ground.gateway.repairs == repairs + 1


@pytest.mark.parametrize("damage", ["", "nonsense: {env.HOME}", "other-r7"])
def test_an_apps_file_changed_by_hand_is_put_back(ground: Ground, app: str, damage: str) -> None:
    """Requests go where they were switched to."""
    path = ground.run_folder / "up" / "steady"
    path.write_text(damage)
    wait_until(lambda: path.read_text() == "steady-r1", 30, "the file")
    wait_until(lambda: answers(ground, app, "steady-r1"), 20, "the app to answer")


def test_a_service_removed_is_made_again(ground: Ground, app: str) -> None:
    """And one that somebody changed is as it was, with the ports that it had."""
    ground.engine.remove_service(NAME)
    wait_until(lambda: answers(ground, app, "steady-r1"), 40, "the app to answer")

    def fewer(found: dict) -> dict:
        ports = found["EndpointSpec"]["Ports"]
        assert len(ports) == 6
        return {**found, "EndpointSpec": {"Mode": "dnsrr", "Ports": ports[:1]}}

    ground.engine.update_service(NAME, fewer)
    wait_until(lambda: len(ground.service_ports()) == 6, 40, "its ports")
    wait_until(lambda: answers(ground, app, "steady-r1"), 20, "the app to answer")


def test_two_silences_are_no_long_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway on a busy machine that is slow to answer once, and again an hour later, is not
    started anew: that would end everybody's connections."""
    clock = [1000.0]

    class Silent:
        def config(self) -> None:
            raise GatewayAway("no answer within 5 s", True)

    monkeypatch.setattr(service, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    settings = GatewaySettings(http_port=HTTP_PORT, https_port=HTTPS_PORT, ports=OWN_PORTS)
    one = service.GatewayService(None, tmp_path, settings, (), Silent())  # type: ignore[arg-type]
    for _ in range(3):
        with pytest.raises(GatewayAway):
            one._stays_away()
        clock[0] += 3600
        one.answered()
    with pytest.raises(GatewayAway):
        one._stays_away()
    clock[0] += service.SILENT + 1
    assert one._stays_away() == "mute"


@pytest.mark.slow("it is waited for whether Swarm brings it back")
def test_what_it_kept_being_damaged_it_begins_anew(
    ground: Ground, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of its own that it cannot read would end it again and again."""
    monkeypatch.setattr(service, "BY_ITSELF", 4.0)
    saved = ground.run_folder.parent / "config" / "caddy" / "autosave.json"
    container = container_of(ground)
    saved.write_text("{")
    ground.docker.containers.get(container).kill()
    wait_until(lambda: answers(ground, app, "steady-r1"), 60, "the app to answer")


def test_after_a_restart_of_ours_nothing_is_loaded(ground: Ground, app: str) -> None:
    """What runs is what is wanted: nobody's connection is closed."""
    ground.gateway.stop()
    ground.gateway = ground.new_gateway()
    ground.gateway.publish("steady", spec())
    assert (ground.gateway.loads, ground.gateway.restarts) == (0, 0)
    assert ground.gateway.switched("steady") == "steady-r1"


def test_a_name_that_nobody_has_slows_nobody(ground: Ground, app: str) -> None:
    """Requests of an app of which nothing runs are held; those of others are answered as ever."""
    ground.gateway.publish("dead", spec())
    ground.gateway.switch("dead", "dead-r1")
    held = [gevent.spawn(ground.ask, local_host("dead")) for _ in range(5)]
    gevent.sleep(1.5)
    load = Load(HTTP_PORT, app, rate=50, connections=5).start()
    gevent.sleep(3)
    load.stop()
    assert load.errors == []
    # One lookup that leads outside takes ten seconds and more.
    assert max(load.seconds) < min(patient(3), 9)
    gevent.killall(held)
    ground.gateway.withdraw("dead")


@pytest.mark.slow("fifty configurations are loaded")
def test_fifty_changes_drop_no_websocket(ground: Ground, app: str) -> None:
    """Of another app."""
    talkers = [Talker(HTTP_PORT, app) for _ in range(10)]
    loads = ground.gateway.loads
    for n in range(25):
        ground.gateway.publish("comes", spec(route={"host": f"n{n}.example.com"}))
        ground.gateway.publish("goes", spec(route={"host": f"m{n}.example.com"}))
    assert ground.gateway.loads == loads + 50
    said = [one.said for one in talkers]
    wait_until(lambda: all(t.said > s or t.lost for t, s in zip(talkers, said, strict=True)), 10)
    assert [one.lost for one in talkers] == [""] * 10
    for one in talkers:
        one.close()
    ground.gateway.withdraw("comes")
    ground.gateway.withdraw("goes")


@pytest.mark.slow("releases are started and removed")
def test_switches_lose_no_request(ground: Ground) -> None:
    """Twenty to and fro, then releases that are replaced and removed; under load, with slow
    requests beside, of an app that ends at once when it is told to."""
    old, new = ground.run("busy", 1), ground.run("busy", 2)
    ground.gateway.publish("busy", spec())
    ground.gateway.switch("busy", old)
    host, loads = local_host("busy"), ground.gateway.loads
    load = Load(HTTP_PORT, host, rate=100, connections=20, slow=3, takes=1).start()
    for _ in range(20):
        ground.gateway.publish("busy", spec())
        ground.gateway.switch("busy", new)
        old, new = new, old
        gevent.sleep(0.2)
    for number in range(3, 3 + rounds(2, 20)):
        ground.drain("busy", new)
        ground.end(new)
        new = ground.run("busy", number)
        ground.gateway.switch("busy", new)
        old, new = new, old
    wait_until(lambda: load.errors or load.answers[f"busy-r{number}"], 40, "the last to answer")
    load.stop()
    assert load.errors == []
    assert load.answers.keys() == {f"busy-r{n}" for n in range(1, number + 1)}
    assert load.slow_done >= 3
    assert ground.gateway.loads == loads
    ground.gateway.withdraw("busy")
    for one in (old, new):
        ground.end(one)
