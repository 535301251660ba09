"""The whole application as it serves, without an engine, for tests that try every way into it."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from websockets.sync.client import ClientConnection

from cloudbang.app import Application
from cloudbang.config import Settings
from cloudbang.domain.lines import format_time, record
from tests.socket_client import open_socket
from tests.support import free_port, patient

PASSWORD = "correct horse battery"
WHEN = format_time(1_750_000_000_000_000_000)
NUMBERS = {"account_id": 1, "deployment_id": 1, "id": 1, "number": 1}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
CHANGES = ("POST", "PUT", "PATCH", "DELETE")

# The SDK leaves its socket to the garbage collector when no engine answers.
NO_ENGINE = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket object:pytest.PytestUnraisableExceptionWarning"
)


class WholeApp:
    """Runs until :meth:`close`; set up, with the account ``admin``."""

    def __init__(self, folder: Path) -> None:
        self.bus = f"tcp://127.0.0.1:{free_port()}"  # where other programs publish
        settings = Settings.model_validate(
            {
                "server": {"port": free_port()},
                "storage": {"path": folder, "retention_days": 36500},  # lines are of WHEN
                "engine": {"host": f"unix://{folder}/none.sock"},
                "bus": {
                    "bind_sub": self.bus,
                    "bind_pub": "tcp://127.0.0.1:*",
                    "bind_pub2": "",
                },
                "admin_password": PASSWORD,
            }
        )
        self._application = Application(settings)
        self._application.start()
        self.server: Any = self._application.server
        self.app: Flask = self.server.application
        self.parts: Any = self.app.extensions["cloudbang"]
        self.origin = f"http://127.0.0.1:{self.server.port}"

    def sign_in(self, name: str) -> str:
        """The secret of a new session."""
        return str(self.parts.accounts.sign_in(name, PASSWORD, "192.0.2.1"))

    def token(self, name: str, role: str) -> tuple[dict[str, str], Any]:
        """A token without an account, as a header, and what is known of it."""
        secret, token = self.parts.accounts.tokens.create(name, role)
        return {"Authorization": f"Bearer {secret}"}, token

    def log(self, app: str, text: str) -> None:
        """One line of an app."""
        line = record(WHEN.encode(), b"0123456789ab", b"stdout", text.encode())
        self.parts.store.append(app, [line])

    def ask(self, path: str, method: str = "GET", *, cookie: str = "", **options: Any) -> Any:
        """The answer, read to its end, with the session of ``cookie``."""
        client = self.app.test_client()
        if cookie:
            client.set_cookie("cloudbang_session", cookie, domain="localhost")
        return client.open(path, method=method, buffered=True, **options)

    def rules(self) -> Iterator[tuple[Any, str]]:
        """Everything that can be asked for: a rule of Flask's and a method."""
        for rule in self.app.url_map.iter_rules():
            for method in METHODS:
                if method in (rule.methods or ()):
                    yield rule, method

    def path(self, rule: Any, **values: Any) -> str:
        """An address of a rule; what nobody names has some value."""
        known = {"filename": "css/lib/base.css", "lang": "zh", **NUMBERS, **values}
        chosen = {name: known.get(name, "x1") for name in rule.arguments}
        return str(self.app.url_map.bind("localhost").build(rule.endpoint, chosen))

    @contextmanager
    def socket(
        self, path: str, headers: Mapping[str, str], **options: Any
    ) -> Iterator[ClientConnection]:
        """A WebSocket that was let in."""
        url = self.origin.replace("http", "ws") + path
        options.setdefault("open_timeout", patient(10))
        with open_socket(url, additional_headers=headers, **options) as socket:
            yield socket

    def close(self) -> None:
        self._application.stop()
        gc.collect()  # while the warning about the SDK's sockets is still expected
