"""The composition root: whatever hangs, the end comes in time and the lines are on disk."""

from __future__ import annotations

import gc
import json
import os
import re
import socket
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import gevent
import pytest

from cloudbang.app import ENDING, STOP_WITHIN, Application
from cloudbang.config import Settings
from cloudbang.core.deadline import UNHURRIED, Deadline, StopOrder
from cloudbang.domain.lines import format_time, record
from cloudbang.storage.logs.log_store import LogStore
from tests.support import ROOT, Stopwatch, free_port, patient


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    values: dict[str, Any] = {
        "server": {"port": free_port()},
        "storage": {"path": tmp_path},
        "engine": {"host": f"unix://{tmp_path}/none.sock"},
        "bus": {
            "bind_sub": "tcp://127.0.0.1:*",
            "bind_pub": "tcp://127.0.0.1:*",
            "bind_pub2": "",
        },
    }
    return Settings.model_validate(values)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_whatever_hangs_the_end_comes_and_the_lines_are_kept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every area but the log store hangs for ever: the folder is free within the time for it."""
    left: list[Any] = []
    add, shorter = StopOrder.add, 4.0

    def add_hanging(self: StopOrder, name: str, stop: Any, keep: float = 0.0) -> None:
        def hang(deadline: Deadline) -> None:
            left.append(stop)
            gevent.sleep(60)

        add(self, name, stop if name == "the log store" else hang, keep / shorter)

    monkeypatch.setattr(StopOrder, "add", add_hanging)
    monkeypatch.setattr("cloudbang.app.STOP_WITHIN", (STOP_WITHIN - ENDING) / shorter + ENDING)
    application = Application(settings)
    application.start()
    store: LogStore = application.server.application.extensions["cloudbang"].store  # type: ignore[union-attr]
    when = format_time(time.time_ns()).encode()
    store.append("web", [record(when, b"0123456789ab", b"stdout", b"the last line")])
    watch = Stopwatch()
    application.stop()
    assert watch.seconds < (STOP_WITHIN - ENDING) / shorter + 0.5
    assert len(left) > 10
    again = LogStore(settings.storage.path, settings=settings.storage)
    again.open()
    assert again.next_seq("web") == 2
    again.close()
    for stop in left:
        stop(UNHURRIED)
    gc.collect()  # while the warning about the SDK's sockets is still expected


@pytest.mark.parametrize(
    ("file", "setting"),
    [
        ("supervisord.conf", r"^stopwaitsecs = (\d+)$"),
        ("docker-compose.yml", r"^ *stop_grace_period: (\d+)s$"),
    ],
)
def test_a_stop_may_take_as_long_as_who_asks_waits(file: str, setting: str) -> None:
    """It ends itself before it is killed; but it has that time: on a busy machine each thing that is
    stopped waits for its turn, and was cut off after four seconds with the disk's work undone."""
    (waits,) = re.findall(setting, (ROOT / file).read_text(), re.MULTILINE)
    assert int(waits) - 1.5 <= STOP_WITHIN <= int(waits) - 1


# What a start does without, and what asks for it: each costs every start and every moment of rest.
LATER = {
    "docker": "an image that is looked for: what is asked all the time is asked by hand",
    "requests": "the same",
    "urllib3": "the same",
    "charset_normalizer": "the same",
    "prometheus_client": "/metrics",
    "re2": "a search with an expression",
    "alembic": "a database of an older form, in a child process",
    "babel": "a catalogue that nobody compiled",
    "websockets": "a command that is shared",
    "psutil": "nothing: gevent would watch the memory with it where it is installed",
    "multiprocessing": "nothing",
    "unittest": "nothing",
}


def test_a_start_loads_what_it_needs_and_no_more(settings: Settings) -> None:
    """A server that listens, and has not found an engine, has loaded none of these."""
    code = (
        "import json, sys, gevent, wsgi\n"
        "from cloudbang.app import Application\n"
        "from cloudbang.config import Settings\n"
        "application = Application(Settings.model_validate_json(sys.argv[1]))\n"
        "application.start()\n"
        "gevent.sleep(0.1)\n"
        "print(json.dumps(sorted(sys.modules)))\n"
        "application.stop()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, settings.model_dump_json()],
        capture_output=True,
        text=True,
        timeout=patient(60),
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stderr
    loaded = set(json.loads(ran.stdout))
    assert not set(LATER) & loaded
    assert "encodings.idna" in loaded  # whatever the first request needs and nothing can open then


def test_a_start_that_fails_is_served_to_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is there before the rest: when the rest does not come, it goes first."""
    monkeypatch.setattr(
        Application, "_run_node", lambda *_: os.open("/nowhere/at/all", os.O_RDONLY)
    )
    answers: list[bool] = []

    def stop(order: StopOrder, deadline: Deadline) -> None:
        with socket.socket() as asking:
            answers.append(asking.connect_ex(("127.0.0.1", settings.server.port)) == 0)
        stop_all(order, deadline)

    stop_all = StopOrder.stop
    monkeypatch.setattr(StopOrder, "stop", stop)
    with pytest.raises(FileNotFoundError):
        Application(settings).start()
    assert answers == [False]


def test_nothing_installed_extends_gevent_or_pydantic() -> None:
    """wsgi.py asks no package whether it does; one that did would be passed over. gevent's own
    warns of arguments that it is not given."""
    found = {
        one.value
        for group in entry_points().groups
        if group.startswith(("gevent", "pydantic"))
        for one in entry_points(group=group)
    }
    assert found <= {"gevent.monkey:_subscribe_signal_os"}
