"""A release as a service, with what it is handed: networks, secrets, files."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.parts import Parts
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.swarm_spec import (
    APP,
    NETWORK,
    STACK,
    Attached,
    Handed,
    networks_of,
    service_spec,
    stack_network,
    team_network,
)
from cloudbang.engine import Engine

OURS = "cloudbang.network"  # a label: we made it, and for what
LONGEST = 64  # characters of the name of a secret or a config


def service_of(parts: Parts, release: Release, *, one_off: bool = False) -> dict[str, Any]:
    """What the engine is told of a release; what it names is there by then. Can be done again.

    Raises StepFailed, SecretUnreadable, EngineUnreachable, EngineRefused.
    """
    values = parts.secrets.get(release.app, release.secrets)
    return service_spec(
        release,
        networks=_networks(parts, release),
        secrets=[_secret(parts, release.app, name, value) for name, value in values.items()],
        files=_files(parts, release),
        values=values,
        one_off=one_off,
    )


def _networks(parts: Parts, release: Release) -> list[Attached]:
    engine, team = parts.engine, parts.team_of(release.app)
    its, found = team_network(team), []
    for name, aliases in networks_of(release, team):
        if name == NETWORK:
            id = engine.overlay(name, {OURS: "apps"})
        elif name == its:
            # The gateway comes to it as it is: one that is started anew answers nobody meanwhile.
            id = engine.roomy_overlay(name, {OURS: "team"})
            if not release.spec.stack and _are_left(parts, release.app, id):
                found.append(Attached(engine.overlay(NETWORK, {OURS: "apps"}), aliases))
        elif name == stack_network(release.spec.stack):
            id = engine.overlay(name, {OURS: "stack"})
        else:
            id = _others(engine, name)
        found.append(Attached(id, aliases))
    return found


def carries_apps(engine: Engine, name: str) -> bool | None:
    """Whether apps can be on a network that somebody else has made; None where there is none of that
    name. Raises EngineUnreachable, EngineRefused."""
    if engine.network_id(name, for_services=True) is not None:
        return True
    return None if engine.network_id(name) is None else False


def _others(engine: Engine, name: str) -> str:
    """The id of a network that somebody else has made. Raises StepFailed."""
    id = engine.network_id(name, for_services=True)
    if id is not None:
        return id
    said = f"there is no network {name}: make it, or take it out"
    if carries_apps(engine, name) is False:
        said = (
            f"the network {name} is of one machine, and carries no apps: make one of another name "
            "with `docker network create -d overlay --attachable`, or take it out"
        )
    raise StepFailed(Failure("path-missing", said, what=name))


def _are_left(parts: Parts, app: str, network: str) -> bool:
    """Whether others of an app's team are on the common network and not on their team's, as they were
    deployed before teams had their own: they are to find this one until their next deployment."""
    team, common = parts.team_of(app), parts.engine.network_id(NETWORK)
    left = set()
    for service in parts.engine.services(APP):
        on = {one.get("Target") for one in service.spec["TaskTemplate"].get("Networks") or ()}
        if common in on and network not in on and not service.labels.get(STACK):
            left.add(service.labels[APP])
    return any(parts.team_of(other) == team for other in left - {app})


def _secret(parts: Parts, app: str, name: str, value: str) -> Handed:
    # What a secret holds never changes: another value is another name. Only who has our key can
    # tell one value from another by it.
    mark = parts.secrets.mark(app, name, value)
    kept = _named(app, name, mark)
    id = parts.engine.hand_over("secrets", kept, value.encode(), {APP: app})
    return Handed(id, kept, name, 0o444)


def _files(parts: Parts, release: Release) -> list[Handed]:
    found = []
    for file in release.spec.files:
        data = file.content.encode()
        kept = _named(release.app, file.path, sha256(data).hexdigest()[:16])
        id = parts.engine.hand_over("configs", kept, data, {APP: release.app})
        found.append(Handed(id, kept, file.path, file.mode, file.uid, file.gid))
    return found


def _named(app: str, what: str, mark: str) -> str:
    whose = sha256(f"{app}\0{what}".encode()).hexdigest()[:8]
    readable = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in what)
    return f"{readable.strip('-_.')[: LONGEST - 26] or 'x'}-{whose}-{mark}"
