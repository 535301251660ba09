"""The settings: a frozen value, checked once at start and handed on in parts.

Read from ``conf/cloudbang.toml`` (or the file named by ``CLOUDBANG_CONFIG``), then from the
environment: ``CLOUDBANG_<SECTION>_<NAME>``, plus the few names other programs already use
(``DOCKER_HOST``, ``ZMQ_BIND_SUB``, ``ZMQ_BIND_PUB``, ``ZMQ_BIND_PUB2``, ``ZMQ_SUB_FROM``).
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails

from cloudbang.errors import SettingError

KIB, MIB, GIB = 1024, 1024**2, 1024**3
Port = Annotated[int, Field(ge=1, le=65535)]
Bytes = Annotated[int, Field(ge=0)]
MOST_OWN_PORTS = 1000  # each one published is a process and a rule of the engine's


def _address(text: str) -> str:
    """An address of a server, or nothing. Raises ValueError."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if text and not (good and parts.path in ("", "/") and not (parts.query or parts.fragment)):
        # Pages name each other from the root on: under /cloudbang/ none would find its scripts.
        raise ValueError('an address such as "https://cloud.example.com", and no path behind it')
    return text.rstrip("/")


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


def _another(port: int, info: ValidationInfo) -> int:
    if port == info.data.get("http_port"):
        raise ValueError("another port than http_port")
    return port


def _ports(text: str, info: ValidationInfo) -> str:
    """A range of ports, "first-last", or one. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text.replace(" ", ""))
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= 65535 or last - first >= MOST_OWN_PORTS:
        raise ValueError(f'a range such as "8181-8199", of {MOST_OWN_PORTS} ports at most')
    for other in ("http_port", "https_port"):
        if first <= info.data.get(other, 0) <= last:
            raise ValueError(f"a range without {other}")
    return f"{first}-{last}"


def _directory(text: str) -> str:
    if text and not (text.startswith("https://") and urlsplit(text).hostname):
        raise ValueError('an ACME directory, such as "https://ca.example.com/acme/directory"')
    return text


def _file(text: str) -> str:
    if text and not (Path(text).is_absolute() and os.access(text, os.R_OK)):
        raise ValueError("the path of a file that can be read, from / on")
    return text


def _email(text: str) -> str:
    if text and not re.fullmatch(r"[^@\s{}]+@[^@\s{}]+", text):
        raise ValueError("an address of e-mail")
    return text


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(Section):
    """Where the pages are served."""

    host: str = "127.0.0.1"
    port: Port = 8188
    public_url: Annotated[str, AfterValidator(_address)] = ""  # from outside, if behind a proxy
    trusted_proxies: tuple[str, ...] = ()  # addresses whose X-Forwarded-* are believed
    secure_cookies: Literal["auto", "always", "never"] = "auto"
    max_connections: Annotated[int, Field(ge=10, le=1_000_000)] = 10_000
    assets: Literal["auto", "source"] = "auto"  # the pages' scripts and styles, built or not


class StorageSettings(Section):
    """Where and how long things are kept."""

    # Whatever is started in another folder means the same one.
    path: Annotated[Path, AfterValidator(_absolute), Field(validate_default=True)] = Path("data")
    retention_days: Annotated[float, Field(gt=0, le=36500)] = 30
    event_days: Annotated[float, Field(gt=0, le=36500)] = 90
    app_max_bytes: Bytes = 5 * GIB
    total_max_bytes: Bytes = 50 * GIB
    keep_free_bytes: Bytes = 256 * MIB  # collecting pauses when the disk has less than this
    segment_bytes: Annotated[int, Field(ge=64 * KIB, le=4 * GIB)] = 64 * MIB


class EngineSettings(Section):
    """The Docker Engine."""

    host: str = "unix:///var/run/docker.sock"
    app_label: str = ""  # a label of containers that names their app, beside cloudbang.app


class NodeSettings(Section):
    """The machine that the engine runs on."""

    cgroup: str = ""  # its /sys/fs/cgroup; "": /host/cgroup where that is mounted
    proc: str = ""  # its /proc; "": /host/proc where that is mounted


class BusSettings(Section):
    """The ZeroMQ hub: publishers connect to bind_sub, subscribers to bind_pub and bind_pub2."""

    bind_sub: str = "tcp://127.0.0.1:9241"
    bind_pub: str = "tcp://127.0.0.1:9242"
    bind_pub2: str = "tcp://127.0.0.1:9243"
    sub_from: str = ""  # where the push side subscribes; empty: the hub of the same process
    curve_folder: str = ""  # CURVE keys; required to listen anywhere but on loopback


class LoginSettings(Section):
    """How long a browser's login lasts."""

    idle_hours: Annotated[float, Field(gt=0)] = 24 * 7
    lifetime_hours: Annotated[float, Field(gt=0)] = 24 * 30


class TerminalSettings(Section):
    """Terminals inside containers."""

    detached_minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60)] = 15  # nobody looks at it
    idle_hours: Annotated[float, Field(gt=0)] = 12  # nothing typed and nothing printed
    lifetime_hours: Annotated[float, Field(gt=0)] = 24 * 7
    per_person: Annotated[int, Field(ge=1, le=10_000)] = 128
    in_all: Annotated[int, Field(ge=1, le=10_000)] = 256
    record: bool = True  # what is printed; what is typed never is
    recording_days: Annotated[float, Field(gt=0, le=36500)] = 30
    recording_max_bytes: Bytes = 256 * MIB  # of one session, before compression
    recordings_max_bytes: Bytes = 5 * GIB  # of all, on disk: the oldest go first
    file_max_bytes: Bytes = 100 * MIB  # of a file put in or taken out
    toolbox_image: str = "busybox:latest"


class GatewaySettings(Section):
    """Where requests for apps are taken. Nothing listens there before the first app has a route."""

    http_port: Port = 8180
    https_port: Annotated[Port, AfterValidator(_another)] = 8543
    ports: Annotated[str, AfterValidator(_ports)] = "8181-8199"  # of apps without a domain
    # "auto": for public domains, where both ports are those that browsers and certificates use.
    https: Literal["auto", "always", "never"] = "auto"
    acme: Annotated[str, AfterValidator(_directory)] = ""  # another authority for certificates
    acme_root: Annotated[str, AfterValidator(_file)] = ""  # by which that one is known
    email: Annotated[str, AfterValidator(_email)] = ""  # for its account there
    ipv6_closed: bool = False  # a firewall keeps others from http_port by IPv6

    @property
    def own_ports(self) -> range:
        first, last = self.ports.split("-")
        return range(int(first), int(last) + 1)


class DeploySettings(Section):
    """What apps are deployed from, and what that may take."""

    allowed_hosts: tuple[str, ...] = ()  # on this machine or beside it, and asked all the same
    keep_free_bytes: Bytes = 2 * GIB  # of the engine's disk: with less nothing is pulled or built
    pull_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 60
    build_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 60
    builds: Annotated[int, Field(ge=1, le=100)] = 1  # at a time
    build_cpus: Annotated[float, Field(ge=0, le=1024)] = 0  # of all together; 0: half of them
    build_memory_bytes: Bytes = 0  # of all together; 0: half of it
    build_cgroup: str = "docker/buildkit"  # in which the engine runs what a build runs
    cache_max_bytes: Bytes = 0  # of the build cache; 0: 15 % of the disk, 10 GiB at most
    start_seconds: Annotated[float, Field(gt=0, le=24 * 3600)] = 120
    verify_seconds: Annotated[float, Field(ge=0, le=24 * 3600)] = 15
    drain_seconds: Annotated[float, Field(ge=0, le=24 * 3600)] = 30
    command_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 30
    away_seconds: Annotated[float, Field(ge=0, le=24 * 3600)] = 60


class MetricsSettings(Section):
    """How long measurements are kept on disk, and how much they may take."""

    ten_seconds_hours: Annotated[float, Field(ge=12, le=31 * 24)] = 48
    minute_days: Annotated[float, Field(ge=7, le=366)] = 14
    ten_minutes_days: Annotated[float, Field(ge=7, le=3660)] = 90
    max_bytes: Annotated[int, Field(ge=16 * MIB)] = GIB


class LogSettings(Section):
    """What CloudBang says about itself, to standard error or to a file."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    file: str = ""


class Settings(Section):
    """All of it. See ``conf/cloudbang.toml`` for what each means."""

    server: ServerSettings = ServerSettings()
    storage: StorageSettings = StorageSettings()
    engine: EngineSettings = EngineSettings()
    node: NodeSettings = NodeSettings()
    bus: BusSettings = BusSettings()
    session: LoginSettings = LoginSettings()
    terminal: TerminalSettings = TerminalSettings()
    gateway: GatewaySettings = GatewaySettings()
    deploy: DeploySettings = DeploySettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
    admin_password: str = Field(default="", repr=False)


_OTHER_NAMES = {
    "DOCKER_HOST": ("engine", "host"),
    "ZMQ_BIND_SUB": ("bus", "bind_sub"),
    "ZMQ_BIND_PUB": ("bus", "bind_pub"),
    "ZMQ_BIND_PUB2": ("bus", "bind_pub2"),
    "ZMQ_SUB_FROM": ("bus", "sub_from"),
}


def load(file: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this start. Raises SettingError with one sentence that says what is wrong.

    ``file`` None means ``CLOUDBANG_CONFIG``, else ``conf/cloudbang.toml`` where there is one.
    """
    named = environ.get("CLOUDBANG_CONFIG", "")
    path = file or (Path(named) if named else Path("conf/cloudbang.toml"))
    values: dict[str, Any] = {}
    if path.exists() or file or named:
        values = _read(path)
    origin = {
        (section, name): str(path)
        for section, content in values.items()
        if isinstance(content, dict)
        for name in content
    }
    for variable, (section, name), text in _from_environment(environ):
        if not name:
            values[section] = text
            origin[(section, "")] = variable
            continue
        values.setdefault(section, {})
        if isinstance(values[section], dict):
            values[section][name] = text
            origin[(section, name)] = variable
    try:
        return Settings.model_validate(values)
    except ValidationError as e:
        raise _sentence(e.errors()[0], origin, str(path)) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as f:
            return tomllib.load(f)
    except OSError as e:
        raise SettingError(
            "CLOUDBANG_CONFIG", "file", str(path), f"a readable file ({e.strerror})"
        ) from None
    except tomllib.TOMLDecodeError as e:
        raise SettingError(str(path), "content", str(e), "valid TOML") from None


def _from_environment(environ: Mapping[str, str]) -> list[tuple[str, tuple[str, str], str]]:
    found: list[tuple[str, tuple[str, str], str]] = []
    for variable, text in environ.items():
        if variable in _OTHER_NAMES and text:
            found.append((variable, _OTHER_NAMES[variable], text))
        elif variable == "CLOUDBANG_ADMIN_PASSWORD" and text:
            found.append((variable, ("admin_password", ""), text))
    for section, info in Settings.model_fields.items():
        kind = info.annotation
        if not (isinstance(kind, type) and issubclass(kind, Section)):
            continue
        for name, field in kind.model_fields.items():
            variable = f"CLOUDBANG_{section}_{name}".upper()
            if text := environ.get(variable, ""):
                listed = field.annotation == tuple[str, ...]
                value: Any = [part.strip() for part in text.split(",")] if listed else text
                found.append((variable, (section, name), value))
    return found


def _sentence(
    error: ErrorDetails, origin: Mapping[tuple[str, str], str], path: str
) -> SettingError:
    place = [str(part) for part in error["loc"]]
    section, name = place[0], place[1] if len(place) > 1 else ""
    where = origin.get((section, name), path)
    if error["type"] == "extra_forbidden":
        known = Settings if not name else Settings.model_fields[section].annotation
        names = ", ".join(sorted(getattr(known, "model_fields", {})))
        return SettingError(where, ".".join(place), error["input"], f"one of these names: {names}")
    allowed = error["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    # A password is said to nobody, not even a wrong one.
    value = "…" if section == "admin_password" else error["input"]
    return SettingError(where, ".".join(place[:2]), value, allowed)
