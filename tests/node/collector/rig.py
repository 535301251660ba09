"""Engine, inventory, collector, store and bus, joined as the application joins them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from cloudbang.apps import AppRegistry
from cloudbang.apps.container_names import ContainerNames
from cloudbang.bus import Hub, Publisher
from cloudbang.config import BusSettings, EngineSettings, StorageSettings
from cloudbang.core.notices import Notices
from cloudbang.engine import Engine
from cloudbang.events.recorder import EventRecorder
from cloudbang.intake.log_sink import StoreSink
from cloudbang.node.collector import LogCollector
from cloudbang.node.inventory import Inventory
from cloudbang.storage.database.apps import AppStore
from cloudbang.storage.database.container_names import ContainerNameStore
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.events import EventStore
from cloudbang.storage.logs.log_store import LogStore, Query
from tests.support import wait_until


class Rig:
    """Collects into ``folder`` from the engine at ``host``."""

    def __init__(self, folder: Path, host: str, jobs: Collection[tuple[str, int]] = ()) -> None:
        folder.mkdir(exist_ok=True)
        self.hub = Hub(
            BusSettings(bind_sub="tcp://127.0.0.1:*", bind_pub="tcp://127.0.0.1:*", bind_pub2="")
        )
        self.hub.start()
        self.publisher = Publisher(self.hub.publish_to)
        self.store = LogStore(folder, settings=StorageSettings(path=folder, keep_free_bytes=0))
        self.database = Database(folder)
        self.events = EventStore(self.database)
        self.notices = Notices()
        self.names = ContainerNames(ContainerNameStore(self.database), self.store)
        self.engine = Engine(EngineSettings(host=host))
        self.recorder = EventRecorder(self.events, self.publisher)
        self.inventory = Inventory(self.engine, self.recorder, self.notices, self.names, jobs)
        self.apps = AppRegistry(
            AppStore(self.database), self.store, self.inventory, self.recorder, self.publisher
        )
        self.sink = StoreSink(self.store, self.publisher)
        self.collector = LogCollector(self.engine, self.inventory, self.sink)
        self._open = False

    def start(self) -> None:
        self.store.open()
        self.database.open()
        self._open = True
        self.names.load()
        self.names.start()
        self.apps.load()
        self.inventory.listen(self.apps.instances_changed)
        self.apps.start()
        self.recorder.start()
        self.inventory.start()
        self.collector.start()

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        self.collector.stop()
        self.inventory.stop()
        self.names.stop()
        self.apps.stop()
        self.recorder.stop()
        self.engine.close()
        self.publisher.close()
        self.hub.stop()
        self.database.close()
        self.store.close()

    def partial_texts(self, app: str) -> list[str]:
        """What its lines that are not ended show."""
        return [line.text for line in self.sink.partial_lines.of(app)]

    def records(self, app: str) -> list[bytes]:
        """Every record kept of an app, each with its LF, oldest first; checks their seqs."""
        found: list[bytes] = []
        after = 0
        while True:
            page = self.store.read(app, Query(after=after, limit=5000))
            if not page.lines:
                return found
            for seq, raw in page.lines:
                assert seq == after + 1
                after = seq
                found.append(raw if raw.endswith(b"\n") else raw + b"\n")

    def texts(self, app: str, stream: bytes | None = None) -> list[str]:
        """The texts of an app's lines, oldest first."""
        return [
            raw[51:-1].decode("utf-8", "replace")
            for raw in self.records(app)
            if stream is None or raw[44:50] == stream
        ]

    def wait_for(self, app: str, count: int, timeout: float = 15) -> list[str]:
        """The texts once there are ``count`` of them."""
        wait_until(lambda: self.store.next_seq(app) > count, timeout, f"{count} lines of {app}")
        return self.texts(app)

    def wait_ended(self, app: str, timeout: float = 15) -> list[str]:
        """The texts once every container of the app has ended and nothing of it is read."""

        def ended() -> bool:
            known = self.apps.get(app)
            return bool(
                known is not None
                and known.instances  # an app of which lines are kept is known before its containers
                and all(i.inspected and not i.alive and i.finished_at for i in known.instances)
                and not self.collector.is_reading(app)
            )

        wait_until(ended, timeout, f"the end of {app}")
        return self.texts(app)
