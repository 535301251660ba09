"""SPEC: an app as a person writes it. Read from JSON, checked whole, written back the same.

What is not given has a default that is written here and nowhere else. An unknown field is refused
by its name: what nobody reads would be believed to work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Literal

from cloudbang.domain.deploy.fields import Fields, SpecInvalid, scalar_of, unique
from cloudbang.domain.deploy.spec_parts import (
    IN_CONTAINER,
    PORTS,
    VARIABLE,
    VARIABLE_ALLOWED,
    Build,
    File,
    Health,
    Limit,
    Mount,
    PublishedPort,
    Route,
    Tmpfs,
    plain,
)
from cloudbang.domain.metrics.exposed import NotExposed, exposed
from cloudbang.domain.names import METRICS_PATH, METRICS_PORT, PEOPLES

STEADY = 10.0  # seconds that one without a port and a check has to run
STOP_GRACE = 10.0  # seconds from SIGTERM to SIGKILL
MAX_REPLICAS = 100

IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,511}")
IMAGE_ALLOWED = 'the name of an image, such as "nginx:1.27"'
LABEL = re.compile(r"[^\0=\s]{1,255}")
OURS = "cloudbang."  # labels that we give
NETWORK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
STACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
STACK_ALLOWED = "the name of a stack: letters, digits, _ . -"
ALIAS = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")
CAPABILITY = re.compile(r"(CAP_)?[A-Z_]{2,40}|ALL")
USER = re.compile(r"[A-Za-z0-9_.-]{1,64}(:[A-Za-z0-9_.-]{1,64})?")
SIGNAL = re.compile(r"(SIG)?[A-Z0-9+]{2,12}|\d{1,2}")
HOSTNAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?")
GROUP = re.compile(r"\w[\w.-]{0,63}", re.ASCII)
DOMAIN = re.compile(r"\.|[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?")
RESOLVER_OPTION = re.compile(r"[a-z][a-z0-9-]{0,40}(:\d{1,4})?")
EXTRA_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}[:=]\[?([0-9a-fA-F.:]{2,45}|host-gateway)\]?")

REALTIME = "rtprio"  # a limit by which a process goes before all others of the machine
HOST = "host"  # among the networks: that of the machine itself

Restart = Literal["always", "on-failure", "no"]
RESTARTS = ("always", "on-failure", "no")


@dataclass(frozen=True, slots=True)
class Spec:
    """One app. ``secrets`` are the names only: their values are kept elsewhere, and never here."""

    image: str = ""
    build: Build | None = None
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    port: int = 0
    route: Route | None = None
    replicas: int = 1
    memory: int = 0  # bytes; 0 is no limit
    memory_reserved: int = 0
    cpus: float = 0.0
    cpus_reserved: float = 0.0
    pids_limit: int = 0  # processes and threads; 0 is no limit
    health: Health = field(default_factory=Health)
    volumes: tuple[Mount, ...] = ()
    tmpfs: tuple[Tmpfs, ...] = ()
    files: tuple[File, ...] = ()
    ports: tuple[PublishedPort, ...] = ()
    release_command: tuple[str, ...] = ()
    stop_grace: float = STOP_GRACE
    stop_signal: str = ""
    restart: Restart = "always"
    job: bool = False  # it serves once all of its instances have ended with 0
    labels: tuple[tuple[str, str], ...] = ()
    networks: tuple[str, ...] = ()
    stack: str = ""  # the stack it belongs to, with which it shares a private network
    aliases: tuple[str, ...] = ()  # further names by which the others of its networks find it
    user: str = ""
    group_add: tuple[str, ...] = ()
    working_dir: str = ""
    hostname: str = ""
    init: bool = False
    tty: bool = False
    stdin_open: bool = False
    read_only: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_opt: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    sysctls: tuple[tuple[str, str], ...] = ()
    ulimits: tuple[Limit, ...] = ()

    @property
    def exclusive(self) -> tuple[str, ...]:
        """What only one of its releases can have at a time, named as it is written: volumes that
        are written to and not shared, published ports, and what it listens on in the machine's own
        network."""
        volumes = (m.name or m.source for m in self.volumes if not (m.read_only or m.shared))
        ports = (f"{p.published}/{p.protocol}" for p in self.ports)
        listens = (f"{self.port}/tcp", HOST) if self.port else (HOST,)
        return (*volumes, *ports, *(listens if self.on_host else ()))

    @property
    def on_host(self) -> bool:
        """Whether it is in the network of the machine, and then in no other."""
        return HOST in self.networks

    @property
    def may_end(self) -> bool:
        """Whether it is done when it ends with 0, as a job is, and has not failed: nobody asks it
        for anything, and it is not to be started again."""
        if self.job:
            return True
        return self.restart != "always" and not self.port and not self.health.kind

    @property
    def for_admins(self) -> tuple[str, ...]:
        """The fields by which it reaches beyond its own containers: an admin's to give."""
        found = [f"volumes[{n}]" for n, mount in enumerate(self.volumes) if mount.source]
        found += [f"networks[{n}]" for n, name in enumerate(self.networks) if name == HOST]
        if self.cap_add:
            found.append("cap_add")
        if self.sysctls:
            found.append("sysctls")
        found += [f"ulimits[{n}]" for n, one in enumerate(self.ulimits) if one.name == REALTIME]
        return tuple(found)

    def as_json(self) -> dict[str, object]:
        """As it is written; what has its default is left out. Of secrets the names, with null."""
        told: dict[str, object] = {}
        default = Spec()
        for its in fields(self):
            value = getattr(self, its.name)
            if value != getattr(default, its.name):
                told[its.name] = _json(its.name, value)
        return told


_TEXTS = {
    "working_dir": (IN_CONTAINER, "a path from / on, without .."),
    "user": (USER, 'a user, such as "1000:1000" or "www-data"'),
    "hostname": (HOSTNAME, "the name of a host"),
    "stop_signal": (SIGNAL, "a signal, such as SIGINT"),
}


def read_spec(found: object) -> tuple[Spec, dict[str, str | None]]:
    """The specification in this JSON, and its secrets: by name the value, None where the one that is
    kept stays. Raises SpecInvalid."""
    its = Fields(found)
    secrets = _secrets(its.take("secrets"))
    build = its.inner("build")
    route = its.inner("route")
    health = its.inner("health")
    spec = Spec(
        image=its.text("image", fits=IMAGE, allowed=IMAGE_ALLOWED),
        build=None if build is None else Build.read(build),
        command=its.words("command"),
        entrypoint=its.words("entrypoint"),
        env=its.pairs("env", fits=VARIABLE, allowed=VARIABLE_ALLOWED),
        secrets=tuple(sorted(secrets)),
        port=its.whole("port", 0, PORTS) or 0,
        route=None if route is None else Route.read(route),
        replicas=_or(its.whole("replicas", 1, range(MAX_REPLICAS + 1)), 1),
        memory=_memory(its, "memory"),
        memory_reserved=_memory(its, "memory_reserved"),
        cpus=its.number("cpus", 0, 1024) or 0.0,
        cpus_reserved=its.number("cpus_reserved", 0, 1024) or 0.0,
        pids_limit=its.whole("pids_limit", 0, range(2**22 + 1)) or 0,
        health=Health() if health is None else Health.read(health),
        volumes=its.each("volumes", Mount.read),
        tmpfs=its.each("tmpfs", Tmpfs.read, alone="path"),
        files=its.each("files", File.read),
        ports=its.each("ports", PublishedPort.read),
        release_command=its.words("release_command"),
        stop_grace=its.seconds("stop_grace", STOP_GRACE, 0, 3600),
        restart=_restart(its),
        job=its.flag("job"),
        labels=_labels(its),
        networks=its.texts("networks", fits=NETWORK, allowed="the name of a network"),
        stack=its.text("stack", fits=STACK, allowed=STACK_ALLOWED),
        aliases=its.texts("aliases", fits=ALIAS, allowed='a name, such as "db"'),
        working_dir=_named(its, "working_dir"),
        user=_named(its, "user"),
        group_add=its.texts("group_add", fits=GROUP, allowed='a group, such as "docker" or "999"'),
        hostname=_named(its, "hostname"),
        stop_signal=_named(its, "stop_signal"),
        init=its.flag("init"),
        tty=its.flag("tty"),
        stdin_open=its.flag("stdin_open"),
        read_only=its.flag("read_only"),
        cap_add=its.texts("cap_add", fits=CAPABILITY, allowed="a capability, such as NET_ADMIN"),
        cap_drop=its.texts("cap_drop", fits=CAPABILITY, allowed="a capability, or ALL"),
        dns=its.texts("dns", fits=re.compile(r"[0-9a-fA-F.:]{2,45}"), allowed="an IP address"),
        dns_search=its.texts("dns_search", fits=DOMAIN, allowed="a domain"),
        dns_opt=its.texts("dns_opt", fits=RESOLVER_OPTION, allowed='as "ndots:2"'),
        extra_hosts=its.texts("extra_hosts", fits=EXTRA_HOST, allowed='as "name:address"'),
        sysctls=its.pairs("sysctls", fits=LABEL, allowed="the name of a setting"),
        ulimits=its.each("ulimits", Limit.read),
    )
    its.end()
    _check(spec)
    return spec, secrets


def check_together(spec: Spec) -> None:
    """What does not go together, and was not refused at all times: releases that are kept may have it.
    Raises SpecInvalid."""
    if spec.on_host:
        # Such a container has no address of its own: nothing can be led to it, or named.
        if spec.route is not None:
            raise SpecInvalid("route", "route and the network “host”", rule="both")
        if len(spec.networks) > 1:
            raise SpecInvalid("networks", "“host” and other networks", rule="both")
        if spec.ports:
            raise SpecInvalid("ports", "ports and the network “host”", rule="both")


def _check(spec: Spec) -> None:
    """What does not go together."""
    if not spec.image and spec.build is None:
        raise SpecInvalid("image", rule="missing")
    if spec.route is not None and not spec.port:
        raise SpecInvalid("port", rule="missing")
    if spec.health.kind in ("http", "tcp") and not (spec.health.port or spec.port):
        raise SpecInvalid("health.port", rule="missing")
    if spec.job and spec.route is not None:
        raise SpecInvalid("job", "job and route", rule="both")
    both = set(dict(spec.env)) & set(spec.secrets)
    if both:
        raise SpecInvalid(f"env.{min(both)}", "env and secrets", rule="both")
    unique(
        [(f"volumes[{n}].path", mount.path) for n, mount in enumerate(spec.volumes)]
        + [(f"tmpfs[{n}]", one.path) for n, one in enumerate(spec.tmpfs)]
    )
    unique((f"ports[{n}]", f"{p.published}/{p.protocol}") for n, p in enumerate(spec.ports))
    unique((f"ulimits[{n}].name", limit.name) for n, limit in enumerate(spec.ulimits))
    if spec.memory_reserved and spec.memory and spec.memory_reserved > spec.memory:
        raise SpecInvalid("memory_reserved", "at most the limit", spec.memory_reserved)


def _secrets(found: object) -> dict[str, str | None]:
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise SpecInvalid("secrets", "an object of names and values")
    secrets: dict[str, str | None] = {}
    for name, value in found.items():
        at = f"secrets.{name}"[:200]
        if not isinstance(name, str) or not VARIABLE.fullmatch(name):
            raise SpecInvalid("secrets", VARIABLE_ALLOWED, name)
        if value is None:
            secrets[name] = None
            continue
        try:
            secrets[name] = scalar_of(value, at)
        except SpecInvalid:
            # Without the value: an error is shown, logged and sent on.
            raise SpecInvalid(at, "a text without NUL", "what it holds") from None
    return secrets


def _named(its: Fields, key: str) -> str:
    fits, allowed = _TEXTS[key]
    return its.text(key, fits=fits, allowed=allowed)


def _memory(its: Fields, key: str) -> int:
    value = its.bytes(key)
    if value is None or value == 0:
        return 0
    if value < 6 * 1024**2:
        raise SpecInvalid(its.at(key), "at least 6m, which the engine asks for", f"{value} bytes")
    return value


def _restart(its: Fields) -> Restart:
    found = its.text("restart", "always")
    if found not in RESTARTS:
        raise SpecInvalid("restart", ", ".join(RESTARTS), found)
    return found  # type: ignore[return-value]


def _labels(its: Fields) -> tuple[tuple[str, str], ...]:
    labels = its.pairs("labels", fits=LABEL, allowed="the name of a label")
    for name, _ in labels:
        if name.startswith(OURS) and name not in PEOPLES:
            raise SpecInvalid(f"labels.{name}", f"a name that does not begin with {OURS}", name)
    _check_exposed(dict(labels))
    return labels


def _check_exposed(labels: Mapping[str, str]) -> None:
    """What would not be read is said before it is deployed."""
    try:
        exposed(labels.get(METRICS_PORT, "1"), labels.get(METRICS_PATH, ""))
    except NotExposed as e:
        label, value = str(e.why.facts["label"]), str(e.why.facts["value"])
        allowed = "a port from 1 to 65535" if label == METRICS_PORT else "a path, such as /metrics"
        raise SpecInvalid(f"labels.{label}", allowed, value) from None


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _json(name: str, value: object) -> object:
    if name in ("env", "labels", "sysctls", "args"):
        return dict(value)  # type: ignore[call-overload]
    if name == "secrets":
        return dict.fromkeys(value)  # type: ignore[call-overload]
    if isinstance(value, Health | Tmpfs):
        return value.as_json()
    if isinstance(value, tuple):
        return [_json("", one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        default = {f.name: f.default for f in fields(value)}
        told = {f.name: getattr(value, f.name) for f in fields(value)}
        return {k: _json(k, v) for k, v in told.items() if v != default[k]}
    return plain(value) if isinstance(value, float) else value
