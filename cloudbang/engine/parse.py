"""The engine's JSON, as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudbang.domain.apps import Instance, nothing_kept
from cloudbang.domain.lines import format_time, parse_time
from cloudbang.domain.names import (
    METRICS_PATH,
    METRICS_PORT,
    app_name,
    image_name,
    is_hidden,
    is_job,
    is_labelled,
    is_one_off,
    release_of,
    slot_of,
    stack_name,
)

BRIEF = 500  # characters of a text that explains something


@dataclass(frozen=True, slots=True)
class ContainerState:
    """What a terminal has to know of a container."""

    id: str  # 64 hex digits
    state: str  # as of Instance
    started_at: str  # as the engine says it; another one means that it was restarted
    pid: int  # its first process, numbered as on the engine's machine; 0 when it has none
    folder: str  # where its processes start
    ipc: str  # "private", "shareable", "host", "container:ID", …
    pid_mode: str  # "" for its own, "host", "container:ID"
    # Capabilities beside and less than the engine's usual ones, without "CAP_": "SYS_PTRACE", "ALL".
    caps_added: frozenset[str]
    caps_dropped: frozenset[str]
    env: Mapping[str, str]  # what its processes find in their environment, as it was created


def container_state(found: Mapping[str, Any]) -> ContainerState:
    """The same answer, for a terminal."""
    state, host = found.get("State") or {}, found.get("HostConfig") or {}
    config = found.get("Config") or {}
    return ContainerState(
        id=found["Id"],
        state=str(state.get("Status", "")),
        started_at=str(state.get("StartedAt", "")),
        pid=int(state.get("Pid") or 0),
        folder=str(config.get("WorkingDir") or "/"),
        ipc=str(host.get("IpcMode", "")),
        pid_mode=str(host.get("PidMode", "")).removeprefix("private"),  # so Podman calls its own
        caps_added=_capabilities(host.get("CapAdd")),
        caps_dropped=_capabilities(host.get("CapDrop")),
        env={name: value for name, _, value in (e.partition("=") for e in config.get("Env") or ())},
    )


def _capabilities(names: Iterable[object] | None) -> frozenset[str]:
    return frozenset(str(name).upper().removeprefix("CAP_") for name in names or ())


def instance_of_listing(entry: Mapping[str, Any], app_label: str = "") -> Instance:
    """One entry of ``GET /containers/json``: enough to show the container, not to read it."""
    labels = entry.get("Labels") or {}
    # With links a container has names such as /other/alias too; its own has one slash.
    names = entry.get("Names") or []
    name = next((n for n in names if n.count("/") == 1), names[0] if names else entry["Id"][:12])
    status = str(entry.get("Status", ""))
    health = next((h for h in ("unhealthy", "healthy") if f"({h})" in status), None)
    return Instance(
        id=entry["Id"],
        name=name.lstrip("/"),
        app=app_name(labels, name, app_label),
        labelled=is_labelled(labels, app_label),
        one_off=is_one_off(labels),
        job=is_job(labels),
        slot=slot_of(labels),
        release=release_of(labels),
        stack=stack_name(labels),
        image=image_name(labels, str(entry.get("Image", ""))),
        image_id=str(entry.get("ImageID", "")),
        state=str(entry.get("State", "")),
        created=format_time(int(entry.get("Created", 0)) * 10**9),
        health="starting" if "(health: starting)" in status else health,
        ports=tuple(_listed_ports(entry.get("Ports") or [])),
        hidden=is_hidden(labels),
    )


def instance_of_inspect(found: Mapping[str, Any], app_label: str = "") -> Instance:
    """The answer of ``GET /containers/ID/json``."""
    config, state = found.get("Config") or {}, found.get("State") or {}
    labels = config.get("Labels") or {}
    host = found.get("HostConfig") or {}
    logging = host.get("LogConfig") or {}
    policy = str((host.get("RestartPolicy") or {}).get("Name") or "")
    driver = str(logging.get("Type", ""))
    name = str(found.get("Name") or found["Id"][:12])
    status = str(state.get("Status", ""))
    started = _time(state.get("StartedAt"))
    # Of a container that runs, the engine still tells when its run before ended.
    finished = _time(state.get("FinishedAt"))
    checks = state.get("Health") or {}
    health = checks.get("Status")
    code = int(state.get("ExitCode") or 0)
    # One that could not be started has an exit code and never ran.
    ended = finished and status in ("exited", "dead", "restarting")
    network = found.get("NetworkSettings") or {}
    return Instance(
        id=found["Id"],
        name=name.lstrip("/"),
        app=app_name(labels, name, app_label),
        labelled=is_labelled(labels, app_label),
        one_off=is_one_off(labels),
        job=is_job(labels),
        restart_policy="" if policy == "no" else policy,
        slot=slot_of(labels),
        release=release_of(labels),
        stack=stack_name(labels),
        image=image_name(labels, str(config.get("Image", ""))),
        image_id=str(found.get("Image", "")),
        state=status,
        created=_time(found.get("Created")) or format_time(0),
        health=health if health in ("healthy", "unhealthy", "starting") else None,
        health_failures=int(checks.get("FailingStreak") or 0),
        health_output=_last_output(checks),
        publishes=bool(host.get("PortBindings")),
        ports=tuple(_inspected_ports(network.get("Ports") or {})),
        started_at=started,
        finished_at=finished,
        restarts=int(found.get("RestartCount") or 0),
        exit_code=code if ended or (status == "created" and code) else None,
        error=None if status in ("running", "paused") else _brief(state.get("Error")),
        oom_killed=bool(state.get("OOMKilled")),
        tty=bool(config.get("Tty")),
        log_driver=driver,
        log_options=tuple(sorted((logging.get("Config") or {}).items())),
        readable=nothing_kept(driver) is None,
        unreadable_reason=nothing_kept(driver),
        hidden=is_hidden(labels),
        pid=int(state.get("Pid") or 0),
        cgroup_parent=str(host.get("CgroupParent") or ""),
        network_mode=str(host.get("NetworkMode") or ""),
        metrics_port=str(labels.get(METRICS_PORT) or ""),
        metrics_path=str(labels.get(METRICS_PATH) or ""),
        inspected=True,
    )


def _last_output(checks: Mapping[str, Any]) -> str | None:
    """What the last health check printed, when it failed."""
    last = (checks.get("Log") or [{}])[-1]
    return _brief(last.get("Output")) if last.get("ExitCode") else None


def _brief(text: object) -> str | None:
    """A text of the engine's on one line; None when it is empty."""
    return " ".join(str(text or "").split())[:BRIEF] or None


def _time(text: object) -> str | None:
    """A time of the engine in the 30-character form; None for its "never" (year 1)."""
    try:
        ns = parse_time(str(text))
    except ValueError:
        return None
    return format_time(ns) if ns > 0 else None


def _listed_ports(ports: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted(
        {
            _port(p.get("IP", ""), p.get("PublicPort"), f"{p['PrivatePort']}/{p['Type']}")
            for p in ports
        }
    )


def _inspected_ports(ports: Mapping[str, Any]) -> list[str]:
    found = set()
    for inside, bindings in ports.items():
        for b in bindings or [{}]:
            found.add(_port(b.get("HostIp", ""), b.get("HostPort"), inside))
    return sorted(found)


def _port(address: str, outside: object, inside: str) -> str:
    if not outside:
        return inside
    return f"{f'[{address}]' if ':' in address else address}:{outside}->{inside}"
