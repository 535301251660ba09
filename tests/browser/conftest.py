"""What browser tests of terminals stand on: one server for all of them, a container to be in, and
contexts whose pages are watched for every error of the console."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import Error as PlaywrightError

from tests.browser.terminal_page import Shell, Watch, cookies_of, open_terminal
from tests.support import ServerProcess, patient
from tests.terminal_support import Person, known

expect.set_options(timeout=20_000)  # ms, where what a module shares is made

FILE_LIMIT = 3_000_000
"""Bytes of a file that the server of these tests takes."""


@pytest.fixture(autouse=True)
def expecting() -> None:
    """How long a page is waited for: only what fails takes so long."""
    expect.set_options(timeout=patient(20) * 1000)


@pytest.fixture(scope="module")
def shared_server(
    tmp_path_factory: pytest.TempPathFactory, engine_socket: str
) -> Iterator[ServerProcess]:
    """See ``server``."""
    one = ServerProcess(tmp_path_factory.mktemp("shared"), {"DOCKER_HOST": engine_socket})
    yield one
    one.close()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> ServerProcess:
    """A server that answers: one for a module, or the test's own where it is marked ``own_server``,
    because it changes what others would see."""
    if request.node.get_closest_marker("own_server"):
        made: ServerProcess = request.getfixturevalue("new_server")()
        return made
    shared: ServerProcess = request.getfixturevalue("shared_server")
    if shared.process is None or shared.process.poll() is not None:
        shared.start()
    return shared


@pytest.fixture(scope="session")
def house(
    tmp_path_factory: pytest.TempPathFactory, engine_socket: str, image: str
) -> Iterator[ServerProcess]:
    """The server of the terminals: the image of the tests is the toolbox, files may be 3 MB."""
    one = ServerProcess(
        tmp_path_factory.mktemp("terminals"),
        {
            "DOCKER_HOST": engine_socket,
            "CLOUDBANG_TERMINAL_TOOLBOX_IMAGE": image,
            "CLOUDBANG_TERMINAL_FILE_MAX_BYTES": str(FILE_LIMIT),
        },
    )
    yield one.start()
    one.close()
    assert "Traceback" not in one.said(10_000_000), f"the server stumbled: {one.log}"


@pytest.fixture(scope="session")
def owner(house: ServerProcess) -> Iterator[Person]:
    """The account ``admin`` of that server."""
    with Person(house) as person:
        yield person


@pytest.fixture(scope="session")
def box(house: ServerProcess, docker_client: docker.DockerClient, image: str) -> Iterator[Any]:
    """A container that only waits, known to the server; its name is its app's."""
    one = docker_client.containers.run(
        image,
        ["sleep", "1000000"],
        detach=True,
        name=f"term-box-{uuid.uuid4().hex[:6]}",
        network_mode="none",
        labels={"cloudbang.test": "terminals"},
    )
    known(house, str(one.name))
    yield one
    one.remove(force=True)


@pytest.fixture
def watch(request: pytest.FixtureRequest, artifacts: Path) -> Iterator[Watch]:
    """Any error of any console fails the test; pages of a failed one are in the artifacts."""
    one = Watch()
    yield one
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed:
        name = re.sub(r"[^\w.-]+", "_", request.node.nodeid.removeprefix("tests/browser/"))
        for i, page in enumerate(page for page in one.pages if not page.is_closed()):
            with suppress(PlaywrightError):  # of a tab that crashed there is nothing to see
                page.screenshot(path=artifacts / f"failed-{name}-{i}.png")
        print("the consoles said:", *one.said, sep="\n  ")
    one.finish()
    if report is not None and report.passed:
        assert not one.wrong(), f"the pages said: {one.wrong()}"


@pytest.fixture
def people(
    new_context: Callable[..., BrowserContext], watch: Watch
) -> Callable[..., BrowserContext]:
    """``people(person, **options)``: a watched browser context, signed in as that person."""

    def make(person: Person | None, **options: Any) -> BrowserContext:
        context = new_context(**options)
        watch.on(context)
        if person:
            context.add_cookies(cookies_of(person))
        return context

    # The watch is set up before the contexts and so ends after them: it has to see their pages.
    return make


@pytest.fixture
def own(people: Callable[..., BrowserContext], owner: Person, watch: Watch) -> BrowserContext:
    """A context signed in as admin, whose terminals are ended afterwards."""

    def end() -> None:
        for left in owner.got("/terminals")["terminals"]:
            owner.ask("DELETE", f"/terminals/{left['id']}")

    watch.later(end)
    return people(owner)


@pytest.fixture
def tab(own: BrowserContext) -> Page:
    """A page of that context."""
    return own.new_page()


@pytest.fixture
def shell(tab: Page, house: ServerProcess, box: Any) -> Shell:
    """A shell in the box, opened from the tab of its app, with its prompt."""
    return open_terminal(tab, house.url, box.name)
