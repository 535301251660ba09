"""Caddy's admin API, on a unix socket in a folder that only we can enter."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from errno import ECONNRESET, EPIPE
from pathlib import Path
from typing import Any

import gevent
import orjson

from cloudbang.engine import EngineStream
from cloudbang.engine.connection import CLOSED
from cloudbang.engine.stream import Address
from cloudbang.errors import EngineUnreachable
from cloudbang.gateway.errors import GatewayAway, GatewayFailed

SOCKET = "admin.sock"
ASKED = 5.0  # seconds an answer may take
# Each new configuration brings a new listener of its own, and whom the old one has taken by then is
# dropped unheard. All that is asked may be asked twice.
DROPPED = (CLOSED, os.strerror(ECONNRESET), os.strerror(EPIPE))
AGAIN = (0.05, 0.2, 0.5)  # seconds until who was dropped asks again
LOADED = 20.0  # and one to a new configuration: it waits for ports, and for what is running


class CaddyAdmin:
    """Every call raises GatewayAway when nobody answers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def config(self) -> Any:
        """What it runs with, as JSON."""
        return self._ask("GET", "/config/")

    def load(self, config: Mapping[str, Any]) -> None:
        """Have it run with this and nothing else. Of the same nothing happens; what it does not
        take changes nothing: GatewayFailed."""
        self._ask("POST", "/load", orjson.dumps(config), LOADED)

    def upstreams(self) -> Sequence[Mapping[str, Any]]:
        """Whom it asks or has asked, each with the requests that are under way to it."""
        return self._ask("GET", "/reverse_proxy/upstreams") or []

    def _ask(self, method: str, path: str, body: bytes | None = None, within: float = ASKED) -> Any:
        try:
            # By its folder: the whole path may be longer than a socket's may be.
            folder = os.open(self._folder, os.O_PATH | os.O_DIRECTORY)
        except OSError as e:
            raise GatewayAway(f"{self._folder}: {e.strerror}") from None
        try:
            address = Address(f"unix:///proc/self/fd/{folder}/{SOCKET}")
            with gevent.Timeout(within, GatewayAway(f"no answer within {within:g} s", True)):
                for pause in AGAIN:
                    try:
                        return self._answer(address, method, path, body, within)
                    except EngineUnreachable as e:
                        if not any(words in e.reason for words in DROPPED):
                            raise
                    gevent.sleep(pause)
                return self._answer(address, method, path, body, within)
        except EngineUnreachable as e:
            raise GatewayAway(e.reason) from None
        finally:
            os.close(folder)

    def _answer(
        self, address: Address, method: str, path: str, body: bytes | None, within: float
    ) -> Any:
        stream = EngineStream(address, path, within, method=method, body=body)
        try:
            text = stream.read_all()
        finally:
            stream.close()
        try:
            told = orjson.loads(text) if text.strip() else None
        except orjson.JSONDecodeError:
            raise GatewayAway("it ended within an answer") from None
        if stream.status >= 400:
            said = told.get("error") if isinstance(told, dict) else None
            raise GatewayFailed(f"{method} {path}: {said or stream.status}")
        return told
