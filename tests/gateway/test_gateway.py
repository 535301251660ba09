"""Routes that come to be: on a real engine, with a real Caddy."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
import pytest

from cloudbang.domain.deploy import caddy
from cloudbang.domain.names import is_hidden
from cloudbang.gateway import GatewayFailed, RouteTaken, gateway, image, service
from cloudbang.gateway.errors import NotHereAlone
from cloudbang.gateway.ipv6 import passes_for_local
from cloudbang.gateway.service import NAME
from tests.gateway.ground import HTTP_PORT, OWN_PORTS, Ground, spec
from tests.support import patient, wait_until

pytestmark = pytest.mark.engine


@pytest.fixture
def gone(ground: Ground) -> None:
    """Nobody has a route, and so there is no gateway."""
    for app in list(ground.gateway.apps):
        ground.gateway.withdraw(app)
    assert ground.engine.service(NAME) is None


def test_an_app_is_reached(ground: Ground, gone: None) -> None:
    """On the machine by its name, from elsewhere at a port of its own; when it has no route any
    more, not at all."""
    running = ground.run("web", 1)
    ground.gateway.publish("web", spec())
    ground.gateway.switch("web", running)
    assert ground.text("web.localhost") == "web-r1"
    local, own = ground.gateway.addresses("web")
    assert (local.url, local.kind) == ("http://web.localhost:8180/", "local")
    assert own.port == 8181
    assert ground.text("anything", port=own.port) == "web-r1"
    assert ground.ask("other.localhost").status_code == 404

    [itself] = ground.docker.containers.list(
        filters={"label": f"com.docker.swarm.service.name={NAME}"}
    )
    assert is_hidden(itself.labels)  # its terminal would be everybody's keys
    assert (ground.run_folder / "log" / "gateway.log").stat().st_mode & 0o777 == 0o600

    with elsewhere() as ask:
        assert ask(f"10.213.7.1:{HTTP_PORT}", "web.localhost") == 404
        assert ask(f"10.213.7.1:{own.port}", "web.localhost") == 200

    # With a domain, it needs no port; the app is told who asks, and not our logins.
    ground.gateway.publish("web", spec(route={"host": "web.example.com", "path": "/cookies"}))
    assert ground.service_ports() == [HTTP_PORT, 8543, 8181, 8182, 8183, 8184]
    cookies = {"Cookie": "a=1; cloudbang_session=SECRET; b=2"}
    assert ground.ask("web.example.com", "/cookies", headers=cookies).text == "a=1; b=2"
    assert ground.ask("web.example.com").status_code == 404
    ground.gateway.withdraw("web")
    assert ground.gateway.addresses("web") == []
    assert ground.engine.service(NAME) is None
    assert not list((ground.run_folder / "up").iterdir())


@contextmanager
def elsewhere() -> Iterator[object]:
    """Another machine: ``ask(address, host)`` is the status of an answer there."""
    name = f"gw{uuid.uuid4().hex[:8]}"

    def run(*command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    program = (
        "import sys, urllib.request as r, urllib.error as e\n"
        "asked = r.Request(f'http://{sys.argv[1]}/', headers={'Host': sys.argv[2]})\n"
        "try: print(r.urlopen(asked, timeout=10).status)\n"
        "except e.HTTPError as found: print(found.code)\n"
    )
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "addr", "add", "10.213.7.1/24", "dev", name)
        run("ip", "link", "set", name, "up")
        inside = ("nsenter", f"--net=/run/netns/{name}")
        run(*inside, "ip", "addr", "add", "10.213.7.2/24", "dev", "eth0")
        run("ip", "addr", "add", "fd77::1/64", "dev", name, "nodad")
        run(*inside, "ip", "addr", "add", "fd77::2/64", "dev", "eth0", "nodad")
        run(*inside, "ip", "link", "set", "eth0", "up")
        run(*inside, "ip", "route", "add", "default", "via", "10.213.7.1")
        yield lambda at, host: int(run(*inside, sys.executable, "-c", program, at, host))
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)


def test_who_comes_by_ipv6_is_not_taken_for_this_machine(ground: Ground, gone: None) -> None:
    """The engine's proxy has them come from where the machine itself comes from."""
    running = ground.run("only", 1)
    here = spec(route={"host": "only-here.localhost"})
    ground.gateway.stop()
    ground.gateway = ground.new_gateway()  # which knows nothing of who could come before
    ground.gateway.publish("only", here)
    ground.gateway.switch("only", running)
    if not passes_for_local(HTTP_PORT, is_up=True):  # whose machine has no IPv6 before
        ground.gateway.check("only", here)
        assert ground.text("only-here.localhost") == "only-r1"
    with elsewhere() as ask:
        assert ask(f"10.213.7.1:{HTTP_PORT}", "only-here.localhost") == 404
        at = f"[fd77::1]:{HTTP_PORT}"
        wait_until(lambda: ask(at, "only-here.localhost") == 404, 10, "it to be closed")
        with pytest.raises(NotHereAlone, match="userland-proxy"):
            ground.gateway.check("only", here)
    ground.gateway.withdraw("only")


def test_a_route_is_known_before_anybody_asks(ground: Ground) -> None:
    """A gateway that was not started yet tells where apps answer, and gives no domain away twice."""
    ground.gateway.publish("known", spec(route={"host": "known.example.com"}))
    made = ground.new_gateway(start=False)
    assert [one.kind for one in made.addresses("known")] == ["domain"]
    with pytest.raises(RouteTaken):
        made.check("other", spec(route={"host": "known.example.com"}))
    ground.gateway.withdraw("known")


def test_a_release_at_another_port_is_switched_to_without_a_word_to_caddy(ground: Ground) -> None:
    """Nothing is loaded, so no connection is closed."""
    first, second = ground.run("moves", 1), ground.run("moves", 2, PORT="8000")
    ground.gateway.publish("moves", spec())
    ground.gateway.switch("moves", first)
    assert ground.text("moves.localhost") == "moves-r1"
    loads = ground.gateway.loads
    ground.gateway.publish("moves", spec(port=8000))
    assert ground.gateway.switched("moves") == first
    assert ground.text("moves.localhost") == "moves-r1"
    ground.gateway.switch("moves", second)
    assert ground.gateway.switched("moves") == second
    assert ground.text("moves.localhost") == "moves-r2"
    assert ground.gateway.loads == loads
    for one in (first, second):
        ground.end(one)


def test_requests_under_way_are_counted(ground: Ground) -> None:
    """Of one release, whatever another one does; those of one that was switched away from, too."""
    old, new = ground.run("counts", 1), ground.run("counts", 2)
    ground.gateway.publish("counts", spec())
    ground.gateway.switch("counts", old)
    addresses = ground.addresses(old)
    asked = [gevent.spawn(ground.ask, "counts.localhost", "/hold") for _ in range(3)]
    count = lambda: ground.gateway.in_flight("counts", 80, old, addresses)  # noqa: E731
    wait_until(lambda: count() == 3, 5, "three requests")
    ground.gateway.switch("counts", new)
    assert count() == 3
    assert ground.gateway.in_flight("counts", 80, new, ground.addresses(new)) == 0
    assert ground.past_the_gateway(old, "/let") == [200]
    assert [one.get().text for one in asked] == ["counts-r1"] * 3
    wait_until(lambda: count() == 0, 5, "none")
    for one in (old, new):
        ground.end(one)


@pytest.mark.slow("an app is stopped and started again")
def test_while_requests_wait_for_an_app_nothing_is_loaded(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would end their waiting. Another app's route comes once they have been answered."""
    monkeypatch.setattr(gateway, "HELD", patient(30))  # a busy machine is slow to start an instance
    monkeypatch.setattr(caddy, "HELD", f"{patient(30):.0f}s")
    running = ground.run("alone", 1)
    ground.gateway.publish("alone", spec())
    ground.gateway.switch("alone", running)
    ground.stop(running)
    ground.gateway.hold("alone")
    asked = [gevent.spawn(ground.ask, "alone.localhost") for _ in range(3)]
    loads = ground.gateway.loads
    route = spec(route={"host": "comes.example.com"})
    other = gevent.spawn(ground.gateway.publish, "comes", route)
    gevent.sleep(0.5)
    assert (ground.gateway.loads, other.ready()) == (loads, False)
    ground.engine.scale_service(running, 1)
    assert [one.get().status_code for one in asked] == [200] * 3
    ground.gateway.publish("alone", spec())
    other.get()
    assert ground.gateway.loads == loads + 1
    monkeypatch.undo()
    ground.gateway.withdraw("comes")
    ground.end(running)


def test_the_access_log_says_whose_a_request_was(ground: Ground) -> None:
    """And which instance answered; nothing of its headers."""
    running = ground.run("logged", 1)
    ground.gateway.publish("logged", spec())
    ground.gateway.switch("logged", running)
    ground.ask("logged.localhost", "/x?y=1", headers={"X-Secret": "canary"})
    log = ground.run_folder / "log" / "access.log"

    def lines() -> list[dict]:
        found = [json.loads(line) for line in log.read_text().splitlines()]
        return [line for line in found if line.get("app") == "logged"]

    [line] = wait_until(lines, 5, "its line")
    assert (line["status"], line["request"]["uri"]) == (200, "/x?y=1")
    assert line["upstream"] == f"{ground.addresses(running)[0]}:80"
    assert "canary" not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    ground.end(running)


def test_a_route_that_is_taken_changes_nothing(ground: Ground) -> None:
    ground.gateway.publish("first", spec(route={"host": "one.example.com"}))
    loads = ground.gateway.loads
    for call in (ground.gateway.check, ground.gateway.publish):
        with pytest.raises(RouteTaken):
            call("second", spec(route={"host": "one.example.com"}))
    assert ground.gateway.loads == loads
    assert "second" not in ground.gateway.apps


def test_another_cloudbangs_gateway_is_left_alone(ground: Ground, tmp_path: Path) -> None:
    """Two of them on one engine would take each other's routes away."""
    ground.gateway.publish("first", spec(route={"host": "one.example.com"}))
    other = Ground(tmp_path, beside=True)
    try:
        with pytest.raises(GatewayFailed) as e:
            other.gateway.publish("web", spec())
        assert e.value.kind == "other"
        assert str(ground.run_folder.parent) in str(e.value)
        assert other.notices.now()[0].code == "gateway-failed"
        other.gateway.withdraw("web")
        assert ground.ask("none.example.com").status_code == 404
    finally:
        other.close()
    assert ground.engine.service(NAME) is not None


@pytest.mark.slow("a gateway is started twice")
def test_ports_that_others_have(ground: Ground, gone: None, monkeypatch) -> None:
    """One of the range is done without; without one that everybody asks there is no gateway, which
    is said with the setting."""
    monkeypatch.setattr(service, "RELEASED", 3.0)
    wait_until(lambda: not service._is_held(HTTP_PORT), 20, "the port of the last one")
    with socket.create_server(("", HTTP_PORT)):
        with pytest.raises(GatewayFailed) as e:
            ground.gateway.publish("web", spec())
        assert (e.value.kind, e.value.setting) == ("port", "CLOUDBANG_GATEWAY_HTTP_PORT")
        assert str(HTTP_PORT) in str(e.value)
    ground.gateway.withdraw("web")
    first = int(OWN_PORTS.split("-")[0])
    wait_until(lambda: not service._is_held(first), 20, "the port of the last one")
    with socket.create_server(("127.0.0.1", first)):
        ground.gateway.publish("web", spec())
        assert first not in ground.service_ports()
        assert ground.gateway.addresses("web")[1].port == first + 1
    assert ground.notices.now() == []


def test_only_the_program_that_was_tried_is_run(tmp_path: Path, monkeypatch) -> None:
    """A package that somebody else put there is not taken for it."""
    assert image.examine_program().ok
    stranger = tmp_path / "caddy"
    stranger.write_bytes(b"#!/bin/sh")
    monkeypatch.setattr(image, "find_program", lambda: stranger)

    class Nothing:
        def image(self, name: str) -> None:
            return None

    with pytest.raises(GatewayFailed) as e:
        image.ensure_image(Nothing())  # type: ignore[arg-type]
    assert str(stranger) in str(e.value)
