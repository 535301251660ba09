"""Alerts: how soon a webhook is told of what died, of 200 apps at once, and what an hour without it costs."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.bench_live import private_engine, remove, serving
from tests.monitoring.alerts.ground import changes, ground
from tests.monitoring.alerts.services import Service, answer, service
from tests.support import ServerProcess, wait_until

DEATHS = 5
DIES = "trap 'exit 3' USR1; while :; do sleep 0.1; done"
EATS = "sleep 2; tail /dev/zero"  # all the memory that it is given


def _add(server: ServerProcess, hook: Service) -> None:
    headers = {"X-CSRF-Token": server.get("/api/v1/me")["csrf_token"], "Origin": server.url}
    body = {"name": "hook", "kind": "webhook", "address": hook.address, "private": True, "cap": 100}
    made = server.client.post("/api/v1/alerts/receivers", json=body, headers=headers)
    assert made.status_code == 201, made.text


def _told(hook: Service, app: str) -> bool:
    return any(app == item["app"] for asked in hook.asked for item in asked.json["incidents"])


def _soon() -> tuple[float, float]:
    """The slowest of some deaths, and an OOM kill, in seconds from the end to the webhook."""
    with private_engine() as (engine, image), serving(engine) as server, service() as hook:
        _add(server, hook)
        run = engine.client.containers.run
        more: dict[str, Any] = {"network_mode": "none", "detach": True}
        made, slowest = [], 0.0
        for n in range(DEATHS):
            made.append(run(image, ["sh", "-c", DIES], name=f"dies{n}", **more))
            name = f"dies{n}"
            wait_until(lambda name=name: server.client.get(f"/api/v1/apps/{name}").is_success, 60)
            began = time.monotonic()
            made[-1].kill("USR1")
            wait_until(lambda name=name: _told(hook, name), 60, every=0.01)
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(12)  # another death, and no part of a group
        made.append(run(image, ["sh", "-c", EATS], name="eats", mem_limit="16m", **more))
        made[-1].wait(timeout=60)
        began = time.monotonic()
        wait_until(lambda: _told(hook, "eats"), 60, every=0.01)
        oom = time.monotonic() - began
        remove(made)
    return slowest, oom


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
    died, oom = _soon()
    messages, first = _together()
    row = {"better": "lower", "unit": "s"}
    return [
        {
            "name": f"the slowest of {DEATHS} deaths to the webhook",
            "value": died,
            "limit": 5.0,
            **row,
        },
        {"name": "an OOM kill to the webhook", "value": oom, "limit": 5.0, **row},
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
