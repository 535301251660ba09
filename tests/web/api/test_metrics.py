"""What apps are measured by, over HTTP: asked for, and added to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.sweep import InstanceSample, Sweep
from tests.web.web_support import WebGround

A = "a" * 64


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebGround]:
    made = WebGround(tmp_path_factory.mktemp("metrics"))
    made.apps.create("web", "default")
    measure(made)
    yield made
    made.close()


@pytest.fixture
def browser(ground: WebGround) -> Any:
    return ground.person()


def measure(ground: WebGround) -> None:
    """20 seconds until now."""
    now = int(time.time())
    for at in range(now - 19, now + 1):
        values = {"cpu": 0.5, "memory": 4096.0 * 1_000}
        one = InstanceSample(A, "web", values)
        sweep = Sweep(at, at % 5 == 0, [one], {"web": [A]}, {("cpu", ()): 1.5})
        ground.metrics.take(sweep)
    return now


def test_what_was_measured_is_asked_for(ground: WebGround, browser: Any) -> None:
    now = ground.metrics.newest
    query = {"names": "cpu,memory", "since": now - 9, "until": now + 1}
    found = browser.get("/api/v1/apps/web/metrics", query_string=query).json
    assert [(one["name"], one["unit"]) for one in found["series"]] == [
        ("cpu", "cores"),
        ("memory", "bytes"),
    ]
    assert found["series"][0]["points"] == [[at, 0.5, 0.5, 0.5] for at in range(now - 9, now + 1)]
    assert (found["kept"], found["trouble"]) == (1, None)


def test_an_app_has_its_latest_samples(ground: WebGround, browser: Any) -> None:
    expected = {"cpu": 0.5, "memory": 4_096_000.0}
    for app in (browser.get("/api/v1/apps/web").json, browser.get("/api/v1/apps").json["apps"][0]):
        assert app["name"] == "web"
        assert app["samples"].items() >= expected.items()


def test_a_time_is_seconds_or_as_everywhere(ground: WebGround, browser: Any) -> None:
    now = ground.metrics.newest
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 5))
    for since in (now - 5, moment):
        found = browser.get("/api/v1/apps/web/metrics", query_string={"since": since}).json
        assert found["since"] == now - 5


def test_the_node_is_asked_for_alike(browser: Any) -> None:
    found = browser.get("/api/v1/node/metrics", query_string={"names": "cpu"}).json
    assert {point[2] for point in found["series"][0]["points"]} == {None, 1.5}


@pytest.mark.parametrize(
    "query", [{"points": 0}, {"points": 2_001}, {"since": "yesterday"}, {"instances": "maybe"}]
)
def test_what_cannot_be_used_is_said(browser: Any, query: dict[str, Any]) -> None:
    answer = browser.get("/api/v1/apps/web/metrics", query_string=query)
    assert (answer.status_code, answer.json["code"]) == (400, "bad-request")
    assert answer.json["name"] == next(iter(query))


def post(browser: Any, samples: Any, **options: Any) -> Any:
    return browser.post("/api/v1/apps/web/samples", {"samples": samples}, **options)


def test_samples_are_taken_and_what_is_not_says_why(ground: WebGround, browser: Any) -> None:
    good = {"name": "orders", "value": 12.5, "unit": "1/s"}
    old = {**good, "time": time.time() - 7_200}
    answer = post(browser, [good, old, {**good, "value": -1, "kind": "counter"}])
    assert (answer.status_code, answer.json["taken"]) == (202, 1)
    assert [index for index, _ in answer.json["refused"]] == [1, 2]
    assert "7200 s ago" in answer.json["refused"][0][1]
    found = browser.get("/api/v1/apps/web/metrics", query_string={"names": "orders"}).json
    assert found["series"][0]["unit"] == "1/s"
    assert found["series"][0]["points"][-1][2] in (12.5, None)
    assert found["refused"]["count"] == 2
    assert "12.5" not in found["refused"]["last"]["why"]


def test_the_reason_is_in_the_readers_language(browser: Any) -> None:
    headers = {"Accept-Language": "zh-CN"}
    answer = post(browser, [{"name": "cpu", "value": 1}], headers=headers)
    assert answer.json["refused"] == [[0, "cpu 是云帮自己测量的指标：请换一个名称"]]


def test_five_thousand_at_once_and_no_more(browser: Any) -> None:
    many = [{"name": f"many{n % 100}", "value": n} for n in range(5_000)]
    assert post(browser, many).json == {"taken": 5_000, "refused": []}
    assert post(browser, [*many, many[0]]).status_code == 400
    assert post(browser, "orders").status_code == 400
    assert post(browser, [1, None, []]).json["taken"] == 0


def test_who_only_looks_adds_nothing(ground: WebGround) -> None:
    looks = ground.person("vic", "viewer")
    assert looks.get("/api/v1/apps/web/metrics").status_code == 200
    assert post(looks, []).status_code == 403


def test_deleting_an_app_takes_what_was_measured_of_it(ground: WebGround, browser: Any) -> None:
    ground.apps.create("gone", "default", "put")
    ground.log("gone", ["a line"])
    assert browser.post("/api/v1/apps/gone/samples", {"samples": [{"name": "x", "value": 1}]})
    assert ground.metrics.of("gone") is not None
    answer = browser.delete("/api/v1/apps/gone")
    assert answer.status_code == 204
    assert ground.metrics.of("gone") is None
    assert NODE not in browser.get("/api/v1/apps").text
