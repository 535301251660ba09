"""The HTTP API of a server that runs, for commands: called with a token, answered in the language of
the terminal."""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from cloudbang.errors import CloudBangError

WITHIN = 30.0  # seconds for the next word of the server's
LONGEST = 64 * 1024 * 1024  # bytes of an answer


class ServerAway(CloudBangError):
    """Nobody answers where the server should be, or not in a way that is understood."""

    code = "server-away"
    sentence = (
        "no CloudBang answers at {address} ({reason}): start it, or name another with --server"
    )

    def __init__(self, address: str, reason: str) -> None:
        self.address, self.reason = address, reason
        super().__init__(address, reason)


class Refused(CloudBangError):
    """The server said no, and why."""

    code = "refused"
    sentence = "{detail}"

    def __init__(self, status: int, problem: str, detail: str) -> None:
        self.status, self.problem, self.detail = status, problem, detail
        super().__init__(status, problem, detail)


class Form:
    """A form with one file, written as it is sent."""

    def __init__(self, fields: dict[str, str], name: str, file: Any, size: int) -> None:
        """``file``: opened for reading, at its beginning; ``size`` in bytes."""
        self.boundary = secrets.token_hex(24)  # in no file that anybody could have thought of
        head = "".join(
            f"--{self.boundary}\r\nContent-Disposition: form-data; name={key}\r\n\r\n{value}\r\n"
            for key, value in fields.items()
        )
        head += (
            f"--{self.boundary}\r\nContent-Disposition: form-data; name={name}; "
            "filename=folder.tar\r\nContent-Type: application/x-tar\r\n\r\n"
        )
        self._head, self._tail = head.encode(), f"\r\n--{self.boundary}--\r\n".encode()
        self._file = file
        self.size = len(self._head) + size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        while piece := self._file.read(256 * 1024):
            yield piece
        yield self._tail


class ServerApi:
    """One server, by its address. Each call has a connection of its own: between two of them the
    server may have been started anew."""

    def __init__(self, address: str, token: str, language: str = "en") -> None:
        parts = urlsplit(address)
        self.address = f"{parts.scheme}://{parts.netloc}"
        self._parts = parts
        self._headers = {
            "Accept": "application/json",
            "Accept-Language": language,
            "Authorization": f"Bearer {token}",
        }

    def get(self, path: str) -> Any:
        """Raises Refused, ServerAway."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, body: object) -> Any:
        """Raises Refused, ServerAway."""
        data = json.dumps(body).encode()
        return self._ask("POST", path, data, {"Content-Type": "application/json"})

    def send(self, path: str, form: Form) -> Any:
        """Raises Refused, ServerAway."""
        headers = {
            "Content-Type": f"multipart/form-data; boundary={form.boundary}",
            "Content-Length": str(form.size),
        }
        return self._ask("POST", path, form, headers)

    def delete(self, path: str) -> Any:
        """Raises Refused, ServerAway."""
        return self._ask("DELETE", path, None, {})

    def _ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        connection = self._connection()
        try:
            try:
                connection.request(method, path, body, {**self._headers, **headers})
            except (BrokenPipeError, ConnectionResetError):
                if body is None:
                    raise
                # It was answered before all of it was sent.
            answer = connection.getresponse()
            data = answer.read(LONGEST)
        except (OSError, http.client.HTTPException) as e:
            raise ServerAway(self.address, str(e) or type(e).__name__) from None
        finally:
            connection.close()
        return self._value(answer.status, data)

    def _value(self, status: int, data: bytes) -> Any:
        try:
            value = json.loads(data) if data else None
        except ValueError:
            value = None
        if status < 400 and (value is not None or not data):
            return value
        if status >= 400 and isinstance(value, dict) and "code" in value:
            raise Refused(status, str(value["code"]), str(value.get("detail") or value["code"]))
        raise ServerAway(self.address, f"what answers there is no CloudBang: HTTP {status}")

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=WITHIN, context=context)
        connection = http.client.HTTPConnection(host, port, timeout=WITHIN)
        try:
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as e:
            raise ServerAway(self.address, e.strerror or str(e)) from None
        return connection


def in_path(name: str) -> str:
    """A name as a part of a path."""
    return quote(name, safe="")
