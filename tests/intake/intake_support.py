"""A hub, a store and what is between them: programs put, and lines are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from cloudbang.bus import HEADER, Hub, Publisher
from cloudbang.config import BusSettings
from cloudbang.core.notices import Notice, Notices
from cloudbang.domain.lines import row
from cloudbang.intake.log_sink import StoreSink
from cloudbang.intake.logs import LogIntake
from cloudbang.storage.logs.log_store import LogStore, Query
from tests.support import wait_until

ANYWHERE = "tcp://127.0.0.1:*"


class Ground:
    def __init__(self, folder: Path) -> None:
        self.notices = Notices()
        self.store = LogStore(folder, notices=self.notices)
        self.store.open()
        self.hub = Hub(BusSettings(bind_sub=ANYWHERE, bind_pub=ANYWHERE, bind_pub2=""))
        self.hub.start()
        self.ours = Publisher(self.hub.publish_to)
        self.intake = LogIntake(StoreSink(self.store, self.ours), self.hub.puts, self.notices)
        self.intake.start()
        self.theirs = Publisher(self.hub.publish_to)
        wait_until(lambda: self.theirs.wanted("put/log/shop/"))

    def put(self, body: Any, app: str = "shop", header: bytes = HEADER) -> None:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        self.theirs.send(f"put/log/{app}/", header, content)

    def rows(self, app: str = "shop") -> list[tuple[int, str, str, str, str]]:
        page = self.store.read(app, Query(after=0, limit=100_000))
        return [row(seq, raw) for seq, raw in page.lines]

    def close(self) -> None:
        self.intake.stop()
        self.theirs.close()
        self.ours.close()
        self.hub.stop()
        self.store.close()

    def notice(self, code: str) -> Notice | None:
        """The first notice of this code that holds."""
        return next((one for one in self.notices.now() if one.code == code), None)
