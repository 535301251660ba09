"""What browser tests of terminals share: a terminal as the person before it has it, pages that are
watched for errors, and a wire between browser and server that can be cut."""

from __future__ import annotations

import re
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, WebError, expect

from tests.support import ServerProcess, free_port, wait_until
from tests.terminal_support import Person

PATIENCE = 20.0  # seconds; the machine of the tests is shared
SHOWN = ".term:visible"


class Shell:
    """The terminal that is shown on a page: what is on its screen, and the keyboard before it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.box = page.locator(SHOWN)

    # What is there

    def text(self) -> str:
        """All that is kept of what was printed; "" while there is no screen."""
        script = """() => [...document.querySelectorAll('.term-screen')]
            .find((one) => one.checkVisibility())?.screen?.text() ?? ''"""
        return str(self.page.evaluate(script))

    def inside(self, expression: str) -> Any:
        """An expression about its ``screen``."""
        script = f"""() => {{
            const screen = [...document.querySelectorAll('.term-screen')]
                .find((one) => one.checkVisibility()).screen;
            return ({expression});
        }}"""
        return self.page.evaluate(script)

    def shows(self, text: str, timeout: float = PATIENCE) -> Shell:
        """Wait until the text is on the screen, or above it."""
        wait_until(
            lambda: text in self.text(), timeout, f"{text!r} in the terminal; it has {self.tail()}"
        )
        return self

    def shows_line(self, line: str, timeout: float = PATIENCE) -> Shell:
        """Wait until a line is exactly this: what was printed, not what was typed."""
        wait_until(
            lambda: line in self.lines(), timeout, f"the line {line!r}; it has {self.tail()}"
        )
        return self

    def shows_line_that(self, pattern: str, timeout: float = PATIENCE) -> Shell:
        """Wait until a whole line matches the regular expression."""
        whole = re.compile(pattern)
        wait_until(
            lambda: any(map(whole.fullmatch, self.lines())),
            timeout,
            f"a line like {pattern!r}; it has {self.tail()}",
        )
        return self

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.text().splitlines()]

    def tail(self) -> list[str]:
        with suppress(Exception):
            return self.lines()[-12:]
        return []

    @property
    def phase(self) -> str:
        return self.box.get_attribute("data-phase") or ""

    def in_phase(self, phase: str) -> Shell:
        expect(self.box).to_have_attribute("data-phase", phase)
        return self

    def ready(self) -> Shell:
        """Wait until a shell waits for what is typed."""
        self.in_phase("attached")
        wait_until(
            lambda: re.search(r"[#$] ?$", self.text()), PATIENCE, f"a prompt; it has {self.tail()}"
        )
        return self

    def size(self) -> tuple[int, int]:
        """Rows and columns, as ``stty size`` says them."""
        rows, columns = self.inside("[screen.terminal.rows, screen.terminal.cols]")
        return int(rows), int(columns)

    @property
    def id(self) -> str:
        """The id of its session, from the address."""
        found = re.search(r"session=([0-9a-f]+)|/terminals/([0-9a-f]+)", self.page.url)
        assert found, self.page.url
        return found[1] or found[2]

    # What is done

    def type(self, text: str) -> Shell:
        """On the keyboard; a line end is Enter."""
        self.page.keyboard.type(text)
        return self

    def run(self, command: str, prints: str) -> Shell:
        """Type a command, and wait for a line that is exactly this."""
        return self.type(command + "\n").shows_line(prints)

    def banner(self, name: str) -> Locator:
        return self.box.locator(f'[data-banner="{name}"]')

    def button(self, name: str) -> Locator:
        return self.box.get_by_role("button", name=name, exact=True)

    def entry(self, name: str) -> None:
        """Choose an entry of its menu."""
        self.button("More").click()
        self.box.locator(".term-menu").get_by_role("button", name=name).click()


class Watch:
    """Every page of some contexts, and what goes wrong on them."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.said: list[str] = []
        self._allowed: list[str] = []
        self._later: list[Callable[[], object]] = []

    def later(self, what: Callable[[], object]) -> None:
        """Do this once the pages of a test that failed have been kept as they were."""
        self._later.append(what)

    def finish(self) -> None:
        while self._later:
            self._later.pop()()

    def allow(self, pattern: str) -> None:
        """What a test brings about on purpose: a lost network is an error to the console."""
        self._allowed.append(pattern)

    def on(self, context: BrowserContext) -> None:
        context.on("page", self._on_page)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)

    def _on_page(self, page: Page) -> None:
        self.pages.append(page)

    def _on_console(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.said.append(f"{said.text} ({said.location.get('url', '')})")

    def _on_error(self, error: WebError) -> None:
        self.said.append(str(error.error))

    def wrong(self) -> list[str]:
        return [
            said
            for said in self.said
            if not any(re.search(pattern, said) for pattern in self._allowed)
        ]


LOST = r"WebSocket connection to|net::ERR_|Failed to fetch"
"""What the console says when the network is lost."""


class Wire:
    """The way from the browser to the server, which can be cut: an address of its own, whose
    connections are copied to the server's in both directions."""

    def __init__(self, server: ServerProcess) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._to = ("127.0.0.1", server.port)
        self._listener: socket.socket | None = None
        self._held: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self.cuts = 0

    def __enter__(self) -> Wire:
        self.mend()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def mend(self) -> None:
        assert self._listener is None
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stall(self) -> None:
        """Nothing gets through any more, and nobody is told: a laptop that left the room."""
        self._flows.clear()

    def cut(self) -> None:
        """All connections break, and no new one is taken."""
        self._flows.set()
        with self._lock:
            listener, self._listener = self._listener, None
            held, self._held = self._held, set()
        if listener is not None:
            self.cuts += 1
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for one in held:
            # Reset, not closed: nobody says goodbye when a cable is pulled.
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            with suppress(OSError):
                one.shutdown(socket.SHUT_RD)
            with suppress(OSError):
                one.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(self._to)
            except OSError:
                return
            with self._lock:
                if self._listener is not listener:
                    near.close()
                    far.close()
                    return
                self._held |= {near, far}
            threading.Thread(target=self._copy, args=(near, far), daemon=True).start()

    def _copy(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        with suppress(OSError, ValueError):
            while True:
                for one in select.select([near, far], [], [])[0]:
                    data = one.recv(65536)
                    self._flows.wait()
                    if not data:
                        raise ConnectionError
                    other[one].sendall(data)
        with self._lock:
            self._held -= {near, far}
        near.close()
        far.close()


def cookies_of(person: Person) -> list[Any]:
    """The session of a person, for a browser context."""
    return [
        {"name": name, "value": value, "url": person.server.url}
        for name, value in person.client.cookies.items()
    ]


def open_terminal(page: Page, address: str, app: str) -> Shell:
    """Open a shell from the app's tab, and wait for its prompt."""
    page.goto(f"{address}/apps/{app}/terminal")
    page.get_by_role("button", name="Open", exact=True).click()
    return Shell(page).ready()


def read(container: Any, path: str) -> bytes:
    """A file of a container; b"" while it is not there."""
    code, output = container.exec_run(["cat", path])
    return bytes(output) if code == 0 else b""


def no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
