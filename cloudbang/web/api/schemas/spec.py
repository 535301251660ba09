"""SPEC: an app as a person writes it. ``domain/deploy/spec`` reads and checks it; what stands here
says so to programs, and a test sees to it that it names every field."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict


class SpecBuild(TypedDict, total=False):
    """A Git address, or a folder that is sent with it; ``recipe``: the text of a Dockerfile where
    the source has none."""

    git: str
    branch: str
    folder: str
    dockerfile: str
    recipe: str
    target: str
    args: dict[str, Any]


class SpecRoute(TypedDict, total=False):
    host: str
    path: str


class SpecHealth(TypedDict, total=False):
    """One of ``http``, ``tcp`` and ``command``; times in seconds. ``timeout``: of one try;
    ``retries``: how many tries of a command have to fail one after the other; ``disabled``: the
    image's own check is not run."""

    http: str
    tcp: bool | int
    command: str | list[str]
    port: int
    within: float | str
    interval: float | str
    timeout: float | str
    retries: int
    disabled: bool


class SpecTmpfs(TypedDict, total=False):
    """A file system in memory: ``size`` in bytes, or as "64m"; ``mode`` as a number, or as "1777"."""

    path: str
    size: str | int
    mode: str | int


class SpecVolume(TypedDict, total=False):
    """The ``name`` of a volume or, for admins, ``source``: a path of the machine. ``shared``:
    several instances may use it at once."""

    name: str
    source: str
    path: str
    read_only: bool
    shared: bool


class SpecFile(TypedDict, total=False):
    path: str
    content: str
    mode: str | int
    uid: int
    gid: int


class SpecPort(TypedDict, total=False):
    """A port of the machine, on all its addresses."""

    published: int
    target: int
    protocol: Literal["tcp", "udp", "sctp"]


class SpecLimit(TypedDict, total=False):
    name: str
    soft: int
    hard: int


class Spec(TypedDict, total=False):
    """``image`` or ``build`` is needed, nothing else. Commands are lists, or lines that are split
    as a shell would; memory is bytes or text such as "256m"; times are seconds. A ``job``
    serves once it has ended with 0. Of a secret null
    keeps the value that there is; answers hold null alone."""

    image: str
    build: SpecBuild
    command: str | list[str]
    entrypoint: str | list[str]
    env: dict[str, Any]
    secrets: dict[str, str | None]
    port: int
    route: SpecRoute
    replicas: int
    memory: str | int
    memory_reserved: str | int
    cpus: float
    cpus_reserved: float
    pids_limit: int
    health: SpecHealth
    volumes: list[SpecVolume]
    tmpfs: list[str | SpecTmpfs]
    files: list[SpecFile]
    ports: list[SpecPort]
    release_command: str | list[str]
    stop_grace: float | str
    stop_signal: str
    restart: Literal["always", "on-failure", "no"]
    job: bool
    labels: dict[str, Any]
    networks: list[str]
    stack: str
    aliases: list[str]
    user: str
    group_add: list[str]
    working_dir: str
    hostname: str
    init: bool
    tty: bool
    stdin_open: bool
    read_only: bool
    cap_add: list[str]
    cap_drop: list[str]
    dns: list[str]
    dns_search: list[str]
    dns_opt: list[str]
    extra_hosts: list[str]
    sysctls: dict[str, Any]
    ulimits: list[SpecLimit]
