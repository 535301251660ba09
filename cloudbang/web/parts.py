"""What the web side is handed: every part it shows or asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from cloudbang.accounts import Accounts
    from cloudbang.bus import Publisher
    from cloudbang.config import Settings
    from cloudbang.inventory import Inventory
    from cloudbang.log_collector import LogCollector
    from cloudbang.loop_lag import LoopLag
    from cloudbang.store.database import Database
    from cloudbang.store.events import EventStore
    from cloudbang.store.logstore import LogStore
    from cloudbang.store.recordings import Recordings
    from cloudbang.store.terminals import TerminalStore
    from cloudbang.terminal.files import Files
    from cloudbang.terminal.sessions import Terminals
    from cloudbang.web.live import LivePush


@dataclass(frozen=True)
class WebParts:
    """The parts, made in ``app.py``."""

    settings: Settings
    accounts: Accounts
    inventory: Inventory
    store: LogStore
    events: EventStore
    live: LivePush
    collector: LogCollector
    publisher: Publisher
    database: Database
    terminals: Terminals
    terminal_store: TerminalStore
    recordings: Recordings
    files: Files
    loop_lag: LoopLag | None = None


def parts() -> WebParts:
    """The parts of the application that serves this request."""
    return cast(WebParts, current_app.extensions["cloudbang"])
