"""What the gateway is told: routes as Caddy's JSON, the same routes always as the same bytes.

A deployment changes nothing here: to which release an app's requests go stands in a file of its own,
which Caddy reads at each request (see ``upstream_file``). So a deployment closes no connection; a
route that comes or goes does, and is rare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

RUN = "/run/caddy"  # in the container; a folder of the host's, for its owner alone
ADMIN = f"unix/{RUN}/admin.sock|0600"
UP = f"{RUN}/up"
HTTP, HTTPS = 80, 443  # in the container, whatever is published

HELD = "30s"  # that a request waits for an app of which no instance answers
TRIED = "100ms"
DIAL = "2s"
IDLE = "30s"
GRACE = "60s"  # that a request may take when the configuration changes; without it, for ever
STREAM = "12h"  # that a WebSocket lives on when it does


@dataclass(frozen=True, slots=True)
class GatewayRoute:
    """``host`` "" for the app's own name on this machine; ``own_port`` 0 where it has none;
    ``https``: whether Caddy gets a certificate for it."""

    app: str
    port: int
    host: str = ""
    path: str = "/"
    own_port: int = 0
    https: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.host,) if self.host else (local_host(self.app),)


def local_host(app: str) -> str:
    """By which an app without a domain answers on the machine itself."""
    return f"{upstream_file(app)}.localhost"


def upstream_file(app: str) -> str:
    """The name of the file that says to which service an app's requests go: of what may be in a
    host's name, and another for each app."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c == "-") else "-" for c in app.lower())
    if plain == app and len(plain) <= 50 and plain.strip("-") == plain:
        return plain
    return f"{plain.strip('-')[:40].rstrip('-') or 'app'}-{sha256(app.encode()).hexdigest()[:8]}"


def caddy_config(
    routes: Sequence[GatewayRoute], *, access_log: str = "", local: Sequence[str] = ()
) -> dict[str, Any]:
    """The whole configuration. ``access_log``: where lines about requests go, as Caddy writes an
    address ("unix//run/…"); ``local``: from which addresses the machine itself comes, who alone is
    answered at an app's own name."""
    shown = sorted(routes, key=lambda r: (r.host, -len(r.path), r.path, r.app))
    plain = [_route(one, local) for one in shown if not one.https]
    secure = [_route(one, local) for one in shown if one.https]
    servers: dict[str, Any] = {
        "http": _server([f":{HTTP}"], [*plain, *map(_to_https, shown)], access_log),
    }
    if secure:
        servers["https"] = _server([f":{HTTPS}"], secure, access_log)
        servers["https"]["automatic_https"] = {"disable_redirects": True}
    for one in shown:
        if one.own_port:
            its = [{"handle": [_proxy(one)], "terminal": True}]
            servers[f"own-{one.own_port}"] = _server([f":{one.own_port}"], its, access_log)
    for server in servers.values():
        server["routes"] = [route for route in server["routes"] if route]
    config: dict[str, Any] = {
        "admin": {"listen": ADMIN},
        "apps": {
            "http": {
                "http_port": HTTP,
                "https_port": HTTPS,
                "grace_period": GRACE,
                "servers": servers,
            }
        },
    }
    if access_log:
        config["logging"] = {
            "logs": {
                "access": {
                    "writer": {"output": "net", "address": access_log, "soft_start": True},
                    "encoder": {"format": "json"},
                    "include": ["http.log.access"],
                }
            }
        }
    return config


def _server(listen: list[str], routes: list[Any], access_log: str) -> dict[str, Any]:
    nowhere = {
        "handle": [
            {"handler": "static_response", "status_code": 404, "body": "no app answers here\n"}
        ]
    }
    server: dict[str, Any] = {"listen": listen, "routes": [*routes, nowhere]}
    if listen != [f":{HTTPS}"]:
        server["automatic_https"] = {"disable": True}
    if access_log:
        server["logs"] = {}
    return server


def _route(one: GatewayRoute, local: Sequence[str]) -> dict[str, Any]:
    match: dict[str, Any] = {"host": list(one.hosts)}
    if one.path != "/":
        match["path"] = [one.path, f"{one.path.rstrip('/')}/*"]
    if not one.host:
        # A name that anybody can send is not where it comes from.
        match["remote_ip"] = {"ranges": sorted({"127.0.0.0/8", "::1", *local})}
    return {"match": [match], "handle": [_proxy(one)], "terminal": True}


def _to_https(one: GatewayRoute) -> Mapping[str, Any]:
    """At the plain port, who asks for what is served by HTTPS is sent there."""
    if not one.https:
        return {}
    to = "https://{http.request.host}{http.request.uri}"
    redirect = {
        "handler": "static_response",
        "status_code": 308,
        "headers": {"Location": [to]},
    }
    return {"match": [{"host": list(one.hosts)}], "handle": [redirect], "terminal": True}


def _proxy(one: GatewayRoute) -> dict[str, Any]:
    return {
        "handler": "reverse_proxy",
        "dynamic_upstreams": {
            "source": "a",
            # A name without a dot: one that does not resolve is answered at once and not asked for
            # outside, which would keep every other app's requests waiting.
            "name": f"{{file.{UP}/{upstream_file(one.app)}}}",
            "port": str(one.port),
            "refresh": "1s",
            "versions": {"ipv4": True, "ipv6": False},
        },
        "stream_close_delay": STREAM,
        "load_balancing": {
            "selection_policy": {"policy": "least_conn"},
            "try_duration": HELD,
            "try_interval": TRIED,
        },
        "transport": {
            "protocol": "http",
            "dial_timeout": DIAL,
            "keep_alive": {"idle_timeout": IDLE},
        },
    }


def in_flight(upstreams: Sequence[Mapping[str, Any]], addresses: Sequence[str]) -> int:
    """Requests that those addresses ("web-r1:80", "10.0.1.4:80") still answer, by what Caddy tells
    of its upstreams. One may be told of twice: then the larger number counts."""
    found: dict[str, int] = {}
    for one in upstreams:
        address = str(one.get("address") or "")
        if address in addresses:
            found[address] = max(found.get(address, 0), int(one.get("num_requests") or 0))
    return sum(found.values())
