"""What an app names of the engine's own is the team's, or nobody's yet: a volume holds somebody's data,
and on a network somebody's apps answer without being asked who comes. And what CloudBang reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from cloudbang.accounts import DEFAULT_TEAM
from cloudbang.deploy.errors import OthersHaveIt, OwnNetwork
from cloudbang.deploy.parts import Apps
from cloudbang.domain.deploy.spec import Spec
from cloudbang.domain.deploy.swarm_spec import NETWORK, team_network
from cloudbang.engine.own_container import Inspects, own_container
from cloudbang.storage.database.deployments import Named


class User(Protocol):
    """What uses a volume."""

    @property
    def app(self) -> str: ...


class Engine(Protocol):
    """What is asked of it."""

    def volume_uses(self) -> Mapping[str, Sequence[User]]: ...


class Releases(Protocol):
    """What is kept of all apps."""

    def named(self) -> list[Named]: ...


def check_reach(spec: Spec, team: str, apps: Apps, releases: Releases, engine: Engine) -> None:
    """For who is no admin of the installation. Raises OthersHaveIt, EngineUnreachable, EngineRefused,
    StorageFailed."""
    volumes = {m.name: f"volumes[{n}].name" for n, m in enumerate(spec.volumes) if m.name}
    own = team_network(team)
    networks = {name: f"networks[{n}]" for n, name in enumerate(spec.networks) if name != own}
    if not (volumes or networks or spec.stack):
        return
    ours, theirs = _Names(), _Names()
    for one in releases.named():
        (ours if apps.owner(one.app) == team else theirs).add(one)
    if spec.stack in theirs.stacks - ours.stacks:
        raise OthersHaveIt("stack", spec.stack)
    for name, field in networks.items():
        if name not in ours.networks:  # nobody can tell whose one is that is there already
            raise OthersHaveIt(field, name)
    foreign = {name: field for name, field in volumes.items() if name not in ours.volumes}
    if not foreign:
        return
    uses = engine.volume_uses()
    for name, field in foreign.items():
        teams = {(use.app and apps.owner(use.app)) or DEFAULT_TEAM for use in uses.get(name, ())}
        if name in theirs.volumes or (name in uses and teams != {team}):
            raise OthersHaveIt(field, name)


class _Names:
    """All that releases name."""

    def __init__(self) -> None:
        self.volumes: set[str] = set()
        self.networks: set[str] = set()
        self.stacks: set[str] = set()

    def add(self, named: Named) -> None:
        self.volumes.update(named.volumes)
        self.networks.update(named.networks)
        if named.stack:
            self.stacks.add(named.stack)


def require_way(engine: Inspects, team: str) -> None:
    """To the apps of a team: this machine's network, or theirs. Raises OwnNetwork,
    EngineUnreachable."""
    own = own_container(engine)
    if own is not None and not (own.shares_network or own.networks & {NETWORK, team_network(team)}):
        raise OwnNetwork
