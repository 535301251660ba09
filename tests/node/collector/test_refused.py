"""What stands between us and the engine: a filter that refuses, a network that is cut."""

from __future__ import annotations

import logging
import time

import gevent
import pytest
from gevent import socket
from gevent.server import StreamServer

from cloudbang.domain.lines import format_time
from cloudbang.domain.refusals import REFUSALS
from cloudbang.engine.connection import Address
from cloudbang.errors import EngineNotAsked
from cloudbang.node import inventory
from tests.node.collector.rig import Rig
from tests.support import no_descriptor_left, wait_until

ID = "a" * 64


def ago(seconds: float) -> str:
    return format_time(time.time_ns() - int(seconds * 1e9))


@pytest.mark.parametrize("call", ["logs", "inspect"])
def test_a_refused_log_is_said_with_the_permission_that_is_missing(rig, scripted, caplog, call):
    """With the container, as a notice of its app, once in our own log; and it is read as soon as
    that is allowed."""
    caplog.set_level(logging.INFO)
    scripted.add(ID, "web")
    scripted.log(ID, ago(5), "kept")
    scripted.filtered.add(call)
    one: Rig = rig(scripted.host)
    wait_until(lambda: one.notices.now(), what="a notice")
    (notice,) = one.notices.now()
    assert notice.code == f"refused-{call}"
    assert (notice.app, notice.container) == ("web", ID[:12])
    assert notice.message == REFUSALS[call].sentence.en
    assert "CONTAINERS=1" in notice.message
    known = one.inventory.instance(ID)
    assert (known.readable, known.unreadable_reason) == (False, notice.message)
    asked = sum(target.split("?")[0].endswith(_PATH[call]) for target in scripted.asked)
    assert asked <= 6
    scripted.filtered.clear()
    assert one.wait_for("web", 1, 20) == ["kept"]
    assert one.notices.now() == []
    known = one.inventory.instance(ID)
    assert (known.readable, known.unreadable_reason) == (True, None)
    said = [r.getMessage() for r in caplog.records if "refuse" in r.getMessage()]
    assert sum(text == notice.message for text in said) == 1
    assert not any("<html>" in text for text in said)


_PATH = {"logs": "/logs", "inspect": f"/{ID}/json"}


def test_many_logs_that_are_refused_keep_no_other_from_being_read(rig, scripted):
    """Logs of ended containers are read a few at a time: not counting those that may not be."""
    refused = [f"{n:02x}" * 32 for n in range(8)]
    for n, container in enumerate(refused):
        scripted.add(container, f"no-{n}", running=False)
    scripted.filtered.add("logs")
    one: Rig = rig(scripted.host)
    wait_until(lambda: len(one.notices.now()) == len(refused), what="each of them said")


def test_without_events_containers_are_listed_now_and_then(rig, scripted, monkeypatch):
    """Refused events leave a page that shows what there is, a little later; and that is said."""
    monkeypatch.setattr(inventory, "POLL", 0.1)
    monkeypatch.setattr(inventory, "EVENTS_AGAIN", 0.5)
    scripted.filtered.add("events")
    scripted.add(ID, "web")
    scripted.log(ID, ago(5), "one")
    one: Rig = rig(scripted.host)
    assert one.wait_for("web", 1) == ["one"]
    assert one.inventory.engine_state == "connected"
    (notice,) = one.notices.now()
    assert (notice.code, notice.message) == ("refused-events", REFUSALS["events"].sentence.en)
    other = "b" * 64
    scripted.add(other, "shop")
    scripted.log(other, ago(0), "unheard")
    assert one.wait_for("shop", 1) == ["unheard"]
    scripted.filtered.clear()
    wait_until(lambda: one.notices.now() == [], what="events again")


@pytest.mark.parametrize("call", ["list", "version"])
def test_a_refusal_of_everything_names_the_call(rig, scripted, call):
    """What the page says names what is missing, not the text of the filter."""
    scripted.filtered.add(call)
    one: Rig = rig(scripted.host)
    wait_until(lambda: one.inventory.engine_error)
    assert one.inventory.engine_error == REFUSALS[call].sentence.en


def test_an_engine_that_is_well_is_never_an_error(rig, scripted, monkeypatch):
    """Not before it was asked, and not while the next connection for events is made."""
    monkeypatch.setattr("cloudbang.node.inventory.backoff", lambda *_: iter([0.3] * 99))
    scripted.add(ID, "web")
    one: Rig = rig(scripted.host)
    assert one.inventory.engine_error is None
    wait_until(lambda: one.inventory.engine_state == "connected")
    for _ in range(2):
        wait_until(lambda: scripted._events)
        scripted.drop_events()
        wait_until(lambda: one.inventory.engine_state == "connecting", every=0.005)
        assert one.inventory.engine_error is None
        wait_until(lambda: one.inventory.engine_state == "connected")


def test_readers_do_not_wait_once_the_engine_is_back(rig, scripted, monkeypatch):
    """However long an engine was away, its logs are read as soon as it answers."""
    monkeypatch.setattr("cloudbang.core.retry.backoff", lambda *_: iter([3600.0] * 9))
    scripted.add(ID, "web")
    scripted.log(ID, ago(5), "before")
    one: Rig = rig(scripted.host)
    one.wait_for("web", 1)
    scripted.go_away()
    wait_until(lambda: one.inventory.engine_state == "down")
    scripted.log(ID, ago(0), "after")
    scripted.come_back()
    assert one.wait_for("web", 2) == ["before", "after"]


class Relay:
    """A way over TCP to a unix socket, which can be cut without a word."""

    def __init__(self, host: str) -> None:
        self._path, self.cut = host.removeprefix("unix://"), False
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.host = f"tcp://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.stop(0.1)

    def _serve(self, sock: socket.socket, _address: object) -> None:
        while self.cut:
            gevent.sleep(0.02)
        other = socket.socket(socket.AF_UNIX)
        other.connect(self._path)
        gevent.joinall(
            [gevent.spawn(self._pass, sock, other), gevent.spawn(self._pass, other, sock)]
        )
        sock.close()
        other.close()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        was_cut = False
        try:
            while data := one.recv(65536):
                was_cut = was_cut or self.cut
                if not was_cut:
                    other.sendall(data)
            if not (was_cut or self.cut):
                other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def test_a_network_that_is_cut_without_a_word_is_noticed(rig, scripted, monkeypatch):
    """The engine is said to be away, and afterwards its logs are read anew: no connection from
    before carries anything any more."""
    monkeypatch.setattr(inventory, "PING", 0.2)
    monkeypatch.setattr(inventory, "PING_WITHIN", 0.3)
    relay = Relay(scripted.host)
    try:
        scripted.add(ID, "web")
        scripted.log(ID, ago(5), "before")
        one: Rig = rig(relay.host)
        one.engine.timeout = 0.5
        one.wait_for("web", 1)
        relay.cut = True
        scripted.log(ID, ago(0), "meanwhile")
        wait_until(lambda: one.inventory.engine_state == "down", what="the loss")
        relay.cut = False
        assert one.wait_for("web", 2) == ["before", "meanwhile"]
        scripted.log(ID, ago(0), "after")
        assert one.wait_for("web", 3)[-1] == "after"
    finally:
        relay.close()


def test_a_want_of_descriptors_is_not_the_engines(scripted):
    """Nobody is told to start an engine that runs."""
    address = Address(scripted.host)
    address.connect(5).close()
    with no_descriptor_left(), pytest.raises(EngineNotAsked) as told:
        address.connect(5)
    assert "was not asked" in str(told.value)
    assert "start it" not in str(told.value)


def test_an_engine_that_goes_while_it_is_listed_leaves_no_traceback(rig, scripted, monkeypatch):
    """Whoever asks at that moment is told the same; it is said once, and goes on."""
    uncaught: list[object] = []
    monkeypatch.setattr(gevent.get_hub(), "handle_error", lambda *what: uncaught.append(what))
    for n in range(20):
        scripted.add(f"{n:064x}", f"web-{n}")
    one: Rig = rig(scripted.host)
    wait_until(lambda: len(one.inventory.instances()) == 20)
    scripted.mute.add("inspect")
    scripted.drop_events()
    wait_until(lambda: scripted.muted >= 3, what="inspections that end without an answer")
    scripted.mute.clear()
    wait_until(lambda: one.inventory.engine_state == "connected", what="the connection")
    assert not uncaught
