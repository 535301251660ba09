"""What containers of a real engine expose, from their labels to what a page is told."""

from __future__ import annotations

from typing import Any

import pytest

from cloudbang.domain.names import METRICS_PATH, METRICS_PORT
from tests.monitoring.test_end_to_end import page_of
from tests.support import ServerProcess, wait_until

pytestmark = pytest.mark.engine

# Grows by 20 in each fifth of a second; the first line after the types is none.
PROGRAM = """
mkdir -p /w/own; httpd -p 9100 -h /w; n=0
while :; do
  n=$((n+20))
  printf '# TYPE jobs_total counter\\n# TYPE took_seconds histogram\\nnot a line\\njobs_total{queue="mail"} %d\\n
queue_length 7\\ntook_seconds_bucket{le="0.1"} 0\\ntook_seconds_bucket{le="0.2"} %d\\n
took_seconds_bucket{le="+Inf"} %d\\n' $n $n $n > /w/new
  mv /w/new /w/own/metrics
  sleep 0.2
done
"""


def points_of(server: ServerProcess, app: str, name: str, **query: Any) -> dict[str, list[Any]]:
    """Means by labels, of what was measured."""
    found = server.get(f"/api/v1/apps/{app}/metrics", names=name, **query)["series"]
    return {
        " ".join(f"{k}={v}" for k, v in sorted(one["labels"].items())): [
            mean for _, _, mean, _ in one["points"] if mean is not None
        ]
        for one in found
    }


@pytest.mark.slow("what is exposed is read each 10 s, and a rate needs two readings")
def test_what_a_program_exposes_is_measured_and_what_fails_is_said(container, server) -> None:
    labels = {METRICS_PORT: "9100", METRICS_PATH: "/own/metrics"}
    app = container(PROGRAM, labels=labels, network_mode="bridge").name
    gone = container(labels={METRICS_PORT: "9101"}, network_mode="bridge").name
    alone = container(labels={METRICS_PORT: "9100"}).name  # it has no network
    wait_until(lambda: len(points_of(server, app, "jobs_total").get("queue=mail", ())) >= 2, 60)
    rates = points_of(server, app, "jobs_total")["queue=mail"]
    assert all(0 < rate <= 110 for rate in rates), rates  # on a busy machine it grows more slowly
    assert set(points_of(server, app, "queue_length")[""]) == {7.0}
    took = points_of(server, app, "took_seconds")
    assert 0.1 <= took["quantile=0.5"][-1] <= 0.2
    found = server.get(f"/api/v1/apps/{app}/metrics", names="jobs_total")
    assert found["series"][0]["unit"] == "1/s"
    (why,) = [one for one in found["not_measured"] if not one["name"]]
    assert "cannot be read, the first of them line 3: not a line" in why["why"]
    for name, sentence in (
        (gone, "port 9101 does not answer: Connection refused"),
        (alone, "what it exposes is asked for at an address of its own, and it has none"),
    ):
        with page_of(server, f"metric/{name}") as page:
            told = page.until(lambda m: any(not w["name"] for w in m.get("not_measured", ())))
        assert sentence in [one["why"] for one in told["not_measured"]]
    counted = server.client.get("/metrics").text
    assert "cloudbang_scrape_apps 3.0" in counted
