"""The tables of the database, a module for each area.

A change in one of them needs a migration in ``migrations/versions``; a new area is imported here,
so that a new database has it, too.
"""

from cloudbang.storage.database.tables.accounts import (
    accounts,
    api_tokens,
    memberships,
    sessions,
    settings,
    teams,
)
from cloudbang.storage.database.tables.alerts import (
    alert_attempts,
    alert_incidents,
    alert_messages,
    alert_receivers,
    alert_rules,
    alert_told,
)
from cloudbang.storage.database.tables.apps import apps, container_names, log_keeping
from cloudbang.storage.database.tables.deployments import (
    deployed_apps,
    deployments,
    releases,
    routes,
    secret_values,
    stack_runs,
)
from cloudbang.storage.database.tables.events import events
from cloudbang.storage.database.tables.found import compose_projects, taken_over
from cloudbang.storage.database.tables.metadata import metadata
from cloudbang.storage.database.tables.personal import marks, saved_searches
from cloudbang.storage.database.tables.terminals import terminal_visits, terminals
from cloudbang.storage.database.tables.webhooks import deliveries, webhooks

REVISION = "0015"
"""The newest migration. A database of this revision is used as it is."""

__all__ = [
    "REVISION",
    "accounts",
    "alert_attempts",
    "alert_incidents",
    "alert_messages",
    "alert_receivers",
    "alert_rules",
    "alert_told",
    "api_tokens",
    "apps",
    "compose_projects",
    "container_names",
    "deliveries",
    "deployed_apps",
    "deployments",
    "events",
    "log_keeping",
    "marks",
    "memberships",
    "metadata",
    "releases",
    "routes",
    "saved_searches",
    "secret_values",
    "sessions",
    "settings",
    "stack_runs",
    "taken_over",
    "teams",
    "terminal_visits",
    "terminals",
    "webhooks",
]
