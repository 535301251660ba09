"""What was counted of an app, asked for as its metrics, in the whole application."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.traffic.ground import Log, line
from tests.support import wait_until
from tests.web.whole_app import NO_ENGINE, WholeApp

pytestmark = NO_ENGINE


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[WholeApp]:
    made = WholeApp(tmp_path)
    made.log("web", "a line, so that there is such an app")
    yield made
    made.close()


@pytest.mark.slow("ten seconds have to end before there are quantiles of them")
def test_requests_errors_clients_and_quantiles(whole: WholeApp) -> None:
    """The numbers of the log, each second and each 10 s, with units of the catalogue."""
    log = Log(whole.parts.gateway.run_folder / "log")
    wait_until(lambda: whole.parts.traffic._loaded, 10, "the start")
    # What was before the start is somebody else's.
    wait_until(
        lambda: time.time() > whole.parts.traffic._seconds._begun + 1, 10, "a second of ours"
    )
    log.write(
        *[line(took=0.2, client=f"192.0.2.{n}") for n in range(30)], line(status=500, took=0.2)
    )
    headers, _ = whole.token("charts", "viewer")

    def series() -> dict[str, Any]:
        answer = whole.ask("/api/v1/apps/web/metrics?names=http.*", headers=headers)
        found: dict[str, Any] = {}
        for one in answer.json["series"]:
            name = ".".join([one["name"], *one["labels"].values()])
            found[name] = [mean for _, _, mean, _ in one["points"] if mean is not None]
            found[f"{name} unit"] = one["unit"]
        return found

    found = wait_until(
        lambda: now if (now := series()).get("http.latency.0.95") else None,
        40,
        "the quantiles",
    )
    assert sum(found["http.requests"]) == 31
    assert sum(found["http.errors"]) == 1
    assert max(found["http.clients"]) == 30
    assert found["http.latency.0.95"][-1] == pytest.approx(0.2, rel=0.011)
    assert found["http.requests unit"] == "1/s"
    assert found["http.latency.0.95 unit"] == "s"
