"""Operating from the page of an app: what was found is stopped, started and taken over; what was
deployed is deleted, and everything that goes is listed before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests import support
from tests.support import ServerProcess, patient, wait_until
from tests.support_engine import PrivateEngine
from tests.terminal_support import Person, known


@pytest.fixture(scope="module")
def engine() -> Iterator[PrivateEngine]:
    """One of its own, since Swarm is switched on here."""
    private = PrivateEngine()
    try:
        private.start()
        private.client.swarm.init(advertise_addr="127.0.0.1", listen_addr="127.0.0.1:2377")
        yield private
    finally:
        private.close()


@pytest.fixture(scope="module")
def admin(engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    environ = {"DOCKER_HOST": engine.address, "CLOUDBANG_DEPLOY_VERIFY_SECONDS": "1"}
    server = ServerProcess(tmp_path_factory.mktemp("operate"), environ)
    try:
        with Person(server.start()) as person:
            yield person
    finally:
        server.close()


@pytest.fixture
def page(admin: Person, people: Callable[..., BrowserContext]) -> Page:
    return people(admin).new_page()


def start(engine: PrivateEngine, name: str) -> Any:
    return engine.client.containers.run(
        engine.image(),
        ["sh", "-c", "sleep 1000000"],
        name=name,
        detach=True,
        network_mode="none",
        environment={"A": "b"},
        stop_signal="KILL",
    )


def test_a_container_is_stopped_and_started_and_proposed_as_an_app(
    page: Page, admin: Person, engine: PrivateEngine
) -> None:
    """From the menu of its app; what the app would be written like, and what it would lose."""
    container = start(engine, "found")
    known(admin.server, "found")
    page.goto(f"{admin.server.url}/apps/found/logs")
    menu = page.get_by_role("button", name="Operate this app")
    menu.click()
    expect(page.get_by_role("button", name="Scale it…")).to_be_hidden()
    page.get_by_role("button", name="Stop it…").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop it").click()
    wait_until(lambda: (container.reload(), container.status)[1] == "exited", 20)
    menu.click()
    page.get_by_role("button", name="Start it").click()
    wait_until(lambda: (container.reload(), container.status)[1] == "running", 20)
    menu.click()
    page.get_by_role("button", name="Take it over as an app…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("pre")).to_contain_text('"A": "b"')
    expect(dialog).to_contain_text("--network none")
    if support.PICTURES:
        page.screenshot(path=support.ARTIFACTS / "take-over.png")


def test_a_container_is_paused_killed_and_removed(
    page: Page, admin: Person, engine: PrivateEngine
) -> None:
    """By itself; what cannot be taken back is said before. In a paused one no terminal is offered, and
    the way out is said."""
    container = start(engine, "alone")
    known(admin.server, "alone")

    def becomes(status: str) -> None:
        wait_until(lambda: (container.reload(), container.status)[1] == status, 20, status)

    page.goto(f"{admin.server.url}/apps/alone/logs")
    page.get_by_role("button", name="Operate this app").click()
    page.get_by_role("button", name="Its containers…").click()
    dialog = page.get_by_role("dialog", name="Containers of alone")
    dialog.get_by_role("button", name="Pause alone").click()
    becomes("paused")
    expect(dialog).to_contain_text("Paused")
    other = page.context.new_page()
    other.goto(f"{admin.server.url}/apps/alone/terminal")
    expect(other.get_by_text("What is left of this app is paused.")).to_be_visible()
    expect(other.get_by_role("button", name="Open", exact=True)).to_be_disabled()
    other.locator(".term-ways").get_by_role("button", name="Its containers…").click()
    expect(other.get_by_role("dialog", name="Containers of alone")).to_contain_text("Paused")
    other.keyboard.press("Escape")
    dialog.get_by_role("button", name="Resume alone").click()
    becomes("running")
    expect(other.get_by_role("button", name="Open", exact=True)).to_be_enabled()
    other.close()
    dialog.get_by_role("button", name="Kill… alone").click()
    sure = page.get_by_role("dialog", name="Kill alone")
    expect(sure).to_contain_text("ends at once")
    sure.get_by_role("button", name="Cancel").click()
    dialog.get_by_role("button", name="Kill… alone").click()
    sure.get_by_role("button", name="Kill it").click()
    becomes("exited")
    expect(dialog).to_contain_text("Killed, exit code 137")
    other = page.context.new_page()
    other.goto(f"{admin.server.url}/apps/alone/terminal")
    expect(other.get_by_text("No instance of this app runs now.")).to_be_visible()
    other.locator(".term-ways").get_by_role("button", name="Start it").click()
    becomes("running")
    expect(other.get_by_role("button", name="Open", exact=True)).to_be_focused()
    expect(other.locator(".term-ways")).to_be_hidden()
    other.close()
    dialog.get_by_role("button", name="Remove… alone").click()
    sure = page.get_by_role("dialog", name="Remove the container alone")
    expect(sure).to_contain_text("It runs: it is killed first")
    if support.PICTURES:
        page.screenshot(path=support.ARTIFACTS / "container-remove.png")
    sure.get_by_role("button", name="Remove it").click()
    expect(dialog.get_by_text("It has no containers any more.")).to_be_visible()
    with pytest.raises(docker.errors.NotFound):
        container.reload()


@pytest.mark.slow("three containers are stopped and started, one after the other by the engine")
def test_several_apps_are_operated_at_once(
    page: Page, admin: Person, engine: PrivateEngine
) -> None:
    """Chosen by keyboard and with shift; listed before; each has an outcome, and one that is refused
    stops none of the others."""
    for name in ("many-a", "many-b", "many-c"):
        start(engine, name)
    broken = engine.client.containers.create(
        engine.image(), ["/nonsense"], name="many-d", network_mode="none"
    )
    for name in ("many-a", "many-b", "many-c", "many-d"):
        wait_until(lambda name=name: admin.ask("GET", f"/apps/{name}").status_code == 200, 20)
    page.goto(f"{admin.server.url}/?q=many")
    expect(page.locator("[data-app]")).to_have_count(4)
    page.keyboard.press("j")
    page.keyboard.press("x")
    bar = page.get_by_role("toolbar", name="Chosen apps")
    expect(bar).to_contain_text("1 app chosen")
    page.get_by_label("Choose many-d").click(modifiers=["Shift"])
    expect(bar).to_contain_text("4 apps chosen")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    page.get_by_label("Choose many-a").click()
    page.get_by_label("Choose many-d").click(modifiers=["Shift"])
    bar.get_by_role("button", name="Stop…").click()
    dialog = page.get_by_role("dialog", name="Stop several apps")
    expect(dialog).to_contain_text("These stay as they are, since they do not run:many-d")
    if support.PICTURES:
        page.screenshot(path=support.ARTIFACTS / "several.png")
    dialog.get_by_role("button", name="Stop 3 apps").click()
    expect(dialog.get_by_role("status")).to_have_text("3 apps were stopped")
    dialog.get_by_role("button", name="Close").last.click()
    expect(bar).to_be_hidden()
    page.get_by_label("Choose many-a").click()
    page.get_by_label("Choose many-d").click(modifiers=["Shift"])
    bar.get_by_role("button", name="Start", exact=True).click()
    dialog = page.get_by_role("dialog", name="Start several apps")
    dialog.get_by_role("button", name="Start 4 apps").click()
    expect(dialog.get_by_role("status")).to_have_text("3 apps were started")
    failed = dialog.locator('[data-done="no"]')
    expect(failed).to_have_count(1)
    expect(failed).to_contain_text("many-d")
    expect(failed).to_contain_text("/nonsense")
    if support.PICTURES:
        page.screenshot(path=support.ARTIFACTS / "several-outcomes.png")
    running = {one.name for one in engine.client.containers.list()}
    assert {"many-a", "many-b", "many-c"} <= running
    broken.remove()


@pytest.mark.slow("a container is taken over: an app of it is deployed")
def test_a_container_that_was_taken_over_is_kept_until_somebody_removes_it(
    page: Page, admin: Person, engine: PrivateEngine
) -> None:
    """It says nothing of how the app does, and is in sight on the app's page."""
    container = start(engine, "older")
    known(admin.server, "older")
    begun = admin.ask("POST", f"/containers/{container.id}/take_over", {})
    assert begun.status_code == 202, begun.text
    id = begun.json()["id"]
    wait_until(lambda: admin.ask("GET", f"/deployments/{id}").json()["settled"], 60)
    wait_until(lambda: (container.reload(), container.status)[1] == "exited", 20)
    page.goto(f"{admin.server.url}/apps/older/logs")
    facts = page.locator("#app-facts")
    expect(facts).to_contain_text("Running")
    page.get_by_role("button", name="1 container from before").click()
    dialog = page.get_by_role("dialog", name="Containers of older")
    expect(dialog).to_contain_text("is kept until you remove it")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    if support.PICTURES:
        page.screenshot(path=support.ARTIFACTS / "kept.png")
    dialog.get_by_role("button", name="Remove… older").click()
    page.get_by_role("button", name="Remove it").click()
    expect(dialog.get_by_text("It has no containers any more.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(facts).not_to_contain_text("from before")
    expect(facts).to_contain_text("Running")
    assert admin.ask("GET", "/apps/older").json()["condition"] == "running"


@pytest.mark.slow("an app is deployed first, and Swarm takes its containers away")
def test_an_app_is_stopped_started_and_deleted_with_what_was_listed(
    page: Page, admin: Person, engine: PrivateEngine
) -> None:
    """Its volume stays, as the dialog says; nothing else is left of it."""
    engine.client.volumes.create("kept")
    spec = {
        "image": engine.image(),
        "command": ["sh", "-c", "echo hello; exec sleep 1000000"],
        "volumes": [{"name": "kept", "path": "/data"}],
        "stop_signal": "SIGKILL",
    }
    begun = admin.ask("POST", "/apps/doomed/deployments", {"spec": spec})
    assert begun.status_code == 202, begun.text
    id = begun.json()["id"]
    wait_until(lambda: admin.ask("GET", f"/deployments/{id}").json()["state"] == "serving", 60)
    page.goto(f"{admin.server.url}/apps/doomed/logs")
    facts, menu = page.locator("#app-facts"), page.get_by_role("button", name="Operate this app")
    menu.click()
    page.get_by_role("button", name="Stop it…").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop it").click()
    expect(facts).not_to_contain_text("Running")
    menu.click()
    page.get_by_role("button", name="Start it").click()
    expect(facts).to_contain_text("Running")
    page.get_by_role("button", name="Manage this app").click()
    page.get_by_role("button", name="Delete this app…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("doomed-r1")
    expect(dialog).to_contain_text("Its volumes, unless you say otherwise: kept")
    if support.PICTURES:
        page.screenshot(path=support.ARTIFACTS / "delete-app.png")
    dialog.get_by_label("Also its log").check()
    dialog.get_by_role("button", name="Delete the app").click()
    page.wait_for_url(f"{admin.server.url}/", timeout=patient(90) * 1000)
    assert admin.ask("GET", "/apps/doomed").status_code == 404
    assert engine.client.services.list(filters={"label": "cloudbang.app=doomed"}) == []
    assert engine.client.volumes.get("kept")


@pytest.mark.slow("Compose starts and stops a project")
def test_a_compose_project_is_brought_up_and_down(
    page: Page, admin: Person, engine: PrivateEngine, tmp_path: Path
) -> None:
    """Down it stays in the list, so that it can be brought up again."""
    file = tmp_path / "compose.yaml"
    file.write_text(
        f"services:\n  web:\n    image: {engine.image()}\n    command: sleep 1000\n"
        "    network_mode: none\n    stop_signal: KILL\n"
    )
    labels = {
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": "seed",
        "com.docker.compose.project.config_files": str(file),
        "com.docker.compose.project.working_dir": str(tmp_path),
    }
    engine.client.containers.create(engine.image(), ["true"], labels=labels, network_mode="none")
    page.goto(f"{admin.server.url}/stacks")
    row = page.get_by_role("listitem").filter(has_text="compose.yaml")
    row.get_by_role("button", name="Bring it up").click()
    expect(row).to_contain_text("shop.web", timeout=patient(60) * 1000)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    row.get_by_role("button", name="Bring it down").click()
    page.get_by_role("dialog").get_by_role("button", name="Bring it down").click()
    expect(row).not_to_contain_text("shop.web", timeout=patient(60) * 1000)
    if support.PICTURES:
        page.screenshot(path=support.ARTIFACTS / "stacks.png")
