"""A WebSocket of a test's own, to a server under test."""

from __future__ import annotations

from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support import patient


def open_socket(url: str, **options: Any) -> ClientConnection:
    """Connected, straight. It sends no pings, as no browser does: an answer to one comes after all that was asked
    before it, and is heard after all that was not read yet, which on a busy machine is later than the library waits."""
    straight = {"proxy": None, "ping_interval": None, "open_timeout": patient(20)}
    return connect(url, **straight | options)
