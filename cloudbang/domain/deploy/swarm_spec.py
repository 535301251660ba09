"""A release as the engine's ServiceSpec, whole and in one order.

Swarm restarts every task of a service of which anything in the task differs, the order of variables
as well; and what is left out of an update is gone. So it is always written whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cloudbang.domain.deploy.release import Release, service_name
from cloudbang.domain.deploy.spec import HOST, Spec
from cloudbang.domain.deploy.spec_parts import Health, Mount, Tmpfs
from cloudbang.domain.names import DEFAULT_TEAM, IMAGE, JOB, ONE_OFF, RELEASE

# The overlay by which the gateway reaches the apps of the team that every installation has, and they
# each other. Another team has one of its own.
NETWORK = "cloudbang"
APP = "cloudbang.app"
STACK = "cloudbang.stack"
RESTART_DELAY = 2.0  # seconds between two tries of a container that ended
SECOND = 10**9

_OF_TEAMS = f"{NETWORK}_"
_LONGEST_TEAM = 48  # characters: the name of an overlay has 63, and "-free" comes behind it
_LONGEST_STACK = 53
_OVERLAY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?")
_CONDITIONS = {"always": "any", "on-failure": "on-failure", "no": "none"}


@dataclass(frozen=True, slots=True)
class Attached:
    """A network and the names by which an app is found on it."""

    id: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Handed:
    """Something of the engine's (a secret, a config) that is put into the container at ``path``."""

    id: str
    name: str  # the engine's
    path: str
    mode: int = 0o444
    uid: int = 0
    gid: int = 0


def service_spec(
    release: Release,
    *,
    networks: Sequence[Attached],
    secrets: Sequence[Handed] = (),
    files: Sequence[Handed] = (),
    values: Mapping[str, str] | None = None,
    replicas: int | None = None,
    one_off: bool = False,
) -> dict[str, Any]:
    """What ``POST /services/create`` takes.

    ``values``: of the secrets, by the name of their variable; ``replicas``: another number than the
    release's; ``one_off``: its release command, once, beside what serves.
    """
    spec = release.spec
    labels = {APP: release.app, RELEASE: str(release.number)}
    if spec.stack:
        labels[STACK] = spec.stack
    if one_off:
        labels[ONE_OFF] = "true"
    # The same for a task's lifetime, whatever is asked for later.
    once = one_off or (spec.job and spec.restart == "always")
    condition = "none" if once else _CONDITIONS[spec.restart]
    count = 1 if one_off else spec.replicas if replicas is None else replicas
    made: dict[str, Any] = {
        "Name": command_service(release) if one_off else release.service,
        "Labels": labels,
        "TaskTemplate": {
            "ContainerSpec": _container(
                release, labels, secrets=secrets, files=files, values=values or {}, one_off=one_off
            ),
            "Resources": _resources(spec),
            "RestartPolicy": {"Condition": condition, "Delay": int(RESTART_DELAY * SECOND)},
            "Placement": {},
            "Networks": [_network(network, one_off) for network in networks],
        },
        "Mode": {"Replicated": {"Replicas": count}},
        "EndpointSpec": {"Mode": "dnsrr"},
    }
    if spec.ports and not one_off:
        made["EndpointSpec"]["Ports"] = [
            {
                "Protocol": port.protocol,
                "PublishMode": "host",
                "PublishedPort": port.published,
                "TargetPort": port.target,
            }
            for port in spec.ports
        ]
    return made


def stack_network(stack: str) -> str:
    """The overlay that the apps of a stack share, and nobody else is on."""
    return _overlay(f"{NETWORK}-", stack, _LONGEST_STACK)


def team_network(team: str) -> str:
    """The overlay that the apps of a team share outside stacks, and the gateway is on. None of a
    stack is called like that; of a name that may be no overlay's, what may be and a sum of it."""
    return NETWORK if team == DEFAULT_TEAM else _overlay(_OF_TEAMS, team, _LONGEST_TEAM)


def _overlay(begins: str, name: str, longest: int) -> str:
    """Of a name that may be no overlay's, which has no dots and ends with neither - nor _, what may
    be and a sum of it; two separators tell it from those that are as they are."""
    if _OVERLAY.fullmatch(name) and len(name) <= longest:
        return f"{begins}{name}"
    readable = re.sub(r"[^A-Za-z0-9_-]", "-", name[: longest - 10]).rstrip("-_")
    return f"{begins}{begins[-1]}{readable}-{sha256(name.encode()).hexdigest()[:8]}"


def is_team_network(name: str) -> bool:
    """Whether a network is one of a team's own."""
    return name.startswith(_OF_TEAMS)


def networks_of(release: Release, team: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The networks that an app of a team is on, by name, with the names by which it is found there.

    One of a stack is on its team's network only where the gateway has to reach it. Ours (a team's,
    and a stack's) are made where they are not there; others have to be. Who is in the machine's own
    network can be in no other, and has no name there.
    """
    spec, names = release.spec, (release.app, *release.spec.aliases)
    if spec.on_host:
        return ((HOST, ()),)
    found: dict[str, tuple[str, ...]] = {}
    if spec.stack:
        found[stack_network(spec.stack)] = names
    if spec.route is not None or not spec.stack:
        # What a stack calls its services ("db") is nobody else's business.
        found[team_network(team)] = (release.app,) if spec.stack else names
    return (*found.items(), *((name, names) for name in spec.networks if name not in found))


def command_service(release: Release) -> str:
    """The service of its release command: of a name that no app can have."""
    return service_name(f"{release.app} once", release.number)


def _container(
    release: Release,
    labels: Mapping[str, str],
    *,
    secrets: Sequence[Handed],
    files: Sequence[Handed],
    values: Mapping[str, str],
    one_off: bool,
) -> dict[str, Any]:
    spec = release.spec
    env = {**dict(spec.env), **values}
    command = spec.release_command if one_off else spec.command
    labels = {**dict(spec.labels), **labels, IMAGE: spec.image or release.tag}
    if spec.may_end and not one_off:
        labels[JOB] = "true"
    made: dict[str, Any] = {
        "Image": release.image_id,
        "Labels": labels,
        "Env": [f"{name}={value}" for name, value in sorted(env.items())],
        "StopGracePeriod": int(spec.stop_grace * SECOND),
    }
    optional = {
        "Command": list(spec.entrypoint),
        "Args": list(command),
        "Hostname": spec.hostname,
        "Dir": spec.working_dir,
        "User": spec.user,
        "Groups": list(spec.group_add),
        "StopSignal": spec.stop_signal,
        "Init": spec.init,
        "TTY": spec.tty,
        "OpenStdin": spec.stdin_open,
        "ReadOnly": spec.read_only,
        "Mounts": [_mount(mount) for mount in spec.volumes] + [_tmpfs(one) for one in spec.tmpfs],
        "Hosts": [_host(entry) for entry in spec.extra_hosts],
        "DNSConfig": _resolver(spec),
        "Secrets": [
            {**_handed(one), "SecretName": one.name, "SecretID": one.id} for one in secrets
        ],
        "Configs": [{**_handed(one), "ConfigName": one.name, "ConfigID": one.id} for one in files],
        "Sysctls": dict(spec.sysctls),
        "CapabilityAdd": [_capability(name) for name in spec.cap_add],
        "CapabilityDrop": [_capability(name) for name in spec.cap_drop],
        "Ulimits": [{"Name": u.name, "Soft": u.soft, "Hard": u.hard} for u in spec.ulimits],
        "Healthcheck": {"Test": ["NONE"]} if one_off or spec.job else _check(spec.health),
    }
    return made | {key: value for key, value in optional.items() if value}


def _resources(spec: Spec) -> dict[str, Any]:
    def amounts(cpus: float, memory: int) -> dict[str, int]:
        found = {"NanoCPUs": round(cpus * SECOND), "MemoryBytes": memory}
        return {name: amount for name, amount in found.items() if amount}

    limits = amounts(spec.cpus, spec.memory)
    found = {
        "Limits": {**limits, "Pids": spec.pids_limit} if spec.pids_limit else limits,
        "Reservations": amounts(spec.cpus_reserved, spec.memory_reserved),
    }
    return {name: its for name, its in found.items() if its}


def _network(network: Attached, one_off: bool) -> dict[str, Any]:
    # A command beside it is not the app: nobody who asks for the app may get it.
    if one_off or not network.aliases:
        return {"Target": network.id}
    return {"Target": network.id, "Aliases": list(network.aliases)}


def _mount(mount: Mount) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Type": "bind" if mount.source else "volume",
        "Source": mount.source or mount.name,
        "Target": mount.path,
    }
    return {**found, "ReadOnly": True} if mount.read_only else found


def _tmpfs(its: Tmpfs) -> dict[str, Any]:
    told = {"SizeBytes": its.size, "Mode": its.mode}
    options = {name: value for name, value in told.items() if value}
    found: dict[str, Any] = {"Type": "tmpfs", "Target": its.path}
    return {**found, "TmpfsOptions": options} if options else found


def _resolver(spec: Spec) -> dict[str, list[str]]:
    told = {"Nameservers": spec.dns, "Search": spec.dns_search, "Options": spec.dns_opt}
    return {name: list(values) for name, values in told.items() if values}


def _handed(one: Handed) -> dict[str, Any]:
    owner = {"UID": str(one.uid), "GID": str(one.gid)}
    return {"File": {"Name": one.path, **owner, "Mode": one.mode}}


def _host(entry: str) -> str:
    """``name:address`` as the engine has it: the address first, as in /etc/hosts."""
    name, _, address = entry.replace("=", ":", 1).partition(":")
    return f"{address.strip('[]')} {name}"


def _capability(name: str) -> str:
    return name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}"


def _check(health: Health) -> dict[str, Any]:
    """A command is run by the engine; HTTP and TCP are asked from outside, which needs no shell in
    the image. An image's own check stays."""
    if health.disabled:
        return {"Test": ["NONE"]}
    if health.kind != "command":
        return {}
    return {
        "Test": ["CMD", *health.command],
        "Interval": int(health.interval * SECOND),
        "Timeout": int(health.patience * SECOND),
        # What fails at first is starting, until the time it has is over.
        "StartPeriod": int(health.start_period * SECOND),
        "Retries": health.retries or 3,
    }
