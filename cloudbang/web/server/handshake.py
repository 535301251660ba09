"""The opening handshake of a WebSocket (RFC 6455, 4.2), without any I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cloudbang.web.server.deflate import Agreement

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY, _PROTOCOL = "HTTP_SEC_WEBSOCKET_KEY", "HTTP_SEC_WEBSOCKET_PROTOCOL"


@dataclass(frozen=True)
class Refusal:
    """What ``SocketRoute.authorize`` returns to refuse: the HTTP status and a problem document."""

    status: int
    code: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()


def same_origin(origin: str, host: str) -> bool:
    """Does this Origin name the host and port of this Host header? (default ports included)"""
    try:
        parts = urlsplit(origin)
        default = {"http": 80, "https": 443}.get(parts.scheme)
        there = urlsplit(f"//{host}")
        return (
            default is not None
            and parts.hostname is not None
            and parts.hostname == there.hostname
            and (parts.port or default) == (there.port or default)
        )
    except ValueError:
        return False


def from_same_origin(environ: Mapping[str, Any]) -> bool:
    """Whether the Origin of a handshake names the Host that it asks."""
    return same_origin(environ.get("HTTP_ORIGIN", ""), environ.get("HTTP_HOST", ""))


def bad_handshake(environ: Mapping[str, Any], http: str) -> Refusal | None:
    """Why this request cannot become a WebSocket, or None. ``http`` is its protocol version."""

    def tokens(name: str) -> list[str]:
        return [token.strip().lower() for token in environ.get(name, "").split(",")]

    if environ["REQUEST_METHOD"] != "GET" or http != "HTTP/1.1":
        message = (
            "a WebSocket opens with GET and HTTP/1.1: a proxy in front has to pass it on "
            "(nginx: proxy_http_version 1.1, and the headers Upgrade and Connection)"
        )
        return Refusal(400, "bad-handshake", message)
    if "websocket" not in tokens("HTTP_UPGRADE") or "upgrade" not in tokens("HTTP_CONNECTION"):
        message = (
            "here is a WebSocket: ask for an upgrade to it; a proxy in front has to hand on the "
            "headers Upgrade and Connection"
        )
        return Refusal(426, "not-a-websocket", message)
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION", "").strip() != "13":
        return Refusal(426, "websocket-version", "Sec-WebSocket-Version has to be 13")
    if environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ:
        return Refusal(400, "bad-handshake", "a WebSocket handshake has no body")
    try:
        key = base64.b64decode(environ.get(_KEY, ""), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 16:
        return Refusal(400, "bad-handshake", "Sec-WebSocket-Key has to be 16 bytes in base64")
    return None


def choose(environ: Mapping[str, Any], spoken: tuple[str, ...]) -> str | None:
    """The first subprotocol the client asks for that is spoken here."""
    asked = [name.strip() for name in environ.get(_PROTOCOL, "").split(",")]
    return next((name for name in asked if name in spoken), None)


def accepted(
    environ: Mapping[str, Any], subprotocol: str | None, agreement: Agreement | None
) -> bytes:
    """The whole 101 answer."""
    digest = hashlib.sha1((environ[_KEY].strip() + _GUID).encode())  # noqa: S324 - RFC 6455
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {base64.b64encode(digest.digest()).decode()}",
    ]
    if subprotocol:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    if agreement:
        lines.append(f"Sec-WebSocket-Extensions: {agreement.response}")
    return "\r\n".join((*lines, "", "")).encode("latin-1")
