"""What the web side is handed: every part it shows or asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from flask import current_app

from cloudbang.web.api.search_counts import SearchCounts

if TYPE_CHECKING:
    from cloudbang.accounts import AccountService
    from cloudbang.apps import AppRegistry
    from cloudbang.bus import Publisher
    from cloudbang.config import Settings
    from cloudbang.core.budget import Budget
    from cloudbang.core.loop_lag import LoopLag
    from cloudbang.core.notices import Notices
    from cloudbang.deploy.operating import Operating
    from cloudbang.deploy.service import Deployments
    from cloudbang.deploy.source_draft import SourceDrafts
    from cloudbang.deploy.sources import Sources
    from cloudbang.deploy.stacks import Stacks
    from cloudbang.deploy.webhooks import Webhooks
    from cloudbang.events.recorder import EventRecorder
    from cloudbang.gateway import Gateway
    from cloudbang.monitoring.alerts.service import Alerts
    from cloudbang.monitoring.query import Query
    from cloudbang.monitoring.series import Series
    from cloudbang.monitoring.traffic import Traffic
    from cloudbang.node.collector import LogCollector
    from cloudbang.node.inventory import Inventory
    from cloudbang.storage.database.database import Database
    from cloudbang.storage.database.events import EventStore
    from cloudbang.storage.database.terminals import TerminalStore
    from cloudbang.storage.logs.log_store import LogStore
    from cloudbang.storage.patterns.pattern_counts import PatternCounts
    from cloudbang.storage.recordings.recordings import Recordings
    from cloudbang.terminals.files import Files
    from cloudbang.terminals.registry import Terminals
    from cloudbang.web.live.push import LivePush
    from cloudbang.web.status import Status


@dataclass(frozen=True)
class Services:
    """The services, made in ``app.py``."""

    settings: Settings
    accounts: AccountService
    apps: AppRegistry
    inventory: Inventory
    store: LogStore
    events: EventStore
    recorder: EventRecorder
    live: LivePush
    collector: LogCollector
    publisher: Publisher
    deployments: Deployments
    gateway: Gateway
    sources: Sources
    webhooks: Webhooks
    database: Database
    terminals: Terminals
    terminal_store: TerminalStore
    recordings: Recordings
    files: Files
    budget: Budget
    notices: Notices
    status: Status
    stacks: Stacks
    source_drafts: SourceDrafts
    operating: Operating
    alerts: Alerts
    metrics: Series
    metrics_query: Query
    traffic: Traffic
    patterns: PatternCounts
    loop_lag: LoopLag | None = None
    search_counts: SearchCounts = field(default_factory=SearchCounts)

    def instance_names(self, app: str, newest: int | None = None) -> dict[str, str]:
        """What the containers of an app are called, or were: by short id, of the ``newest`` events
        that say so. Raises StorageFailed."""
        present = {one.short: one.name for one in self.inventory.instances_of(app)}
        return self.events.instance_names(app, newest) | present


def services() -> Services:
    """The services of the application that serves this request."""
    return cast(Services, current_app.extensions["cloudbang"])
