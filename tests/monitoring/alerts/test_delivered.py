"""The whole way, on a real engine: a container dies, and a webhook is told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.monitoring.alerts.services import Service, answer
from tests.support import ServerProcess, Stopwatch, wait_until

WITHIN = 5.0  # seconds


def change(server: ServerProcess, method: str, path: str, body: object) -> httpx.Response:
    token = server.get("/api/v1/me")["csrf_token"]
    headers = {"X-CSRF-Token": token, "Origin": server.url}
    return server.client.request(method, f"/api/v1/alerts{path}", json=body, headers=headers)


def told(hook: Service, app: str) -> list[str]:
    """What was said of an app: others on this engine may die as well."""
    return [
        item["change"]
        for asked in hook.asked
        for item in asked.json["incidents"]
        if item["app"] == app
    ]


def alert_of(server: ServerProcess, app: str) -> Any:
    (alert,) = server.get("/api/v1/alerts", app=app)["alerts"]
    return alert


def add_hook(server: ServerProcess, hook: Service) -> int:
    body = {"name": "hook", "kind": "webhook", "address": hook.address, "private": True}
    made = change(server, "POST", "/receivers", body)
    assert made.status_code == 201, made.text
    assert "token-of-it" not in made.text
    return int(made.json()["id"])


@pytest.mark.slow("a server is started twice, and killed in between")
def test_a_container_that_dies_is_told_and_one_that_was_stopped_is_not(
    new_server: Callable[..., ServerProcess], container: Callable[..., Any], hook: Service
) -> None:
    """Within five seconds; through a kill -9 of the server while the webhook is away, once by one name."""
    server = new_server()
    receiver = add_hook(server, hook)
    tested = change(server, "POST", f"/receivers/{receiver}/test", {})
    assert tested.json() == {"accepted": True, "code": "200", "text": ""}
    dies = container("trap 'exit 3' USR1; while :; do sleep 0.1; done")
    stopped = container("trap 'exit 1' TERM; while :; do sleep 0.1; done")
    killed = container()
    for one in (dies, stopped, killed):
        wait_until(lambda one=one: server.client.get(f"/api/v1/apps/{one.name}").status_code == 200)
    hook.asked.clear()
    stopped.stop()
    killed.remove(force=True)
    watch = Stopwatch()
    dies.kill("USR1")
    wait_until(lambda: told(hook, dies.name), 10, every=0.02)
    assert watch.seconds <= WITHIN
    # The hook has it a moment before that is written down.
    wait_until(lambda: alert_of(server, dies.name)["told"] == {"sent": 1}, what="it to be told")
    alert = alert_of(server, dies.name)
    assert alert["state"] == "firing"
    assert alert["text"] == f"{dies.name} died, exit code 3"
    events = [one["kind"] for one in server.get(f"/api/v1/apps/{dies.name}/events")["events"]]
    assert "alert" in events

    hook.answers = lambda asked: answer(503)
    again = container("trap 'exit 4' USR1; while :; do sleep 0.1; done")
    wait_until(lambda: server.client.get(f"/api/v1/apps/{again.name}").status_code == 200)
    again.kill("USR1")
    wait_until(lambda: told(hook, again.name), 10)
    server.kill()
    hook.answers = lambda asked: answer(200)
    server.start()
    wait_until(lambda: len(told(hook, again.name)) >= 2, 30)
    names = {a.json["id"] for a in hook.asked if again.name in a.body.decode()}
    assert len(names) == 1
    assert told(hook, dies.name) == ["began"]
    assert not told(hook, stopped.name)
    assert not told(hook, killed.name)
    assert "token-of-it" not in server.said(1_000_000)


@pytest.mark.slow("what is measured, and a log, are looked at every five seconds")
def test_a_metric_and_a_log_over_their_limits(
    new_server: Callable[..., ServerProcess], container: Callable[..., Any], hook: Service
) -> None:
    """As the kernel and the app tell them; what a log said before there was a rule counts for nothing."""
    server = new_server()
    add_hook(server, hook)
    one = container("echo failed before; while :; do sleep 0.5; cat /dev/shm/said; done")
    wait_until(lambda: server.client.get(f"/api/v1/apps/{one.name}").status_code == 200)
    wait_until(lambda: server.lines(one.name), 20)
    conditions = {
        "metric": {"metric": "processes", "begin": 1, "end": 0},
        "log": {"text": "fail*now", "begin": 3, "end": 0, "within": 60},
    }
    for kind, condition in conditions.items():
        rule = {"app": one.name, "name": kind, "kind": kind, "condition": condition}
        made = change(server, "POST", "/rules", rule)
        assert made.status_code == 201, made.text
    wait_until(lambda: told(hook, one.name), 30)
    assert [a["what"] for a in server.get("/api/v1/alerts", app=one.name)["alerts"]] == ["metric"]
    one.exec_run(["sh", "-c", "echo it FAILED just now > /dev/shm/said"])
    wait_until(lambda: len(told(hook, one.name)) == 2, 30)
    (log, _) = server.get("/api/v1/alerts", app=one.name)["alerts"]
    assert (log["what"], log["text"].partition(" lines of ")[2]) == (
        *("log", f"{one.name} with “fail*now” within 1 minutes"),
    )
