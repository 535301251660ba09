"""Deleting an app that CloudBang deployed: what there is of it, and taking that away.

Its volumes and its log stay unless they are named; what somebody else has stays in any case.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

import gevent

from cloudbang.core.deadline import Deadline
from cloudbang.deploy.log import log_name
from cloudbang.deploy.operate import NotDeployed
from cloudbang.domain.apps import App, Instance
from cloudbang.domain.deploy.disk import Use
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.swarm_spec import APP, stack_network
from cloudbang.domain.names import RELEASE
from cloudbang.engine.swarm import Service
from cloudbang.errors import EngineRefused, EngineUnreachable
from cloudbang.storage.database.deployments import DeploymentStore
from cloudbang.storage.database.webhooks import Webhook

log = logging.getLogger(__name__)

LOOK = 0.3  # seconds between two looks at whether containers are gone
BEYOND_GRACE = 30.0  # seconds that they may take beyond the grace that they were promised
KINDS = ("secrets", "configs")


class Engine(Protocol):
    """What is asked of it."""

    def services(self, label: str) -> list[Service]: ...
    def remove_service(self, name: str) -> bool: ...
    def containers_with(self, *labels: str) -> list[str]: ...
    def volume_uses(self) -> dict[str, list[Use]]: ...
    def remove_volume(self, name: str) -> bool: ...
    def remove_image(self, name: str) -> bool: ...
    def handed_over(self, kind: Any, label: str) -> dict[str, str]: ...
    def take_back(self, kind: Any, name: str) -> bool: ...
    def remove_network(self, name: str) -> bool: ...


class Deployments(Protocol):
    """Who carries deployments out."""

    def occupied(self, app: str, by: str = "") -> AbstractContextManager[object]: ...


class Routes(Protocol):
    """The gateway."""

    def withdraw(self, app: str) -> None: ...


class Webhooks(Protocol):
    """Who deploys an app when somebody pushes."""

    def of(self, app: str) -> list[Webhook]: ...
    def delete(self, webhook: Webhook) -> None: ...


class Secrets(Protocol):
    def forget(self, app: str) -> None: ...


class Apps(Protocol):
    """The registry."""

    def get(self, name: str) -> App | None: ...
    def team_of(self, name: str) -> str: ...
    def create(self, name: str, team: str, kind: str = "deployed") -> App: ...
    def delete(self, name: str) -> object: ...
    def delete_lines(self, name: str) -> object: ...


class Logs(Protocol):
    """The log store."""

    def delete_lines(self, app: str) -> object: ...


@dataclass(frozen=True, slots=True)
class VolumeOf:
    """A volume of an app; ``used_by``: others who have it, so that it stays in any case."""

    name: str
    there: bool
    used_by: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Belongings:
    """What there is of a deployed app, and what of it deleting takes away. ``stay``: containers that
    CloudBang did not make."""

    services: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    stay: tuple[str, ...] = ()
    volumes: tuple[VolumeOf, ...] = ()
    images: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    route: str = ""
    releases: int = 0
    deployments: int = 0


class Removals:
    """See the module."""

    def __init__(
        self,
        engine: Engine,
        store: DeploymentStore,
        secrets: Secrets,
        deployments: Deployments,
        routes: Routes,
        webhooks: Webhooks,
        apps: Apps,
        logs: Logs,
        record_action: Callable[..., None],
    ) -> None:
        self._engine, self._store, self._secrets = engine, store, secrets
        self._deployments, self._routes, self._webhooks = deployments, routes, webhooks
        self._apps, self._logs, self._act = apps, logs, record_action

    def belongings(self, app: str) -> Belongings:
        """What deleting it would take away, and what stays; while the engine is away, what is
        written down of it. Raises NotDeployed, EngineRefused."""
        releases = self._releases(app)
        its = self._store.app(app)
        serving = next((r for r in releases if its and r.number == its.serving), releases[0])
        route = serving.spec.route
        written = Belongings(
            images=tuple(release.tag for release in releases if release.image_id),
            secrets=tuple(sorted({name for release in releases for name in release.secrets})),
            route=f"{route.host or f'{app}.localhost'}{route.path}" if route else "",
            releases=len(releases),
            deployments=len(self._store.find(app, limit=500)),
        )
        try:
            return self._on_engine(app, releases, written)
        except EngineUnreachable:
            return written

    def _on_engine(self, app: str, releases: Sequence[Release], written: Belongings) -> Belongings:
        found = self._apps.get(app)
        instances = found.instances if found else ()
        ours, others = _split(instances, self._engine.containers_with(f"{APP}={app}", RELEASE))
        return replace(
            written,
            services=tuple(one.name for one in self._engine.services(f"{APP}={app}")),
            containers=tuple(one.name for one in ours),
            stay=tuple(one.name for one in others),
            volumes=self._volumes(app, releases),
        )

    def delete(self, app: str, by: str, *, volumes: bool = False, logs: bool = False) -> list[str]:
        """Everything that :meth:`belongings` names; its volumes and its log where that is wanted.
        Gives the names of volumes that stayed all the same, since somebody uses them.

        What is written down of it goes last: one that was killed on the way is deleted again.
        Raises NotDeployed, StorageFailed and what the engine does.
        """
        releases = self._releases(app)
        with self._deployments.occupied(app, by):
            deployments = [one.id for one in self._store.find(app, limit=500)]
            self._routes.withdraw(app)
            for webhook in self._webhooks.of(app):
                self._webhooks.delete(webhook)
            for service in self._engine.services(f"{APP}={app}"):
                self._engine.remove_service(service.name)
            self._wait_gone(app, max(release.spec.stop_grace for release in releases))
            left = self._remove_volumes(self._volumes(app, releases)) if volumes else []
            for kind in KINDS:
                for name in self._engine.handed_over(kind, f"{APP}={app}"):
                    self._engine.take_back(kind, name)
            for release in releases:
                with suppress(EngineRefused):  # a container of somebody's has it
                    self._engine.remove_image(release.tag)
            self._remove_networks(app, releases)
            team = self._apps.team_of(app)
            self._secrets.forget(app)
            self._store.forget(app)
            self._apps.create(app, team, "found")
        if logs:
            self._delete_logs(app, deployments)
        else:
            self._act(app, "", by, "delete")
        log.warning(
            "%s deleted the app %s of the team %s: %d releases%s%s",
            *(by, app, team, len(releases)),
            ", with its volumes" if volumes else "",
            ", with its log" if logs else "",
        )
        return left

    def _releases(self, app: str) -> list[Release]:
        releases = [release for _, release in self._store.releases(app)]
        if not releases:
            raise NotDeployed(app)
        return releases

    def _volumes(self, app: str, releases: Sequence[Release]) -> tuple[VolumeOf, ...]:
        """Those that any release of it named, and who else has them."""
        names = {m.name for release in releases for m in release.spec.volumes if m.name}
        uses: Mapping[str, list[Use]] = self._engine.volume_uses() if names else {}
        found = []
        for name in sorted(names):
            others = {use for use in uses.get(name, ()) if use.app != app}
            for other in self._store.every_release():
                if other.app != app and any(m.name == name for m in other.spec.volumes):
                    others.add(Use("release", f"r{other.number}", other.app))
            users = tuple(sorted(others, key=lambda use: (use.app, use.by, use.name)))
            found.append(VolumeOf(name, name in uses, users))
        return tuple(found)

    def _remove_volumes(self, volumes: Collection[VolumeOf]) -> list[str]:
        left = []
        for volume in volumes:
            if volume.used_by:
                left.append(volume.name)
                continue
            try:
                self._engine.remove_volume(volume.name)
            except EngineRefused as e:
                log.warning("the volume %s stays: %s", volume.name, e.reason)
                left.append(volume.name)
        return left

    def _remove_networks(self, app: str, releases: Sequence[Release]) -> None:
        """Of stacks in which it was the last one."""
        others = {one.spec.stack for one in self._store.every_release() if one.app != app}
        for stack in {release.spec.stack for release in releases if release.spec.stack} - others:
            with suppress(EngineRefused):  # somebody is on it
                self._engine.remove_network(stack_network(stack))

    def _wait_gone(self, app: str, grace: float) -> None:
        """Until its containers are: Swarm removes them some seconds after their service."""
        deadline = Deadline(grace + BEYOND_GRACE)
        while self._engine.containers_with(f"{APP}={app}", RELEASE):
            if not deadline.left:
                return
            gevent.sleep(LOOK)

    def _delete_logs(self, app: str, deployments: Sequence[int]) -> None:
        for id in deployments:
            self._logs.delete_lines(log_name(id))
        found = self._apps.get(app)
        if found is None:
            return
        if found.instances:
            self._apps.delete_lines(app)
        else:
            self._apps.delete(app)


def _split(
    instances: Sequence[Instance], ours: Collection[str]
) -> tuple[list[Instance], list[Instance]]:
    known = set(ours)
    return (
        [one for one in instances if one.id in known],
        [one for one in instances if one.id not in known],
    )
