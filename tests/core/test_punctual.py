"""A limit counts from when it is set, however long the turn of the loop has taken by then."""

from __future__ import annotations

import subprocess
import sys
import time

import gevent
import gevent.event
import gevent.hub
from gevent import monkey

from tests.support import ROOT, patient

really_sleep = monkey.get_original("time", "sleep")
LIMIT, TURN = 0.3, 0.5  # seconds


def test_limits_after_a_long_turn_of_the_loop() -> None:
    """Of every kind that gevent has: none has passed when it begins."""
    never = gevent.event.Event()
    waits = {
        "an event": lambda: never.wait(LIMIT),
        "a limit": lambda: limited(LIMIT),
        "several": lambda: gevent.joinall([waiting], timeout=LIMIT),
        "a greenlet": lambda: waiting.join(LIMIT),
        "a timer": timed,
        "a pause": lambda: gevent.sleep(LIMIT),
    }
    waiting = gevent.spawn(never.wait)
    took = {}
    for name, wait in waits.items():
        gevent.sleep(0.001)  # a turn begins
        really_sleep(TURN)
        began = time.monotonic()
        wait()
        took[name] = time.monotonic() - began
    waiting.kill()
    assert {name: seconds for name, seconds in took.items() if seconds < LIMIT - 0.002} == {}


def timed() -> None:
    """As the tick that readers share."""
    waiter = gevent.hub.Waiter()
    timer = gevent.get_hub().loop.timer(LIMIT)
    timer.start(waiter.switch, None)
    waiter.get()
    timer.close()


def limited(seconds: float) -> None:
    with gevent.Timeout(seconds, False):
        gevent.event.Event().wait()


def test_the_server_and_the_commands_have_it() -> None:
    code = (
        "import sys, gevent\n"
        "if sys.argv[1] == 'wsgi': import wsgi\n"
        "else:\n"
        "    from cloudbang.cli.main import main\n"
        "    main.get_command(None, 'token')\n"
        "print(type(gevent.get_hub().loop).__name__)"
    )
    for what in ("wsgi", "command"):
        ran = subprocess.run(
            [sys.executable, "-c", code, what],
            capture_output=True,
            text=True,
            timeout=patient(60),
            cwd=ROOT,
        )
        assert ran.stdout.strip() == "PunctualLoop", ran.stderr
