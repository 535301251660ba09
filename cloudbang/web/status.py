"""What everybody has to know now, and the apps as pages show them: one shape for API and socket."""

from __future__ import annotations

from typing import Any, Protocol

from cloudbang.domain.apps import App
from cloudbang.domain.lines import format_time, row
from cloudbang.storage.logs.log_store import LogStore

LAST_LINE = 300  # characters of an app's last line that a list of apps shows


class Apps(Protocol):
    """What the pages ask of the inventory."""

    @property
    def engine_error(self) -> str | None:
        """Why the engine cannot be asked; None when it can."""

    def apps(self) -> list[App]:
        """The apps that have containers."""

    def app(self, name: str) -> App | None:
        """One of them."""

    def rate(self, name: str) -> float:
        """Lines an app logs per second, now."""


def notices(inventory: Apps, store: LogStore) -> list[dict[str, Any]]:
    """What is wrong now, as JSON values; empty when all is well. Pages translate by ``code``."""
    found: list[dict[str, Any]] = []
    trouble = store.trouble
    if trouble is not None:
        found.append(
            {
                "code": f"storage-{trouble.kind}",
                "severity": "error",
                "message": trouble.message,
                "since": format_time(trouble.since),
                "path": trouble.path,
            }
        )
    if error := inventory.engine_error:
        found.append(
            {"code": "engine-unreachable", "severity": "error", "message": error, "since": None}
        )
    return found


def app_json(app: App, store: LogStore, rate: float = 0) -> dict[str, object]:
    """One app with what is known of its log. ``rate`` in lines per second."""
    last = store.last(app.name)
    shown = None
    if last is not None:
        seq, time, container, stream, text = row(*last)
        shown = (seq, time, container, stream, text[:LAST_LINE])
    return app.as_json(
        {
            "last_line": shown,
            "first": store.first_seq(app.name),
            "next": store.next_seq(app.name),
            "rate": rate,
        }
    )


def find_app(name: str, inventory: Apps, store: LogStore) -> App | None:
    """An app on the engine, or one of which only lines are left; None when it is neither."""
    found = inventory.app(name)
    if found is None and store.next_seq(name) > 1:
        return App(name)
    return found


def every_app(inventory: Apps, store: LogStore) -> list[App]:
    """The apps on the engine and those of which only lines are left, by name."""
    found = {app.name: app for app in inventory.apps()}
    for name in store.apps():
        if name not in found:
            found[name] = App(name)
    return [found[name] for name in sorted(found)]
