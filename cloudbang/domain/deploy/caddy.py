"""What the gateway is told: routes as Caddy's JSON, the same routes always as the same bytes.

A deployment changes nothing here: to which release an app's requests go, and to which port of it,
stands in files of the app's own, which Caddy reads at each request (see ``upstream_file``). So a
deployment closes no connection; a route that comes or goes does, and is rare.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from typing import Any

RUN = "/run/caddy"  # in the container; a folder of the host's, for its owner alone
ADMIN = f"unix/{RUN}/admin.sock|0600"
UP = f"{RUN}/up"
ROOT = f"{RUN}/acme.pem"  # by which an authority of one's own is known
ACCESS_LOG, OWN_LOG = f"{RUN}/log/access.log", f"{RUN}/log/gateway.log"
HTTP, HTTPS = 80, 443  # in the container, whatever is published

HELD = "30s"  # that a request waits for an app of which no instance answers
TRIED = "100ms"
DIAL = "2s"
IDLE = "30s"
GRACE = "60s"  # that a request may take when the configuration changes; without it, for ever
STREAM = "12h"  # that a WebSocket lives on when it does
LOG_MB, LOG_FILES = 32, 4  # of the access log: one that is full, and how many of those are kept
OWN_LOG_MB = 4

# What no certificate is given for by anybody that browsers trust.
_PRIVATE = ("localhost", "local", "internal", "lan", "home", "test", "example", "invalid", "arpa")
# The logins of CloudBang's own pages: a browser sends them to every port of a host, and an app is
# not to have them.
_OUR_COOKIES = r"(?:^|;)\s*(?:__Host-)?cloudbang_(?:session|known)=[^;]*"
# What Caddy would replace, or take for a pattern, if it stood in a route.
_UNFIT = re.compile(r"[\s{}\\\0\"'`]")


@dataclass(frozen=True, slots=True)
class GatewayRoute:
    """``host`` "" for the app's own name on this machine; ``own_port`` 0 where it has none;
    ``https``: whether Caddy gets a certificate for it, ``redirect``: and sends there who asks
    without. Raises ValueError for what may not stand in a configuration."""

    app: str
    host: str = ""
    path: str = "/"
    own_port: int = 0
    https: bool = False
    redirect: bool = False

    def __post_init__(self) -> None:
        for text in (self.app, self.host, self.path):
            if _UNFIT.search(text):
                raise ValueError(f"{text!r} may not stand in a route")

    @property
    def name(self) -> str:
        """The host by which it is asked for."""
        return self.host or local_host(self.app)


@dataclass(frozen=True, slots=True)
class Gate:
    """What is so for all routes. ``local``: from which addresses the machine itself comes, who
    alone is answered at names that end in .localhost; ``exposed``: others come from there as well,
    so that nobody is answered where an app has such a name and no port; ``https_port``: as it is published;
    ``acme``: where certificates come from, "" for where Caddy gets them by itself."""

    local: Collection[str] = ()
    exposed: bool = False
    https_port: int = HTTPS
    acme: str = ""
    acme_root: bool = False  # it is known by a file of ours
    email: str = ""
    trusted: Collection[str] = ()  # proxies whose word about who asks is believed


def local_host(app: str) -> str:
    """By which an app without a domain answers on the machine itself."""
    return f"{upstream_file(app)}.localhost"


def is_local(host: str) -> bool:
    """Whether a name always leads to the machine that asks (RFC 6761)."""
    return host == "localhost" or host.endswith(".localhost")


def is_public(host: str) -> bool:
    """Whether a certificate can be had for a name: a domain, none of those that are nobody's. For
    a wildcard one would have to be proved by DNS."""
    try:
        ip_address(host)
    except ValueError:
        return "." in host and "*" not in host and host.rsplit(".", 1)[1] not in _PRIVATE
    return False


def upstream_file(app: str) -> str:
    """The name of the file that says to which service an app's requests go: of what may be in a
    host's name, and another for each app. That with ``.port`` behind it says to which port."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c == "-") else "-" for c in app.lower())
    if plain == app and len(plain) <= 50 and plain.strip("-") == plain:
        return plain
    return f"{plain.strip('-')[:40].rstrip('-') or 'app'}-{sha256(app.encode()).hexdigest()[:8]}"


def boot_config() -> dict[str, Any]:
    """What it begins with the first time: nothing but a way to be told more."""
    return {"admin": {"listen": ADMIN}, "logging": _logging()}


def caddy_config(routes: Sequence[GatewayRoute], gate: Gate = Gate()) -> dict[str, Any]:
    """The whole configuration."""
    shown = sorted(routes, key=lambda r: ("*" in r.host, r.name, -len(r.path), r.path, r.app))
    plain = [route for one in shown for route in _plain(one, gate)]
    secure = [_route(one, gate) for one in shown if one.https]
    servers: dict[str, Any] = {"http": _server(HTTP, plain)}
    if secure:
        servers["https"] = _server(HTTPS, secure)
        servers["https"] |= {
            "automatic_https": {"disable_redirects": True},
            "protocols": ["h1", "h2"],  # the third one comes by UDP, which is not published
        }
    for one in shown:
        if one.own_port:
            # Whoever else is asked there has no business of the app's.
            servers[f"own-{one.own_port}"] = _server(one.own_port, [_own(one)])
    apps: dict[str, Any] = {
        "http": {
            "http_port": HTTP,
            "https_port": HTTPS,
            "grace_period": GRACE,
            "servers": servers,
        }
    }
    if secure and (gate.acme or gate.email):
        issuer = {
            "module": "acme",
            "ca": gate.acme,
            "email": gate.email,
            "trusted_roots_pem_files": [ROOT] if gate.acme_root else [],
        }
        issuers = [{key: value for key, value in issuer.items() if value}]
        apps["tls"] = {"automation": {"policies": [{"issuers": issuers}]}}
    if gate.trusted:
        for server in servers.values():
            server["trusted_proxies"] = {"source": "static", "ranges": sorted(gate.trusted)}
    return {**boot_config(), "apps": apps}


def _logging() -> dict[str, Any]:
    """Files that are begun anew when they are full: they hold no request up, whoever reads them or
    does not. One is of requests; the other is what the gateway says of itself."""
    dropped = ("request>headers", "request>tls", "resp_headers", "user_id")
    return {
        "logs": {
            "default": {
                "exclude": ["http.log.access", "admin.api"],
                "writer": _file(OWN_LOG, OWN_LOG_MB, 1),
            },
            "access": {
                "include": ["http.log.access"],
                "writer": _file(ACCESS_LOG, LOG_MB, LOG_FILES),
                "encoder": {
                    "format": "filter",
                    "wrap": {"format": "json"},
                    "fields": {name: {"filter": "delete"} for name in dropped},
                },
            },
        }
    }


def _file(name: str, megabytes: int, keep: int) -> dict[str, Any]:
    return {
        "output": "file",
        "filename": name,
        "mode": "0600",
        "roll_size_mb": megabytes,
        "roll_keep": keep,
        "roll_gzip": False,
    }


def _server(port: int, routes: list[Any]) -> dict[str, Any]:
    nowhere = {
        "handle": [
            {"handler": "static_response", "status_code": 404, "body": "no app answers here\n"}
        ]
    }
    return {
        "listen": [f":{port}"],
        "routes": [*routes, nowhere],
        "automatic_https": {"disable": True},
        "logs": {},
    }


def _plain(one: GatewayRoute, gate: Gate) -> list[dict[str, Any]]:
    """At the port without HTTPS."""
    if not one.redirect:
        return [_route(one, gate)]
    port = "" if gate.https_port == HTTPS else f":{gate.https_port}"
    redirect = {
        "handler": "static_response",
        "status_code": 308,
        "headers": {"Location": [f"https://{{http.request.host}}{port}{{http.request.uri}}"]},
    }
    return [{**_route(one, gate), "handle": [redirect]}]


def _route(one: GatewayRoute, gate: Gate) -> dict[str, Any]:
    match: dict[str, Any] = {"host": [one.name]}
    if one.path != "/":
        match["path"] = _paths(one.path)
    if is_local(one.name):
        # A name that anybody can send is not where it comes from.
        local = () if gate.exposed and one.host else gate.local
        match["remote_ip"] = {"ranges": sorted({"127.0.0.0/8", "::1", *local})}
    return {"match": [match], "handle": _handle(one), "terminal": True}


def _own(one: GatewayRoute) -> dict[str, Any]:
    match = [{"path": _paths(one.path)}] if one.path != "/" else None
    route: dict[str, Any] = {"handle": _handle(one), "terminal": True}
    return {"match": match, **route} if match else route


def _paths(path: str) -> list[str]:
    return [path, f"{path.rstrip('/')}/*"]


def _handle(one: GatewayRoute) -> list[dict[str, Any]]:
    file = f"{UP}/{upstream_file(one.app)}"
    replaced = [
        {"search_regexp": _OUR_COOKIES, "replace": ""},
        {"search_regexp": r"^;\s*", "replace": ""},
    ]
    return [
        # Whose request it was, and which instance answered it: for who reads the access log.
        {"handler": "log_append", "key": "app", "value": one.app},
        {
            "handler": "log_append",
            "key": "upstream",
            "value": "{http.reverse_proxy.upstream.hostport}",
        },
        # By which one that is open for hours is known for a stream of events.
        {"handler": "log_append", "key": "type", "value": "{http.response.header.Content-Type}"},
        {
            "handler": "reverse_proxy",
            "dynamic_upstreams": {
                "source": "a",
                # A name without a dot: one that does not resolve is answered at once and not asked
                # for outside, which would keep every other app's requests waiting.
                "name": f"{{file.{file}}}",
                "port": f"{{file.{file}.port}}",
                "refresh": "1s",
                "versions": {"ipv4": True, "ipv6": False},
            },
            "headers": {"request": {"replace": {"Cookie": replaced}}},
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
        },
    ]


def in_flight(upstreams: Sequence[Mapping[str, Any]], addresses: Sequence[str]) -> int:
    """Requests that those addresses ("web-r1:80", "10.0.1.4:80") still answer, by what Caddy tells
    of its upstreams. One may be told of twice: then the larger number counts."""
    found: dict[str, int] = {}
    for one in upstreams:
        address = str(one.get("address") or "")
        if address in addresses:
            found[address] = max(found.get(address, 0), int(one.get("num_requests") or 0))
    return sum(found.values())
