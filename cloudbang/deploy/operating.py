"""The parts that operate apps and containers, and clean up after them, as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cloudbang.apps import AppRegistry
from cloudbang.config import Settings
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.deploy.clean_up import CleanUp
from cloudbang.deploy.containers import Containers
from cloudbang.deploy.operate import Operations
from cloudbang.deploy.projects import Projects
from cloudbang.deploy.reaper import DeploymentReaper
from cloudbang.deploy.removal import Removals
from cloudbang.deploy.service import Deployments, Wanted
from cloudbang.deploy.take_over import TakeOvers
from cloudbang.deploy.webhooks import Webhooks
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.engine import Engine
from cloudbang.events.recorder import EventRecorder
from cloudbang.gateway import Gateway
from cloudbang.node.inventory import Inventory
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.deployments import DeploymentStore
from cloudbang.storage.database.found import FoundStore
from cloudbang.storage.database.secrets import SecretStore
from cloudbang.storage.logs.log_store import LogStore


@dataclass(frozen=True, slots=True)
class Operating:
    """Made by :func:`operating`."""

    operations: Operations
    removals: Removals
    containers: Containers
    take_overs: TakeOvers
    projects: Projects
    clean_up: CleanUp
    reaper: DeploymentReaper

    def start(self) -> None:
        self.take_overs.start()
        self.reaper.start()
        self.clean_up.start()

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        for part in (self.clean_up, self.reaper, self.take_overs):
            part.stop(deadline)


def operating(
    settings: Settings,
    engine: Engine,
    inventory: Inventory,
    database: Database,
    logs: LogStore,
    apps: AppRegistry,
    recorder: EventRecorder,
    gateway: Gateway,
    deployments: Deployments,
    webhooks: Webhooks,
) -> Operating:
    """All of them, over what they are handed."""
    store, found = DeploymentStore(database), FoundStore(database)
    containers = Containers(engine, inventory, recorder.action)

    def begin(app: str, spec: Mapping[str, object], by: str, admin: bool) -> Deployment:
        return deployments.begin(app, Wanted(spec), by, admin=admin)

    names = (settings.terminal.toolbox_image,)
    return Operating(
        Operations(engine, store, deployments, containers, apps, recorder.action),
        Removals(
            engine,
            store,
            SecretStore(database, settings.storage.path),
            deployments,
            gateway,
            webhooks,
            apps,
            logs,
            recorder.action,
        ),
        containers,
        TakeOvers(engine, found, deployments, begin, recorder.action),
        Projects(engine, found, recorder.action),
        CleanUp(engine, store, apps.team_of, names, settings.deploy.cache_max_bytes),
        DeploymentReaper(engine, store),
    )
