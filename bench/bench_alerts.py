"""Alerts: how soon a webhook is told of what died, of 200 apps at once, and what an hour without it costs."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from bench.bench_live import private_engine, remove, serving
from cloudbang.domain.alerts.delivery import AT_LATEST
from tests.monitoring.alerts.ground import changes, ground
from tests.monitoring.alerts.services import Service, answer, service
from tests.support import ServerProcess, wait_until

DEATHS = 5
KILLS = 20  # for want of memory
STOPS = 20  # that somebody asked for
DIES = "trap 'exit 3' USR1; while :; do sleep 0.1; done"
# All the memory that it is given: the first process itself, or a child that it goes on without.
EATS = (
    "trap 'exec tail /dev/zero' USR1; while :; do sleep 0.1; done",
    "trap 'tail /dev/zero' USR1; while :; do sleep 0.1; done",
)
ENDS = "trap 'exit 143' TERM; while :; do sleep 0.1; done"


def _add(server: ServerProcess, hook: Service) -> None:
    headers = {"X-CSRF-Token": server.get("/api/v1/me")["csrf_token"], "Origin": server.url}
    body = {"name": "hook", "kind": "webhook", "address": hook.address, "private": True, "cap": 100}
    made = server.client.post("/api/v1/alerts/receivers", json=body, headers=headers)
    assert made.status_code == 201, made.text


def _told(hook: Service, app: str) -> list[str]:
    """By which rules."""
    every = [item for asked in hook.asked for item in asked.json["incidents"]]
    return [item["rule"] for item in every if item["app"] == app]


class Soon(NamedTuple):
    """Seconds from the end to the webhook, of the slowest; how many were told; and how many of those
    that somebody had asked for."""

    died: float
    killed: float
    told: int
    asked_for: int


def _soon() -> Soon:
    with private_engine() as (engine, image), serving(engine) as server, service() as hook:
        _add(server, hook)
        made: list[Any] = []

        def begin(name: str, script: str, **more: Any) -> Any:
            more = {"network_mode": "none", "detach": True, "name": name, **more}
            made.append(engine.client.containers.run(image, ["sh", "-c", script], **more))
            return made[-1]

        def seen(name: str) -> None:
            wait_until(lambda: server.client.get(f"/api/v1/apps/{name}").is_success, 60)

        def slowest(names: Sequence[str], what: str) -> tuple[float, int]:
            """One after the other, each after the time in which what follows another is grouped."""
            most, told = 0.0, 0
            for name in names:
                began = time.monotonic()
                engine.client.containers.get(name).kill("USR1")
                with suppress(AssertionError):
                    wait_until(lambda name=name: what in _told(hook, name), 20, every=0.01)
                    told += 1
                most = max(most, time.monotonic() - began)
                time.sleep(AT_LATEST + 0.5)
            return most, told

        dies = [begin(f"dies{n}", DIES).name for n in range(DEATHS)]
        eats = [begin(f"eats{n}", EATS[n % 2], mem_limit="24m").name for n in range(KILLS)]
        ends = [begin(f"ends{n}", ENDS) for n in range(STOPS)]
        for one in made:
            seen(one.name)
        died, _ = slowest(dies, "An app died")
        time.sleep(20)
        for n, one in enumerate(ends):  # as people do: stopped, told to end, restarted, removed
            if n % 4 == 0:
                one.stop(timeout=5)
            elif n % 4 == 1:
                one.kill("TERM")
            elif n % 4 == 2:
                one.restart(timeout=5)
            else:
                one.remove(force=True)
        killed, told = slowest(eats, "Out of memory")
        asked_for = sum(bool(_told(hook, f"ends{n}")) for n in range(STOPS))
        remove(
            [one for one in made if not one.name.startswith("ends") or int(one.name[4:]) % 4 != 3]
        )
    return Soon(died, killed, told, asked_for)


def _together() -> tuple[int, float]:
    """200 apps that die within two seconds: messages within ten, and when the first came, by the clock."""
    with tempfile.TemporaryDirectory() as folder, service() as hook, ground(Path(folder)) as made:
        made.rules("An app died")
        made.receiver(hook.address)
        began, first = made.clock.passed, 0.0
        for n in range(200):
            made.dies(f"app{n}")
            if n % 100 == 99:
                made.look(1)
        while made.clock.passed - began < 10:
            made.look(0.5, 0.5)
            made.pump()
            if hook.asked and not first:
                first = made.clock.passed - began
        whole = len(set(changes(hook.asked))) == 200
    return (len(hook.asked) if whole else 999), first


def _outage() -> int:
    """Messages lost, or doubled under two names, of ten alerts in an hour without the channel."""
    with tempfile.TemporaryDirectory() as folder, service() as hook, ground(Path(folder)) as made:
        made.rules("An app died")
        made.receiver(hook.address)
        hook.answers = lambda asked: answer(503)
        for n in range(10):
            made.dies(f"app{n}")
            made.look(10)
            made.pump(360, 10)
            if n == 5:
                made.restart()
        hook.asked.clear()
        hook.answers = lambda asked: answer(200)
        made.pump(1800, 30)
        wanted = Counter((f"app{n}", "began") for n in range(10))
        found = Counter(changes(hook.asked))
    return (wanted - found).total() + (found - wanted).total()


def run() -> list[dict[str, object]]:
    soon = _soon()
    messages, first = _together()
    row = {"better": "lower", "unit": "s"}
    many = f"{KILLS} kills for want of memory"
    return [
        {
            "name": f"the slowest of {DEATHS} deaths to the webhook",
            "value": soon.died,
            "limit": 5.0,
            **row,
        },
        {
            "name": f"the slowest of {many} to the webhook",
            "value": soon.killed,
            "limit": 5.0,
            **row,
        },
        {
            "name": f"of {many}: told as that",
            "value": soon.told,
            "limit": KILLS,
            "better": "higher",
            "unit": "",
        },
        {
            **row,
            "name": f"of {STOPS} containers that somebody stopped, restarted or removed: told",
            "value": soon.asked_for,
            "limit": 0,
            "unit": "",
        },
        {
            **row,
            "name": "200 apps down together: messages within 10 s",
            "value": messages,
            "limit": 1,
            "unit": "",
        },
        {"name": "and the first of them", "value": first, "limit": 10.0, **row},
        {
            **row,
            "name": "an hour without the channel and a restart: lost, or doubled under two names",
            "value": _outage(),
            "limit": 0,
            "unit": "",
        },
    ]
