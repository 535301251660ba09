"""How the engine is asked: the SDK for what is rare and small, by hand for the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import docker
import gevent
import orjson
import requests
from docker.tls import TLSConfig
from gevent import ssl
from gevent.lock import BoundedSemaphore

from cloudbang.config import EngineSettings
from cloudbang.engine.connection import Address
from cloudbang.engine.stream import EngineStream
from cloudbang.errors import EngineRefused, EngineUnreachable

T = TypeVar("T")


class EngineHttp:
    """The way to one Docker Engine. Every call raises EngineUnreachable when it does not answer."""

    def __init__(
        self,
        settings: EngineSettings = EngineSettings(),  # noqa: B008 - a frozen value
        *,
        timeout: float = 15.0,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.host = host = settings.host
        self.timeout = timeout
        self._tls = _tls(environ) if not host.startswith("unix:") else None
        self._api: docker.APIClient | None = None
        self._connecting = BoundedSemaphore(1)

    def close(self) -> None:
        if self._api is not None:
            self._api.close()
            self._api = None

    # --- by hand ------------------------------------------------------------------------------

    @property
    def address(self) -> Address:
        return Address(self.host, self._tls)

    def path(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """The path with the version of the API that was agreed upon, and the query."""
        asked = f"?{urlencode(query)}" if query else ""
        return f"/v{self._connected().api_version}{path}{asked}"

    def _open(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: Mapping[str, Any] | None = None,
        timeout: float = 0.0,
        what: str = "",
    ) -> EngineStream:
        """The answer, to be read and closed. Raises EngineRefused for any that is an error.

        ``timeout``: seconds until it begins, 0 for as many as ever. ``what`` was asked, for people.
        """
        data = None if body is None else orjson.dumps(body)
        where, wait = self.path(path, query), timeout or self.timeout
        stream = EngineStream(self.address, where, wait, method=method, body=data)
        if 200 <= stream.status < 300 or stream.status == 304:  # 304: it is so already
            return stream
        try:
            raise EngineRefused(what or f"{method} {path}", stream.status, stream.error())
        finally:
            stream.close()

    def _json(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: Mapping[str, Any] | None = None,
        what: str = "",
    ) -> Any:
        """The answer's JSON, None when it has none. By hand: an eighth of what the SDK takes."""
        stream = self._open(path, query, method=method, body=body, what=what)
        try:
            with gevent.Timeout(self.timeout, EngineUnreachable(self.host, "it does not answer")):
                text = stream.read_all()
            return orjson.loads(text) if text else None
        except orjson.JSONDecodeError:
            raise EngineUnreachable(self.host, "it ended within an answer") from None
        finally:
            stream.close()

    # --- with the SDK -------------------------------------------------------------------------

    def _connected(self) -> docker.APIClient:
        with self._connecting:
            if self._api is None:
                self._api = self._call("its version", self._client)
            return self._api

    def _client(self) -> docker.APIClient:
        tls: Any = False
        if self._tls is not None:
            folder = os.environ.get("DOCKER_CERT_PATH", os.path.expanduser("~/.docker"))
            tls = TLSConfig(
                client_cert=(f"{folder}/cert.pem", f"{folder}/key.pem"),
                ca_cert=f"{folder}/ca.pem",
                verify=True,
            )
        return docker.APIClient(
            base_url=self.host, version="auto", timeout=int(self.timeout), tls=tls, num_pools=4
        )

    def _ask(self, what: str, call: Callable[[docker.APIClient], T]) -> T:
        api = self._connected()
        try:
            return self._call(what, lambda: call(api))
        except EngineUnreachable:
            # Kept connections die with the engine: a fresh one tells whether it is back.
            return self._call(what, lambda: call(api))

    def _call(self, what: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except docker.errors.APIError as e:
            status = e.status_code or 0
            raise EngineRefused(what, status, str(e.explanation or e)) from None
        except (docker.errors.DockerException, requests.RequestException, OSError) as e:
            raise EngineUnreachable(self.host, _innermost(e)) from None


def _innermost(error: BaseException) -> str:
    """The cause that says something: "No such file or directory" rather than a chain of names."""
    seen: BaseException = error
    for _ in range(10):
        inner = seen.__cause__ or seen.__context__
        inner = inner or next((a for a in seen.args if isinstance(a, BaseException)), None)
        if inner is None:
            break
        seen = inner
    if isinstance(seen, OSError) and seen.strerror:
        return seen.strerror
    return str(seen) or type(seen).__name__


def _tls(environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """As the Docker CLI decides it: DOCKER_TLS_VERIFY, with the certificates of DOCKER_CERT_PATH."""
    if not environ.get("DOCKER_TLS_VERIFY"):
        return None
    folder = environ.get("DOCKER_CERT_PATH") or os.path.expanduser("~/.docker")
    context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    return context
