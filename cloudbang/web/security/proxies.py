"""Who is at the other end, through the proxies that are trusted, and whether the page is ours."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cloudbang.config import ServerSettings
from cloudbang.errors import CloudBangError, SettingError

Environ = Mapping[str, Any]
_PORT = re.compile(r":[0-9]+$")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class CrossSite(CloudBangError):
    """A page of another site asked for a change."""

    code = "cross-site"
    status = 403
    title = "Not from another site"
    sentence = (
        "this request comes from a page of {origin}, and this server was asked as {host}: only its own "
        "pages may change things here. Behind a proxy: let it hand on the Host that it was asked with "
        "(nginx: proxy_set_header Host $http_host), or set server.public_url"
    )

    def __init__(self, origin: str, host: str = "") -> None:
        self.origin, self.host = origin, host or "another name"
        super().__init__(origin, host)


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
        host = _last(environ, "HTTP_X_FORWARDED_HOST") or host
        port = _last(environ, "HTTP_X_FORWARDED_PORT")
        if port.isdecimal() and not _PORT.search(host):
            host = f"{host}:{port}"
        return ClientInfo(address, scheme, host)

    def check_origin(self, environ: Environ) -> None:
        """Raises CrossSite when a page of another site makes the browser ask.

        A program sends no Origin; a browser does with every change and every socket.
        """
        origin, host = environ.get("HTTP_ORIGIN"), str(environ.get("HTTP_HOST", ""))[:200]
        if origin is None:
            if environ.get("HTTP_SEC_FETCH_SITE", "same-origin") in ("same-origin", "none"):
                return
            raise CrossSite("another site", host)
        try:
            came_from = urlsplit(str(origin))
        except ValueError:
            raise CrossSite(str(origin)[:200], host) from None
        known = {_netloc(self.client_info(environ).host, came_from.scheme)}
        known.add(_netloc(str(environ.get("HTTP_HOST", "")), came_from.scheme))
        known.add(_netloc(self._public, came_from.scheme))
        known.discard("")
        if came_from.scheme not in ("http", "https") or (
            _netloc(came_from.netloc, came_from.scheme) not in known
        ):
            raise CrossSite(str(origin)[:200], host)

    def untrusted(self, environ: Environ) -> str:
        """The address of a proxy of one's own that is not trusted, "" when none is seen: somebody
        at the other side of the street who claims to be a proxy is made up."""
        if "HTTP_X_FORWARDED_FOR" not in environ:
            return ""
        address = str(environ.get("REMOTE_ADDR", ""))
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return ""
        return address if ip.is_private and not self._trusts(address) else ""

    def hands_on_another_host(self, environ: Environ) -> bool:
        """Of a request whose Origin was refused: whether a proxy of one's own is the likely reason.
        The browser says that page and address are one, or their names are."""
        if environ.get("HTTP_SEC_FETCH_SITE") == "same-origin":
            return True
        try:
            asked = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
            return asked is not None and urlsplit(str(environ["HTTP_ORIGIN"])).hostname == asked
        except (KeyError, ValueError):
            return False

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
