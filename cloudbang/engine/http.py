"""How the engine is asked: the SDK for what is rare and small, by hand for the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import gevent
import orjson
from gevent import ssl
from gevent.lock import BoundedSemaphore

from cloudbang.config import EngineSettings
from cloudbang.core.loop import import_gently
from cloudbang.domain.podman import is_podman
from cloudbang.engine.connection import Address
from cloudbang.engine.errors import RefusedBetween
from cloudbang.engine.stream import EngineStream
from cloudbang.errors import EngineRefused, EngineUnreachable

if TYPE_CHECKING:
    import docker

T = TypeVar("T")

# The SDK and what it stands on, from the inside out: 0.1 s and 8 MB, for when it is needed.
SDK = ("http.client", "urllib3", "charset_normalizer", "requests", "docker")


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
        self.app_label = settings.app_label  # a label that names apps, "" for none
        self._tls = _tls(environ) if not host.startswith("unix:") else None
        self._version = ""  # of the API, agreed upon at the first call and with whoever comes back
        self._is_podman = False  # whoever that is
        self._api: docker.APIClient | None = None
        self._connecting = BoundedSemaphore(1)

    def close(self) -> None:
        """Let go of what is kept; the next call begins anew, with asking for the version."""
        self._version = ""
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
        return f"/v{self._agreed()}{path}{asked}"

    def speaks(self, version: str) -> bool:
        """Whether the version of the API that was agreed upon is at least this one."""
        return _parts(self._agreed()) >= _parts(version)

    @property
    def is_podman(self) -> bool:
        """Whether it is Podman, which understands what is asked of Docker, and does it otherwise."""
        self._agreed()
        return self._is_podman

    def _agreed(self) -> str:
        """The version of its API that the engine speaks, as "1.41"."""
        with self._connecting:
            if not self._version:
                answer = self._answer("/version", what="its version", call="version")
                told = self._read_json(answer)
                try:
                    self._version = str(told["ApiVersion"])
                    self._is_podman = is_podman(told)
                except (TypeError, KeyError, AttributeError):
                    reason = "what answers there is no Docker Engine"
                    raise EngineUnreachable(self.host, reason) from None
            return self._version

    def _open(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: Mapping[str, Any] | None = None,
        timeout: float = 0.0,
        what: str = "",
        call: str = "",
        headers: Mapping[str, str] | None = None,
        pieces: Callable[[], Iterable[bytes]] | None = None,
    ) -> EngineStream:
        """The answer, to be read and closed. Raises EngineRefused for any that is an error.

        ``timeout``: seconds until it begins, 0 for as many as ever. ``what`` was asked, for people;
        ``call``: of which kind it is, by ``domain.refusals``. ``pieces`` makes a body that is sent
        as it comes.
        """
        data = None if body is None else orjson.dumps(body)

        def ask() -> EngineStream:
            where = self.path(path, query)
            said = what or f"{method} {path}"
            return self._answer(
                where,
                method=method,
                body=data,
                timeout=timeout,
                what=said,
                call=call,
                headers=headers,
                pieces=None if pieces is None else pieces(),
            )

        return self._with_its_version(ask)

    def _with_its_version(self, ask: Callable[[], T]) -> T:
        """``ask()``, and once more when the engine is another by now than the one that was asked
        for its version: one that was upgraded may refuse the old one, and the other way round."""
        try:
            return ask()
        except EngineRefused as e:
            if e.engine_status != 400 or "client version" not in e.reason:
                raise
        self.close()
        return ask()

    def _answer(
        self,
        where: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        timeout: float = 0.0,
        what: str,
        call: str,
        headers: Mapping[str, str] | None = None,
        pieces: Iterable[bytes] | None = None,
    ) -> EngineStream:
        wait = timeout or self.timeout
        stream = EngineStream(
            self.address, where, wait, method=method, body=body, headers=headers, pieces=pieces
        )
        if 200 <= stream.status < 300 or stream.status == 304:  # 304: it is so already
            return stream
        try:
            raise stream.refusal(what, call)
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
        call: str = "",
        within: float = 0.0,
    ) -> Any:
        """The answer's JSON, None when it has none. By hand: an eighth of what the SDK takes.

        ``within``: seconds until it begins, and then until its end; 0 for as many as ever.
        """
        stream = self._open(
            path, query, method=method, body=body, timeout=within, what=what, call=call
        )
        return self._read_json(stream, within)

    def _read_json(self, stream: EngineStream, within: float = 0.0) -> Any:
        late = EngineUnreachable(self.host, "it does not answer")
        try:
            with gevent.Timeout(within or self.timeout, late):
                text = stream.read_all()
            return orjson.loads(text) if text else None
        except orjson.JSONDecodeError:
            raise EngineUnreachable(self.host, "it ended within an answer") from None
        finally:
            stream.close()

    # --- with the SDK -------------------------------------------------------------------------

    def _connected(self) -> docker.APIClient:
        version = self._agreed()
        with self._connecting:
            if self._api is None:
                import_gently(*SDK)
                self._api = self._call("a connection", lambda: self._client(version))
            return self._api

    def _client(self, version: str) -> docker.APIClient:
        import docker
        from docker.tls import TLSConfig

        tls: Any = False
        if self._tls is not None:
            folder = os.environ.get("DOCKER_CERT_PATH", os.path.expanduser("~/.docker"))
            tls = TLSConfig(
                client_cert=(f"{folder}/cert.pem", f"{folder}/key.pem"),
                ca_cert=f"{folder}/ca.pem",
                verify=True,
            )
        return docker.APIClient(
            base_url=self.host, version=version, timeout=int(self.timeout), tls=tls, num_pools=4
        )

    def _ask(self, what: str, call: Callable[[docker.APIClient], T]) -> T:
        def ask() -> T:
            api = self._connected()
            try:
                return self._call(what, lambda: call(api))
            except EngineUnreachable:
                # Kept connections die with the engine: a fresh one tells whether it is back.
                return self._call(what, lambda: call(api))

        return self._with_its_version(ask)

    def _call(self, what: str, call: Callable[[], T]) -> T:
        import docker
        import requests

        try:
            return call()
        except docker.errors.APIError as e:
            status = e.status_code or 0
            try:
                said = str((e.response.json() if e.response is not None else {})["message"])
            except (KeyError, TypeError, ValueError):
                raise RefusedBetween(what, status, what) from None
            raise EngineRefused(what, status, said, what) from None
        except (docker.errors.DockerException, requests.RequestException, OSError) as e:
            raise EngineUnreachable(self.host, _innermost(e)) from None


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


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
