"""What is measured, on its way to pages: each second of one app, the last values of all."""

from __future__ import annotations

import struct
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudbang.domain.apps import App
from cloudbang.domain.metrics.exposed import UNREACHED, Why
from cloudbang.domain.metrics.sweep import Sweep
from tests.monitoring.monitoring_support import A, B, sweep
from tests.support import wait_until
from tests.web.live.live_support import Client, LiveGround


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[LiveGround]:
    made = LiveGround(tmp_path / "data")
    made.apps.known |= {"web": App("web"), "cron": App("cron"), "blue": App("blue", team="blue")}
    yield made
    made.close()


def heard(page: Client, op: str) -> Any:
    """The next of these; what was on its way before is passed over."""
    while (message := page.hear())["op"] != op:
        pass
    return message


def measure(ground: LiveGround, at: int, cpu: float = 0.5, **more: dict[str, Any]) -> None:
    apps = {"web": [A], "blue": [B]}
    ground.metrics.take(sweep(at, apps, {A: {"cpu": cpu, **more}, B: {"cpu": 1.0}}))


def minutes(ground: LiveGround, seconds: int = 330) -> int:
    """So many until now; the last one."""
    now = int(time.time())
    for at in range(now - seconds + 1, now + 1):
        measure(ground, at)
    return now


def test_a_page_is_given_the_last_five_minutes_and_then_each_second(ground: LiveGround) -> None:
    now = minutes(ground)
    with ground.client() as page:
        assert page.subscribe("metric/web") == {"op": "subscribed", "channel": "metric/web"}
        history = page.hear()
        assert (history["op"], history["time"], history["not_measured"]) == ("history", now, [])
        cpu = next(one for one in history["series"] if one["name"] == "cpu")
        assert {k: cpu[k] for k in ("unit", "labels", "step", "end")} == {
            "unit": "cores",
            "labels": {},
            "step": 1,
            "end": now,
        }
        assert cpu["values"] == [0.5] * 300
        wait_until(lambda: ground.publisher.wanted("metric/web/"))
        measure(ground, now + 1, 0.75)
        told = heard(page, "samples")
        assert told["time"] == now + 1
        assert ["cpu", {}, 0.75] in told["samples"]


def test_what_is_missing_is_null_and_what_cannot_be_measured_is_said(ground: LiveGround) -> None:
    now = minutes(ground, 10)
    ground.metrics.take(sweep(now + 1, {"web": [A]}, {}))
    measure(ground, now + 2)
    with ground.client() as page:
        page.subscribe("metric/web")
        cpu = next(one for one in page.hear()["series"] if one["name"] == "cpu")
        assert cpu["values"][-3:] == [0.5, None, 0.5]
        wait_until(lambda: ground.publisher.wanted("metric/web/"))
        ground.metrics.say("web", A, {"network.sent": "it has no network"})
        ground.metrics.take(sweep(now + 3, {"web": [A]}, {}))
        assert ["cpu", {}, None] in heard(page, "samples")["samples"]
        (why,) = heard(page, "not_measured")["not_measured"]
        assert why == {"name": "network.sent", "container": "a" * 12, "why": "it has no network"}


def test_why_is_said_in_the_language_of_each_page(ground: LiveGround) -> None:
    """At first, and when it changes; also of what an app exposes itself."""
    now = minutes(ground, 10)
    ground.metrics.say("web", A, {"network.sent": "it has no network"})
    with ground.client() as page:
        ground.language = "zh"
        with ground.client() as theirs:
            page.subscribe("metric/web")
            theirs.subscribe("metric/web")
            assert [one["why"] for one in page.hear()["not_measured"]] == ["it has no network"]
            assert [one["why"] for one in theirs.hear()["not_measured"]] == ["它没有网络"]
            wait_until(lambda: ground.publisher.wanted("metric/web/"))
            facts = {"port": 9100, "reason": "Connection refused"}
            ground.metrics.say_exposed("web", A, Why(UNREACHED, facts))
            measure(ground, now + 1)
            expected = "port 9100 does not answer: Connection refused"
            said = {"name": "", "container": "a" * 12, "why": expected}
            assert heard(page, "not_measured")["not_measured"][1] == said
            why = heard(theirs, "not_measured")["not_measured"][1]["why"]
            assert why == "端口 9100 没有应答：Connection refused"
            ground.metrics.say_exposed("web", A, None)
            measure(ground, now + 2)
            assert len(heard(page, "not_measured")["not_measured"]) == 1


def test_own_metrics_appear_by_themselves(ground: LiveGround) -> None:
    with ground.client() as page:
        page.subscribe("metric/cron")
        assert page.hear()["series"] == []
        wait_until(lambda: ground.publisher.wanted("metric/cron/"))
        ground.metrics.own("cron", [{"name": "orders", "value": 3, "unit": "1/s"}])
        assert heard(page, "samples")["samples"] == [["orders", {}, 3.0]]


def test_of_all_apps_the_last_values_and_a_small_picture(ground: LiveGround) -> None:
    """Of those that one may view; later what changed by what can be seen; who has ended is null."""
    now = minutes(ground) // 10 * 10 + 10
    for at in range(now - 9, now + 1):
        measure(ground, at)
    with ground.client() as page:
        page.subscribe("metric/*")
        first = page.hear()
        assert first["op"] == "overview"
        assert first["columns"] == ["cpu", "memory"]
        assert first["apps"] == {"web": [0.5, None]}
        (cpu, memory) = first["sparks"]["web"]
        assert unpacked(cpu) == pytest.approx([0.5] * 30, rel=1e-3)
        assert unpacked(memory) == [None] * 30
        wait_until(lambda: ground.publisher.wanted("overview/"))
        measure(ground, now + 1, 0.50001)
        assert heard(page, "latest")["apps"] == {}
        measure(ground, now + 2, 0.6)
        assert heard(page, "latest")["apps"] == {"web": [0.6, None]}
        ground.metrics.take(Sweep(now + 3, False, [], {}, {("cpu", ()): 2.5}))
        told = heard(page, "latest")
        assert told["apps"] == {"web": None}
        assert told["node"] == [["cpu", {}, 2.5]]


def unpacked(spark: list[Any]) -> list[float | None]:
    scale, data = spark
    return [None if n < 0 else n * scale for n in struct.unpack("<30h", b64decode(data))]
