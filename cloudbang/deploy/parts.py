"""What those who carry deployments out are handed."""

from __future__ import annotations

from dataclasses import dataclass

from cloudbang.deploy.limits import StepLimits
from cloudbang.deploy.sources import Sources
from cloudbang.engine import Engine
from cloudbang.gateway import Gateway
from cloudbang.storage.database.deployments import DeploymentStore
from cloudbang.storage.database.secrets import SecretStore


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that a step may ask."""

    engine: Engine
    gateway: Gateway
    sources: Sources
    store: DeploymentStore
    secrets: SecretStore
    limits: StepLimits
