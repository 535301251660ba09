"""The ground of the tests: a real engine, a real server process, a real browser.

Two kinds of runs, because gevent's patched world and Playwright's do not mix (Playwright's synchronous API
brings an asyncio loop and greenlets of its own, which need the unpatched standard library):

* ``python -m gevent.monkey --module pytest tests`` runs everything but ``tests/browser``;
* ``pytest tests/browser`` runs the browser tests, unpatched.

The server under test is a child process in both. Each run refuses the other's tests in one
sentence. A missing engine or browser is installed where that is possible (see ``scripts/``) and is
a failure elsewhere, never a skip. Containers carry the label ``cloudbang.test=<run>`` and are
removed by it at the end.
"""

from __future__ import annotations

import gc
import logging
import re
import signal
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest
from gevent import monkey
from hypothesis import settings

from cloudbang.core.own_log import threads_may_log
from tests import support
from tests.support import ServerProcess

if TYPE_CHECKING:
    from docker.models.containers import Container
    from playwright.sync_api import Browser, BrowserContext, Page

# A run in the background has ^C ignored, and every process it starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("patient", deadline=None)  # a time is no proof on a busy machine
settings.load_profile("patient")

PATCHED = monkey.is_module_patched("socket")
_thread_rlock = monkey.get_original("_thread", "RLock")
BROWSER_TESTS = support.ROOT / "tests" / "browser"
RUN = uuid.uuid4().hex[:12]

collect_ignore = ["browser"] if PATCHED else []


def pytest_sessionstart(session: pytest.Session) -> None:
    """What keeps the log for the tests gets locks that threads may wait for, as ours have."""
    gc.disable()  # until the tests are read: see pytest_collection_finish
    threads_may_log()
    plugin = session.config.pluginmanager.get_plugin("logging-plugin")
    for handler in vars(plugin).values() if plugin else ():
        if isinstance(handler, logging.Handler):
            handler.lock = _thread_rlock()


def pytest_collection_finish() -> None:
    """What was imported stays until the end. No look for garbage goes through it, as in the server (wsgi.py):
    an eighth of the processor's time of tests that wait for nothing."""
    gc.freeze()
    gc.enable()


def pytest_report_header() -> str:
    if PATCHED:
        return "patched by gevent: tests/browser is left to a run of its own (pytest tests/browser)"
    return "not patched by gevent: for tests/browser only"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    stray = [item for item in items if BROWSER_TESTS not in item.path.parents]
    if stray and not PATCHED:
        raise pytest.UsageError(
            f"{stray[0].nodeid} needs gevent's patches: "
            "run `python -m gevent.monkey --module pytest …` (or `make test`)"
        )
    for item in items:
        slow = item.get_closest_marker("slow")
        if slow is not None and not (slow.args and isinstance(slow.args[0], str)):
            raise pytest.UsageError(f"{item.nodeid}: slow needs its reason")
        if BROWSER_TESTS in item.path.parents:
            item.add_marker("browser")


BUDGET = 8.0
"""Seconds a test may take without ``@pytest.mark.slow("why")``, as support.Stopwatch counts."""

MARGIN = 1.5  # times as much is held against it: one machine is not as quick as another

BUSY = 1.5  # times as many that want a processor as there are


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    watch = support.Stopwatch()
    yield
    took = watch.seconds
    # On a busy machine what it took says little of it: that is looked at where there is nothing beside.
    busy = support.slowness() > BUSY
    if took > MARGIN * BUDGET and not (busy or support.LONG or item.get_closest_marker("slow")):
        pytest.fail(
            f"it took {took:.1f} s of a budget of {BUDGET:g} s: hand it its times, share what it "
            'starts, or say why it must: @pytest.mark.slow("why")',
            pytrace=False,
        )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Leave the outcome where the fixtures find it (a screenshot of a page that failed)."""
    outcome: Any = yield
    report = outcome.get_result()
    setattr(item, f"report_{report.when}", report)


# --- the engine --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def engine_socket() -> str:
    """The address of an engine that answers, as ``DOCKER_HOST`` has it."""
    return support.script("engine-up")


@pytest.fixture(scope="session")
def image(engine_socket: str) -> str:
    """A small image with busybox, made here."""
    return support.script("test-image")


@pytest.fixture(scope="session")
def gnu_image(engine_socket: str) -> str:
    """An image with bash, dash, GNU tar and coreutils, as Debian's have them, made here."""
    return support.script("gnu-image")


@pytest.fixture(scope="session")
def docker_client(engine_socket: str) -> Iterator[docker.DockerClient]:
    """The SDK's client, for what tests do to the engine; removes the run's containers."""
    client = docker.DockerClient(base_url=engine_socket, timeout=60)
    yield client
    for left in client.containers.list(all=True, filters={"label": f"cloudbang.test={RUN}"}):
        _remove(left)
    client.close()


def _remove(container: Container) -> None:
    try:
        # Killed and not stopped: sh as process 1 ignores TERM.
        container.remove(force=True, v=True)
    except docker.errors.NotFound:
        pass
    except docker.errors.APIError as e:
        if "already in progress" not in str(e):
            raise


ContainerFactory = Callable[..., "Container"]


@pytest.fixture
def container(docker_client: docker.DockerClient, image: str) -> Iterator[ContainerFactory]:
    """Start containers: ``container("echo hello", name=…, tty=True, labels={…})``.

    A command that is one text runs in ``sh -c``; every other option is one of
    ``docker.containers.create``. The name is made up unless given. All are removed afterwards.
    """
    made: list[Container] = []

    def start(command: str | list[str] = "sleep 1000000", **options: Any) -> Container:
        argv = ["sh", "-c", command] if isinstance(command, str) else command
        labels = {**options.pop("labels", {}), "cloudbang.test": RUN}
        run = options.pop("start", True)
        options.setdefault("name", f"test-{uuid.uuid4().hex[:10]}")
        if not options.get("ports"):
            options.setdefault("network_mode", "none")  # half the time to start
        one = docker_client.containers.create(
            options.pop("image", image), argv, labels=labels, **options
        )
        made.append(one)
        if run:
            one.start()
            try:
                one.reload()
            except docker.errors.NotFound:
                if not options.get("auto_remove"):
                    raise
        return one

    yield start
    for one in made:
        _remove(one)


# --- the server --------------------------------------------------------------------------------


@pytest.fixture
def free_port() -> Callable[[], int]:
    return support.free_port


ServerFactory = Callable[..., ServerProcess]


@pytest.fixture
def new_server(tmp_path: Path, engine_socket: str) -> Iterator[ServerFactory]:
    """Make servers: ``new_server({"CLOUDBANG_…": "…"}, start=False)``, each with its own data."""
    made: list[ServerProcess] = []

    def make(
        environ: Mapping[str, str] | None = None, *, start: bool = True, folder: Path | None = None
    ) -> ServerProcess:
        place = folder or tmp_path / f"server{len(made)}"
        place.mkdir(parents=True, exist_ok=True)
        one = ServerProcess(place, {"DOCKER_HOST": engine_socket, **(environ or {})})
        made.append(one)
        return one.start() if start else one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def server(new_server: ServerFactory) -> ServerProcess:
    """One server that answers, on the session's engine, with an account ``admin``."""
    return new_server()


# --- the browser -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """The folder for screenshots: outside git, kept after the run."""
    support.ARTIFACTS.mkdir(exist_ok=True)
    return support.ARTIFACTS


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    assert not PATCHED, "browser tests live in tests/browser and run unpatched"
    from playwright.sync_api import sync_playwright

    path = support.script("browser-up")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=list(support.BROWSER_ARGS),
        )
        yield chromium
        chromium.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Make browser contexts (one is a person with cookies of their own); options of Playwright. A
    tab that crashes fails the test."""
    made: list[BrowserContext] = []
    crashed: list[str] = []

    def watch(page: Page) -> None:
        page.on("crash", lambda gone: crashed.append(gone.url))

    def make(**options: Any) -> BrowserContext:
        options.setdefault("viewport", {"width": 1440, "height": 900})
        options.setdefault("locale", "en-GB")
        context = browser.new_context(**options)
        context.set_default_timeout(support.patient(20) * 1000)
        context.on("page", watch)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()
    assert not crashed, f"Chromium's tabs crashed at {crashed}"


@pytest.fixture
def page(
    new_context: Callable[..., BrowserContext], request: pytest.FixtureRequest, artifacts: Path
) -> Iterator[Page]:
    """A page of a fresh context, not signed in. Errors of its scripts fail the test; so does a
    violated Content-Security-Policy. A page that failed leaves a screenshot in the artifacts."""
    context = new_context()
    one = context.new_page()
    wrong: list[str] = []
    one.on("pageerror", lambda error: wrong.append(str(error)))
    one.on(
        "console",
        lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None,
    )
    yield one
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed and not one.is_closed():
        from playwright.sync_api import Error as PlaywrightError

        name = re.sub(r"[^\w.-]+", "_", request.node.nodeid.removeprefix("tests/browser/"))
        with suppress(PlaywrightError):  # of a tab that crashed there is nothing to see
            one.screenshot(path=artifacts / f"failed-{name}.png")
    if report is not None and report.passed:
        assert not wrong, f"the page's scripts failed: {wrong}"


@pytest.fixture
def sign_in() -> Callable[[Any, ServerProcess], None]:
    """``sign_in(page_or_context, server)``: gives its context the cookie of a session as admin."""

    def give(target: Any, server: ServerProcess) -> None:
        context = getattr(target, "context", target)
        context.add_cookies(
            [
                {"name": name, "value": value, "url": server.url}
                for name, value in server.client.cookies.items()
            ]
        )

    return give


@pytest.fixture
def shot(artifacts: Path) -> Callable[[Any, str], None]:
    """``shot(page, "log-page-zh")`` keeps a picture for people to look at, if they asked for it."""

    def take(page: Any, name: str) -> None:
        if support.PICTURES:
            page.screenshot(path=artifacts / f"{name}.png")

    return take
