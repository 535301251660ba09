"""Who is at the other end, through the proxies that are trusted, and whether the page is ours."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cloudbang.config import ServerSettings
from cloudbang.errors import CloudBangError, SettingError

Environ = Mapping[str, Any]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class CrossSite(CloudBangError):
    """A page of another site asked for a change."""

    code = "cross-site"
    status = 403
    title = "Not from another site"
    sentence = "this request comes from a page of {origin}: only pages of this server may change things here"

    def __init__(self, origin: str) -> None:
        self.origin = origin
        super().__init__(origin)


class ClientInfo(NamedTuple):
    """The other end, seen through the proxies that are trusted."""

    address: str
    scheme: str
    host: str  # host and port as the browser's address bar has them


class Proxies:
    """The proxies whose word counts (``server.trusted_proxies``: addresses or networks)."""

    def __init__(self, settings: ServerSettings) -> None:
        self._trusted: list[Network] = []
        for text in settings.trusted_proxies:
            try:
                self._trusted.append(ipaddress.ip_network(text, strict=False))
            except ValueError:
                raise SettingError(
                    "server", "trusted_proxies", text, "IP addresses or networks such as 10.0.0.0/8"
                ) from None
        self._public = urlsplit(settings.public_url).netloc.lower()

    def client_info(self, environ: Environ) -> ClientInfo:
        """Who asks. ``X-Forwarded-*`` of anybody else than a trusted proxy is made up."""
        address = str(environ.get("REMOTE_ADDR", ""))
        scheme = str(environ.get("wsgi.url_scheme", "http"))
        host = str(environ.get("HTTP_HOST", ""))
        if not self._trusts(address):
            return ClientInfo(address, scheme, host)
        # Each proxy appends whom it saw: from the right, the first that is not trusted is real.
        for hop in reversed(str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
            seen = _address(hop)
            if not seen:
                break
            address = seen
            if not self._trusts(seen):
                break
        forwarded = _last(environ, "HTTP_X_FORWARDED_PROTO").lower()
        scheme = forwarded if forwarded in ("http", "https") else scheme
        return ClientInfo(address, scheme, _last(environ, "HTTP_X_FORWARDED_HOST") or host)

    def check_origin(self, environ: Environ) -> None:
        """Raises CrossSite when a page of another site makes the browser ask.

        A program sends no Origin; a browser does with every change and every socket.
        """
        origin = environ.get("HTTP_ORIGIN")
        if origin is None:
            if environ.get("HTTP_SEC_FETCH_SITE", "same-origin") in ("same-origin", "none"):
                return
            raise CrossSite("another site")
        try:
            came_from = urlsplit(str(origin))
        except ValueError:
            raise CrossSite(str(origin)[:200]) from None
        known = {_netloc(self.client_info(environ).host, came_from.scheme)}
        known.add(_netloc(str(environ.get("HTTP_HOST", "")), came_from.scheme))
        known.add(_netloc(self._public, came_from.scheme))
        known.discard("")
        if came_from.scheme not in ("http", "https") or (
            _netloc(came_from.netloc, came_from.scheme) not in known
        ):
            raise CrossSite(str(origin)[:200])

    def _trusts(self, address: str) -> bool:
        if not self._trusted:
            return False
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._trusted)


def _last(environ: Environ, name: str) -> str:
    return str(environ.get(name, "")).rsplit(",", 1)[-1].strip()


def _address(hop: str) -> str:
    """The address in one hop of X-Forwarded-For (perhaps with a port), "" when it is none."""
    text = hop.strip().strip('"')
    if text.startswith("["):
        text = text[1:].split("]", 1)[0]
    elif text.count(":") == 1:
        text = text.split(":", 1)[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _netloc(netloc: str, scheme: str) -> str:
    """Host and port as they are compared: the port that a scheme implies left out."""
    return netloc.lower().rstrip(".").removesuffix(":443" if scheme == "https" else ":80")
