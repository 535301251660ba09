"""The routes that there are to be: whose a domain is, which port an app has, where it answers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlsplit

from cloudbang.config import Settings
from cloudbang.domain.deploy.caddy import (
    HTTP,
    HTTPS,
    Gate,
    GatewayRoute,
    caddy_config,
    is_local,
    is_public,
    local_host,
)
from cloudbang.domain.deploy.spec import Spec
from cloudbang.gateway.errors import NoFreePort, RouteTaken
from cloudbang.storage.database.routes import KeptRoute

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

CERTIFICATES = Path("data", "caddy", "certificates")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an app answers. ``local``: for who sits at this machine alone; ``port``: at a port of its
    own, by whatever name or address somebody reaches the machine; the one in ``url`` is the one that
    we know of."""

    url: str
    kind: Literal["domain", "local", "port"]
    port: int = 0


class Routes:
    """What is wanted, by app. Nothing here waits."""

    def __init__(self, settings: Settings, team_of: Callable[[str], str]) -> None:
        self._settings, self._its = settings, settings.gateway
        self._team_of = team_of
        self._ours = (urlsplit(settings.server.public_url).hostname or "").lower()
        self.by_app: dict[str, KeptRoute] = {}

    # -- who may have what

    def wanted(self, app: str, spec: Spec, ports: Collection[int], team: str = "") -> KeptRoute:
        """The route that a specification asks for, with the port that the app has or gets out of
        ``ports``; ``team``: whose it is to be, "" for whose it is. Raises RouteTaken, NoFreePort."""
        route = spec.route
        assert route is not None
        kept = self.by_app.get(app) or KeptRoute(app)
        self._may_have(app, team or self._team_of(app), route.host, route.path)
        own = 0
        if not route.host:
            own = kept.own_port if kept.own_port in ports else self._free(app, ports)
            if not own:
                raise NoFreePort(self._its.ports)
        return replace(kept, host=route.host, path=route.path, port=spec.port, own_port=own)

    def allot_again(self, ports: Collection[int]) -> list[KeptRoute]:
        """The routes that change because those are the ports that there are: an app whose port is
        gone gets another one, or none."""
        changed = []
        for route in self.by_app.values():
            if route.own_port in ports or route.host:
                continue
            own = self._free(route.app, ports)
            if own != route.own_port:
                changed.append(replace(route, own_port=own))
                self.by_app[route.app] = changed[-1]
        return changed

    def _free(self, app: str, ports: Collection[int]) -> int:
        used = {route.own_port for route in self.by_app.values() if route.app != app}
        return next((port for port in sorted(ports) if port not in used), 0)

    def _may_have(self, app: str, team: str, host: str, path: str) -> None:
        name = host or local_host(app)
        shown = f"{name}{path}" if path != "/" else name
        if host and (name == self._ours or name == "localhost"):
            raise RouteTaken(shown, whose="ours")
        if host.startswith("*.") and is_everybodys(host[2:]):
            raise RouteTaken(shown, whose="everybody")
        for other in self.by_app.values():
            if other.app == app:
                continue
            theirs = other.host or local_host(other.app)
            if _is_below(name, theirs) and self._team_of(other.app) != team:
                raise RouteTaken(shown, whose="team")
            if name == theirs and _same_path(path, other.path):
                raise RouteTaken(shown, other.app)

    # -- what Caddy is told

    def config(
        self, local: Iterable[str], folder: Path, *, exposed: bool = False
    ) -> dict[str, object]:
        """Its configuration. ``local``: addresses by which this machine asks; ``folder``: where
        the gateway keeps its certificates, since only who has one sends people there;
        ``exposed``: others ask by those addresses as well."""
        routes = []
        for kept in self.by_app.values():
            https = self._by_https(kept.host)
            redirect = https and _has_certificate(folder, kept.host)
            routes.append(
                GatewayRoute(kept.app, kept.host, kept.path, kept.own_port, https, redirect)
            )
        its, here = self._its, set(local)
        trusted = set(self._settings.server.trusted_proxies)
        if not exposed and any(is_loopback(one) for one in trusted):
            trusted |= here  # as whom one on this machine comes
        gate = Gate(
            local=here,
            exposed=exposed,
            https_port=its.https_port,
            acme=its.acme,
            acme_root=bool(its.acme and its.acme_root),
            email=its.email,
            trusted=trusted,
        )
        return caddy_config(routes, gate)

    def _by_https(self, host: str) -> bool:
        if self._its.https == "never" or not is_public(host):
            return False
        at_home = (self._its.http_port, self._its.https_port) == (HTTP, HTTPS)
        return at_home or self._its.https == "always"

    # -- where apps answer

    def addresses(self, app: str, folder: Path) -> list[Address]:
        """The best one first."""
        kept = self.by_app.get(app)
        if kept is None:
            return []
        its, path = self._its, quote(kept.path, safe="/%:@!$&'()+,;=~-._")
        if kept.host:
            if "*" in kept.host:
                return []  # a pattern is no address
            secure = self._by_https(kept.host) and _has_certificate(folder, kept.host)
            scheme, port = ("https", its.https_port) if secure else ("http", its.http_port)
            kind: Literal["domain", "local"] = "local" if is_local(kept.host) else "domain"
            return [Address(f"{scheme}://{_at(kept.host, port, scheme)}{path}", kind)]
        host = _at(local_host(app), its.http_port, "http")
        found = [Address(f"http://{host}{path}", "local")]
        if kept.own_port:
            name = _at(self._ours or this_machine(), kept.own_port, "http")
            found.append(Address(f"http://{name}{path}", "port", kept.own_port))
        return found


def taken_ports(settings: Settings) -> set[int]:
    """Ports that CloudBang itself has: none of them is an app's."""
    its = settings.gateway
    bus = (settings.bus.bind_sub, settings.bus.bind_pub, settings.bus.bind_pub2)
    found = {settings.server.port, its.http_port, its.https_port}
    for address in bus:
        with suppress(ValueError):
            found.add(urlsplit(address).port or 0)
    return found


def is_loopback(network: str) -> bool:
    try:
        return ip_network(network, strict=False).is_loopback
    except ValueError:
        return False


def this_machine() -> str:
    """The address by which others most likely reach it: the one it would send from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))  # nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _at(host: str, port: int, scheme: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == {"http": 80, "https": 443}[scheme] else f"{name}:{port}"


def _has_certificate(folder: Path, host: str) -> bool:
    """Whether Caddy has one for it, whoever gave it."""
    return any((folder / CERTIFICATES).glob(f"*/{host}/{host}.crt"))


def is_everybodys(domain: str) -> bool:
    """Whether names below a domain are anybody's to have: of one label, or a public suffix
    (publicsuffix.org), such as "co.uk" and "github.io"."""
    return "." not in domain or _public_suffixes().is_public(domain)


@cache
def _public_suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def _is_below(one: str, other: str) -> bool:
    """Whether two are the same, or one is within the domain that the other is a pattern of."""
    if one == other:
        return True
    for pattern, name in ((one, other), (other, one)):
        if pattern.startswith("*.") and f".{name.removeprefix('*.')}".endswith(pattern[1:]):
            return True
    return False


def _same_path(one: str, other: str) -> bool:
    """As Caddy compares: it looks at no capitals."""
    return one.rstrip("/").lower() == other.rstrip("/").lower()
