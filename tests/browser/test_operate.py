"""Operating from the page of an app: what was found is stopped, started and taken over; what was
deployed is deleted, and everything that goes is listed before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests import support
from tests.support import ServerProcess, wait_until
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


@pytest.mark.slow("an app is deployed first, and Swarm takes its containers away")
def test_an_app_is_deleted_with_what_was_listed(
    page: Page, admin: Person, engine: PrivateEngine
) -> None:
    """Its volume stays, as the dialog says."""
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
    page.get_by_role("button", name="Manage this app").click()
    page.get_by_role("button", name="Delete this app…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("doomed-r1")
    expect(dialog).to_contain_text("Its volumes, unless you say otherwise: kept")
    if support.PICTURES:
        page.screenshot(path=support.ARTIFACTS / "delete-app.png")
    dialog.get_by_role("button", name="Delete the app").click()
    page.wait_for_url(f"{admin.server.url}/", timeout=90_000)
    assert engine.client.services.list() == []
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
    expect(row).to_contain_text("shop.web", timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    row.get_by_role("button", name="Bring it down").click()
    page.get_by_role("dialog").get_by_role("button", name="Bring it down").click()
    expect(row).not_to_contain_text("shop.web", timeout=60_000)
    if support.PICTURES:
        page.screenshot(path=support.ARTIFACTS / "stacks.png")
