"""An app that people ask through the gateway, deployed anew while somebody looks: what its pages show
is what was measured beside them, of the kernel and by who asked."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import docker
import httpx
import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from tests.browser.deploying import asked, deploying, settled
from tests.deploy.apps import web
from tests.support import ServerProcess, patient, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.engine]

APP = "measured"
PAGES, FILES, FILE = 300, 12, 1024 * 1024  # requests for a page, for a file, and its bytes
# Of each second a mean is told, over what lay between two looks: a look that comes 20 ms late says of
# what was all done in one second 2 % less. So it is spread over several.
BURN = "n=0; while [ $n -lt 2400000 ]; do n=$((n+1)); done"
PAUSE = 0.4  # seconds between two files


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, engine_socket: str, docker_client: docker.DockerClient
) -> Iterator[ServerProcess]:
    """On an engine with Swarm on; a release is watched for a second only."""
    with deploying(tmp_path_factory.mktemp("measured"), engine_socket, docker_client) as one:
        yield one


def deployed(server: ServerProcess, image: str, release: str) -> int:
    """The id of a deployment of the app, behind the gateway, that serves."""
    spec = web(image, release, health={"http": "/", "within": 60}, route={}, memory="64m")
    id = int(asked(server, f"/api/v1/apps/{APP}/deployments", {"spec": spec})["id"])
    assert settled(server, id)["state"] == "serving", server.said()
    return id


class Outside:
    """The app as the engine and its users know it."""

    def __init__(self, server: ServerProcess, container: Any) -> None:
        self.container = container
        port = server.environ.get("CLOUDBANG_GATEWAY_HTTP_PORT", "8180")
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Host": f"{APP}.localhost:{port}"},
            trust_env=False,
            timeout=30,
        )

    def used(self) -> tuple[float, float]:
        """Seconds of a processor, and bytes that were sent, since it was started. Asked when a second
        has just begun, as they are measured."""
        time.sleep(1 - time.time() % 1)
        stats = self.container.stats(stream=False, one_shot=True)
        sent = sum(one["tx_bytes"] for one in stats["networks"].values())
        return stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9, float(sent)

    def work(self) -> None:
        self.container.exec_run(["sh", "-c", BURN])

    def ask(self, path: str, times: int, pause: float = 0.0) -> None:
        for _ in range(times):
            assert self.client.get(path).status_code == 200
            time.sleep(pause)


@pytest.fixture
def outside(
    server: ServerProcess, image: str, docker_client: docker.DockerClient
) -> Iterator[Outside]:
    """Its first release, which serves, with a file to fetch."""
    deployed(server, image, "one")
    (container,) = docker_client.containers.list(filters={"name": f"{APP}-r1"})
    container.exec_run(["dd", "if=/dev/zero", "of=/www/file", f"bs={FILE}", "count=1"])
    made = Outside(server, container)
    yield made
    made.client.close()


def whole_app(server: ServerProcess, name: str, **query: int) -> Any:
    """A series of the app as a whole; None while there is none."""
    found = server.get(f"/api/v1/apps/{APP}/metrics", names=name, **query)["series"]
    return next((one for one in found if not one["labels"]), None)


def summed(server: ServerProcess, name: str, since: int, until: int) -> float:
    """What a metric comes to in that time: of a second that was missed the next one tells."""
    series = whole_app(server, name, since=since, until=until, points=1000)
    assert series["width"] == 1
    whole, before = 0.0, since - 1
    for moment, _, mean, _ in series["points"]:
        if mean is not None:
            whole += mean * (moment - before)
            before = moment
    return whole


def measured_until(server: ServerProcess, moment: int) -> None:
    def newest() -> float:
        series = whole_app(server, "cpu", since=moment - 60, points=1000) or {"points": []}
        return max((time for time, _, mean, _ in series["points"] if mean is not None), default=0)

    wait_until(lambda: newest() >= moment, 30, "a measurement of that moment")


@pytest.mark.slow("two releases come into service, and some seconds have to be measured")
def test_what_is_shown_is_what_was_measured_from_outside(
    page: Page, server: ServerProcess, sign_in: Any, image: str, outside: Outside, shot: Any
) -> None:
    """Under load the charts move; CPU to 1 %, bytes to 2 %, requests exactly; then a deployment is a
    marker on them, and has its card."""
    sign_in(page, server)
    page.goto(f"{server.url}/apps/{APP}/metrics?range=5m")
    now = page.locator('[data-chart="cpu"] .metric-legend b').first
    expect(now).to_contain_text("cores")
    calm = str(now.text_content())
    measured_until(server, int(time.time()))
    (cpu, sent), since = outside.used(), int(time.time()) + 1
    outside.work()
    expect(now).not_to_have_text(calm)
    outside.ask("/file", FILES, PAUSE)
    outside.ask("/index.html", PAGES)
    time.sleep(1)
    cpu, sent = (after - before for after, before in zip(outside.used(), (cpu, sent), strict=True))
    until = int(time.time()) + 1
    measured_until(server, until)
    assert summed(server, "cpu", since, until) == pytest.approx(cpu, rel=0.01)
    assert sent > FILES * FILE
    assert summed(server, "network.sent", since, until) == pytest.approx(sent, rel=0.02)

    page.goto(f"{server.url}/apps/{APP}/traffic?range=5m")
    for path, times in (("/index.html", PAGES), ("/file", FILES)):
        row = page.locator(".addresses tbody tr", has_text=f"GET {path}")
        expect(row.locator("td").first).to_have_text(str(times))
    shot(page, "traffic-load")

    page.goto(f"{server.url}/apps/{APP}/metrics?range=5m")
    id = deployed(server, image, "two")
    tip = page.locator(".metric-tip")
    link = tip.locator(f'a[href="/deployments/{id}"]')

    def shown() -> bool:
        """What else happens meanwhile draws the markers anew."""
        for mark in reversed(page.locator(".metric-mark").all()):
            with suppress(PlaywrightError):
                mark.hover(timeout=patient(1) * 1000)
                if link.count():
                    mark.click(timeout=patient(1) * 1000)
                    return link.last.is_visible()
        return False

    wait_until(shown, 20, "the marker of the deployment", every=0.5)
    expect(tip).to_contain_text("release 2")
    shot(page, "metrics-deployed")
    link.last.click()
    expect(page).to_have_url(re.compile(rf"/deployments/{id}$"))
    card = page.get_by_role("region", name="Before and after")
    span = card.locator("#comparison-span")
    expect(span).to_have_text(
        re.compile(r"^\d+ (s|min)( \d+ s)? before against \d+ s after so far, of 15 min\."),
        timeout=patient(40) * 1000,
    )
    expect(card.locator('[data-name="cpu"] td').first).to_contain_text("cores")
    shot(page, "comparison-seconds")
