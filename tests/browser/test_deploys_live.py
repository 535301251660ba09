"""Deployments on a real engine, watched in a real browser as they happen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest
from playwright.sync_api import Page, expect

from tests.browser.deploying import asked, deploying, settled
from tests.deploy.apps import web
from tests.support import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.engine]

SignIn = Callable[[Any, ServerProcess], None]


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, engine_socket: str, docker_client: docker.DockerClient
) -> Iterator[ServerProcess]:
    """A server on an engine with Swarm on, which watches a new release for a second only."""
    with deploying(tmp_path_factory.mktemp("deploys"), engine_socket, docker_client) as one:
        yield one


def begin(server: ServerProcess, image: str, release: str, **spec: Any) -> int:
    body = {"spec": web(image, release, health={"http": "/", "within": 60}, **spec)}
    return int(asked(server, "/api/v1/apps/watched/deployments", body)["id"])


@pytest.fixture(scope="module")
def first(server: ServerProcess, image: str) -> int:
    """The id of a deployment that serves: release 1 of the app ``watched``."""
    id = begin(server, image, "one")
    assert settled(server, id)["state"] == "serving"
    return id


@pytest.fixture
def at(page: Page, server: ServerProcess, sign_in: SignIn) -> Callable[[str], Page]:
    sign_in(page, server)

    def go(path: str) -> Page:
        page.goto(server.url + path)
        expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        return page

    return go


At = Callable[[str], Page]
SLOW = pytest.mark.slow("containers are started, asked and stopped, as a deployment has to")


@SLOW
def test_a_deployment_is_followed_to_its_end_and_one_goes_back_in_a_click(
    at: At, server: ServerProcess, image: str, first: int
) -> None:
    id = begin(server, image, "two", LATE=2)
    page = at(f"/deployments/{id}")
    health = page.locator('[data-step="health"]')
    expect(health).to_have_attribute("data-state", "running")
    expect(page.locator("#deployment-sentence")).to_contain_text("waiting for it to answer")
    expect(page.locator("#log-slice")).to_contain_text("two begins")  # what it logs comes, too
    expect(page.locator("#deployment-sentence")).to_have_text("Release 2 went into service.")
    expect(page.locator('.step[data-state="done"]')).to_have_count(4)
    expect(health.locator(".step-usual")).to_contain_text("usually")
    card = page.get_by_role("region", name="Before and after")
    expect(card.locator("#comparison-verdict")).to_have_text("Too early to say.")
    expect(card.locator("#comparison-span")).to_contain_text(
        re.compile(r"of 15 min|comes every 10 s|to compare")
    )
    expect(card.locator('[data-name="http.latency"]')).to_contain_text("not measured")
    expect(card.get_by_role("link", name="Charts of that time")).to_have_attribute(
        "href", re.compile(r"^/apps/watched/metrics\?since=.+&until=.+")
    )
    page.set_viewport_size({"width": 360, "height": 700})
    card.scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 1280, "height": 720})
    card.get_by_role("button", name="Back to release 1").click()
    expect(page).to_have_url(re.compile(rf"/deployments/{id + 1}$"))
    expect(page.locator("#deployment-sentence")).to_have_text("Release 1 went into service.")
    assert settled(server, id + 1)["state"] == "serving"
    # In the log of the app each is a marker that leads to it.
    page.goto(f"{server.url}/apps/watched/logs")
    marker = page.locator(".row-marker", has_text="release 2 serves")
    marker.get_by_role("link", name="Show it").click()
    expect(page).to_have_url(re.compile(rf"/deployments/{id}$"))


@SLOW
def test_one_that_fails_says_why_while_somebody_looks(
    at: At, server: ServerProcess, image: str, first: int
) -> None:
    id = begin(server, image, "bad", CODE=3, AFTER=2, LISTENS="no")
    page = at(f"/deployments/{id}")
    sentence = page.locator("#deployment-sentence")
    expect(sentence).to_contain_text("It exited with 3 after")
    expect(page.locator("#deployment-after")).to_contain_text(re.compile("goes on serving"))
    expect(page.locator("#deployment-last-lines")).to_contain_text("bad gives up")
    assert settled(server, id)["class"] == "exited"


@SLOW
def test_one_is_cancelled_from_the_list(
    at: At, server: ServerProcess, image: str, first: int
) -> None:
    id = begin(server, image, "late", LATE=600)
    page = at("/deployments")
    row = page.locator(f'#deploys-running .deploys-row[data-id="{id}"]')
    expect(row.locator(".deploys-words")).to_contain_text("Step")
    row.get_by_role("button", name="Cancel").click()
    past = page.locator(f'#deploys-recent .deploys-row[data-id="{id}"]')
    expect(past.locator(".deploys-words")).to_have_text("Cancelled by admin.")
    expect(page.locator("#deploys-running-section")).to_be_hidden()
    assert settled(server, id)["state"] == "cancelled"


@SLOW
def test_a_configuration_is_changed_with_its_plan_before(
    at: At, server: ServerProcess, first: int
) -> None:
    page = at("/apps/watched/configuration")
    page.get_by_role("button", name="Change it").click()
    form = page.locator("#configuration-form")
    form.get_by_text("YAML", exact=True).click()
    area = form.get_by_role("textbox", name="The app as YAML")
    area.fill(area.input_value() + "stop_grace: 3\n")
    expect(form.locator(".edit-plan")).to_contain_text("stop_grace")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/deployments/\d+$"))
    expect(page.locator(".difference")).to_contain_text("stop_grace")
    id = int(page.url.rsplit("/", 1)[1])
    assert settled(server, id)["state"] == "serving"


@SLOW
def test_the_page_goes_on_when_the_server_was_killed_in_the_middle(
    at: At, server: ServerProcess, image: str, first: int
) -> None:
    """It says that it is not connected meanwhile, and shows the end by itself."""
    id = begin(server, image, "three", LATE=3)
    page = at(f"/deployments/{id}")
    expect(page.locator('[data-step="health"]')).to_have_attribute("data-state", "running")
    server.kill()
    expect(page.locator("#deployment-stale")).to_be_visible()
    server.start()
    expect(page.locator("#deployment-sentence")).to_contain_text("went into service")
    expect(page.locator("#deployment-stale")).to_be_hidden()
    assert settled(server, id)["state"] == "serving"
