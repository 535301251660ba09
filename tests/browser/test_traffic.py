"""What people get from an app, as a person sees it: a real app behind the real gateway, asked by many
at once while a real browser looks. What is shown is what was measured by who asked."""

from __future__ import annotations

import http.client
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

import docker
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.gateway.ground import IMAGE, web_app_image
from tests.support import ServerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.engine]

SignIn = Callable[[Any, ServerProcess], None]
Shot = Callable[[Any, str], None]
Contexts = Callable[..., BrowserContext]
APP, HTTP_PORT = "asked-much", 8180
PEOPLE, REQUESTS, AT_ONCE = 40, 1_500, 8
WORDS = ["".join(random.Random(n).choices("abcdefghikmnoprstu", k=6)) for n in range(60)]


def path_of(n: int) -> str:
    """Of a hundred: 2 fail, 6 are not there, 6 take 0.15 s, 3 take 0.4 s, the rest no time."""
    kind = n % 100
    if kind < 2:
        return f"/fail/{n % 7}"
    if kind < 8:
        return f"/missing/{WORDS[n % 60]}.php"
    if kind < 14:
        return f"/orders/{10_000 + n}/lines?wait=150&token=canary"
    if kind < 17:
        return "/report?wait=400"
    if kind < 45:
        return f"/shop/{WORDS[n % 60]}"
    return f"/users/{n}?token=canary"


class Load:
    """``took`` and ``statuses``: of every answer, by who asked for it; ``paths`` without queries."""

    def __init__(self, first: int, count: int) -> None:
        self.took: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.paths: Counter[str] = Counter()
        self.errors: list[str] = []
        self._left = iter(range(first, first + count))
        self._turn = threading.Lock()
        self._threads = [threading.Thread(target=self._ask) for _ in range(AT_ONCE)]

    def run(self) -> Load:
        return self.start().join()

    def start(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def join(self) -> Load:
        for thread in self._threads:
            thread.join()
        assert not self.errors
        return self

    def _ask(self) -> None:
        asking = http.client.HTTPConnection("127.0.0.1", HTTP_PORT, timeout=30)
        while True:
            with self._turn:
                n = next(self._left, None)
            if n is None:
                asking.close()
                return
            path, who = path_of(n), f"203.0.113.{n % PEOPLE}"
            headers = {"Host": f"{APP}.localhost", "X-Forwarded-For": who}
            began = time.monotonic()
            try:
                asking.request("GET", path, headers=headers)
                answer = asking.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as e:
                self.errors.append(f"{path}: {e!r}")
                return
            with self._turn:
                self.took.append(time.monotonic() - began)
                self.statuses[answer.status] += 1
                self.paths[path.partition("?")[0]] += 1


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, engine_socket: str, docker_client: docker.DockerClient
) -> Iterator[ServerProcess]:
    """A server with one app behind the gateway, which believes the machine about who asks."""
    was_on = docker_client.info()["Swarm"]["LocalNodeState"] == "active"
    web_app_image(docker_client)
    settings = {
        **{"DOCKER_HOST": engine_socket, "CLOUDBANG_GATEWAY_HTTP_PORT": str(HTTP_PORT)},
        **{"CLOUDBANG_DEPLOY_VERIFY_SECONDS": "1", "CLOUDBANG_DEPLOY_KEEP_FREE_BYTES": "0"},
        "CLOUDBANG_SERVER_TRUSTED_PROXIES": "127.0.0.0/8,172.16.0.0/12",
    }
    one = ServerProcess(tmp_path_factory.mktemp("traffic"), settings).start()
    asked(one, "/api/v1/swarm", {})
    spec = {
        **{"image": IMAGE, "port": 80, "route": {}, "env": {"RELEASE": "one", "LOG": "1"}},
        "health": {"http": "/healthz", "within": 60},
    }
    id = asked(one, f"/api/v1/apps/{APP}/deployments", {"spec": spec})["id"]
    wait_until(
        lambda: one.get(f"/api/v1/deployments/{id}")["settled"], 90, "it to serve", every=0.2
    )
    assert one.get(f"/api/v1/deployments/{id}")["state"] == "serving", one.said()
    yield one
    one.close()
    for service in (f"{APP}-r1", "cloudbang-gateway"):
        docker_client.services.get(service).remove()
    if not was_on:
        docker_client.swarm.leave(force=True)
    assert "Traceback" not in one.said(10_000_000), f"the server stumbled: {one.log}"


def asked(server: ServerProcess, path: str, body: dict[str, Any]) -> Any:
    token = server.get("/api/v1/me")["csrf_token"]
    headers = {"Origin": server.url, "X-CSRF-Token": token}
    answer = server.client.post(path, json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def load(server: ServerProcess) -> Load:
    """What was asked for first, all of it counted."""
    made = Load(0, REQUESTS).run()
    wait_until(lambda: counted(server)["requests"] >= REQUESTS, 30, "its lines")
    return made


def counted(server: ServerProcess) -> Any:
    return server.get(f"/api/v1/apps/{APP}/traffic?top=100")


@pytest.fixture
def desk(new_context: Contexts, server: ServerProcess, sign_in: SignIn) -> Page:
    page = new_context(viewport={"width": 1280, "height": 1400}).new_page()
    sign_in(page, server)
    return page


def look(page: Page, server: ServerProcess) -> None:
    page.goto(f"{server.url}/apps/{APP}/traffic?range=5m")
    expect(page.locator("#traffic-numbers dd").first).to_be_visible()


def number(page: Page, label: str) -> Locator:
    """The number under that label."""
    of = page.locator("dt", has_text=re.compile(f"^{label}$"))
    return page.locator("#traffic-numbers > div", has=of).locator("dd")


def row(page: Page, path: str) -> Locator:
    return page.locator(".addresses tbody tr", has=page.locator("th", has_text=path))


def seconds(text: str) -> float:
    """12 ms, 1.2 s."""
    value, unit = text.split()
    return float(value) * {"µs": 1e-6, "ms": 1e-3, "s": 1.0}[unit]


@pytest.mark.slow("an app is deployed, and asked fifteen hundred times")
def test_what_is_shown_is_what_was_measured_by_who_asked(
    desk: Page, server: ServerProcess, load: Load, shot: Shot
) -> None:
    """Requests, errors and people exactly; percentiles to 1.1 %; addresses as templates."""
    said: list[str] = []
    desk.on("pageerror", lambda error: said.append(str(error)))
    found = counted(server)
    assert (found["requests"], found["errors"]) == (REQUESTS, load.statuses[500])
    assert found["statuses"] == {str(code): n for code, n in sorted(load.statuses.items())}
    assert found["clients"]["online"] == PEOPLE
    assert "canary" not in str(found)
    took = sorted(load.took)
    for q, least in (("0.5", 0.0), ("0.95", 0.15), ("0.99", 0.4)):
        told = found["latency"]["quantiles"][q]
        # The way to the gateway and back is in what they measured, and not in what it did.
        assert least * 0.989 <= told <= took[int(float(q) * REQUESTS)] * 1.011, (q, told)

    look(desk, server)
    expect(number(desk, "Requests")).to_have_attribute("title", f"{REQUESTS:,}")
    expect(number(desk, "Failed requests")).to_have_text(re.compile(rf"^{load.statuses[500]} "))
    expect(number(desk, "Online")).to_have_text(f"{PEOPLE} in 5 minutes")
    shown = seconds(str(number(desk, "99 %").text_content()).strip())
    assert shown == pytest.approx(found["latency"]["quantiles"]["0.99"], rel=0.02)

    users = sum(n for path, n in load.paths.items() if path.startswith("/users/"))
    shop = sum(n for path, n in load.paths.items() if path.startswith("/shop/"))
    expect(row(desk, "/users/:id").locator("td").first).to_have_text(f"{users:,}")
    expect(row(desk, "/shop/:any").locator("td").first).to_have_text(f"{shop:,}")
    expect(row(desk, "/orders/:id/lines")).to_be_visible()
    expect(row(desk, "(not found)").locator("td").first).to_have_text(str(load.statuses[404]))
    failing = row(desk, "/fail/:id").locator("td").nth(-2)
    expect(failing).to_have_text(f"{load.statuses[500]} (100 %)")
    # By time in all, those that take long come first, which on a busy machine are those that are
    # asked for most; by count, these.
    first = desk.locator(".addresses tbody th").first
    expect(first).to_contain_text(max(found["top"], key=itemgetter("seconds"))["path"])
    desk.get_by_role("button", name="Requests", exact=True).click()
    expect(first).to_contain_text("/users/:id")
    expect(desk.locator(".heat-said")).to_contain_text("Half of all answers took at most")
    assert painted(desk) > 100
    shot(desk, "traffic-live")
    assert not said


def painted(page: Page) -> int:
    """Pixels of the map that are darker than its ground, right of its axis."""
    script = """canvas => {
      const { width, height } = canvas;
      const ratio = devicePixelRatio;
      const left = Math.round(58 * ratio);
      const data = canvas.getContext("2d")
        .getImageData(left, 0, width - left, height - Math.round(26 * ratio)).data;
      let n = 0;
      for (let i = 3; i < data.length; i += 4) n += data[i] > 20;
      return n;
    }"""
    return int(page.locator(".heat-canvas").evaluate(script))


@pytest.mark.slow("it is asked for some seconds while somebody looks")
def test_it_moves_while_they_ask(desk: Page, server: ServerProcess, load: Load) -> None:
    """Without a click: throughput, response time and the list, each five seconds."""
    look(desk, server)
    before = counted(server)["requests"]
    expect(number(desk, "Requests")).to_have_attribute("title", f"{before:,}")
    throughput = desk.locator('.metric-card[data-chart="http-requests"] .metric-legend b').first
    expect(throughput).not_to_have_text("–")
    more = Load(REQUESTS, 400).run()
    after = f"{before + len(more.took):,}"
    expect(number(desk, "Requests")).to_have_attribute("title", after)
    latency = desk.locator('.metric-card[data-chart="http-latency"] .metric-legend b')
    expect(latency).to_have_count(3)


def test_an_address_leads_to_its_lines_in_the_log(
    desk: Page, server: ServerProcess, load: Load
) -> None:
    """Those of the example: what the app logged of that very path, and no other."""
    look(desk, server)
    link = row(desk, "/orders/:id/lines").get_by_role("rowheader").get_by_role("link")
    example = re.search(r"/orders/\d+/lines", str(link.get_attribute("title")))
    assert example is not None
    link.click()
    expect(desk).to_have_url(re.compile(rf"/apps/{APP}\S*q="))
    lines = desk.locator("#log-slice .row-text", has_text=example[0])
    expect(lines.first).to_be_visible()
    expect(desk.locator("#log-slice .row-text", has_text="/users/")).to_have_count(0)


def test_a_slow_address_leads_to_a_rule_about_it(
    desk: Page, server: ServerProcess, load: Load
) -> None:
    """Its form is filled in with what is so now, and says what it would have been of yesterday."""
    look(desk, server)
    row(desk, "/users/:id").get_by_role("link", name="A rule about GET /users/:id").click()
    form = desk.get_by_role("dialog", name="A new rule")
    # A name that each of a team can read, and that goes with its number until somebody writes one.
    called = form.get_by_label("What it is called")
    expect(called).to_have_value(re.compile(r"^GET /users/:id p95 > [\d.]+ s$"))
    form.get_by_label("Begins at").fill("0.5")
    expect(called).to_have_value("GET /users/:id p95 > 0.5 s")
    expect(form.get_by_label("What it looks at")).to_have_value("traffic")
    expect(form.get_by_label(re.compile("^App "))).to_have_value(APP)
    expect(form.get_by_label(re.compile("^Address "))).to_have_value("GET /users/:id")
    assert 0 < float(form.get_by_label("Begins at").input_value()) < 60
    expect(form.get_by_role("status")).to_contain_text("in the last 24 hours")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    rule = desk.get_by_label("Rules").get_by_text("GET /users/:id p95 > 0.5 s")
    expect(rule).to_be_visible()
    desk.reload()
    expect(rule).to_be_visible()
    expect(form).to_be_hidden()


@pytest.mark.slow("the server is killed and started anew")
def test_who_is_online_is_so_after_a_kill(desk: Page, server: ServerProcess, load: Load) -> None:
    """And every request is there once, though nobody asks any more."""
    # All of them once more: online is who was there within five minutes, which pass on a busy machine.
    known = counted(server)["requests"]
    again = Load(0, 100).run()
    wait_until(lambda: counted(server)["requests"] >= known + len(again.took), 30, "its lines")
    before = counted(server)
    assert before["clients"]["online"] == PEOPLE
    look(desk, server)
    server.kill()
    server.start()
    wait_until(lambda: counted(server)["clients"]["online"] == PEOPLE, 20, "all who were there")
    expect(number(desk, "Online")).to_have_text(f"{PEOPLE} in 5 minutes")
    path = f"/api/v1/apps/{APP}/traffic"
    requests = wait_until(
        lambda: (
            (n := server.get(path, since=before["since"])["requests"]) >= before["requests"] and n
        ),
        20,
        "what was asked for since the last commit, which is read again",
    )
    assert requests == before["requests"]


def test_it_fits_a_phone_in_chinese_and_dark(
    new_context: Contexts, server: ServerProcess, load: Load, sign_in: SignIn, shot: Shot
) -> None:
    phone = new_context(
        viewport={"width": 360, "height": 780}, locale="zh-CN", color_scheme="dark"
    ).new_page()
    sign_in(phone, server)
    look(phone, server)
    expect(row(phone, "/users/:id")).to_be_attached()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    shot(phone, "traffic-phone-zh")
    phone.locator(".addresses").scroll_into_view_if_needed()
    shot(phone, "traffic-phone-zh-addresses")
