"""The composition root: every part is made here and handed what it needs.

Start goes from the inside out (store, database, bus, engine side, web side), stop from the
outside in, so that nothing is asked for what is already gone.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable

import gevent
import gevent.event
from gevent import monkey

from cloudbang import logs
from cloudbang.accounts import Accounts
from cloudbang.bus import Hub, Publisher, Subscriber
from cloudbang.config import Settings
from cloudbang.engine import Engine
from cloudbang.history import History
from cloudbang.inventory import Inventory
from cloudbang.log_collector import LogCollector
from cloudbang.log_intake import LogIntake
from cloudbang.loop_lag import LoopLag
from cloudbang.store.database import Database
from cloudbang.store.events import EventStore
from cloudbang.store.logstore import LogStore
from cloudbang.store.recordings import Recordings
from cloudbang.store.terminals import TerminalStore
from cloudbang.supervise import Supervisor
from cloudbang.terminal.files import Files
from cloudbang.terminal.reap import Reaper
from cloudbang.terminal.sessions import Terminals
from cloudbang.terminal.sources import end_orphans, new_source, recorder
from cloudbang.web import MAX_BODY, create_app
from cloudbang.web.auth import gate_of
from cloudbang.web.files_door import PATH as FILES_PATH
from cloudbang.web.files_door import FilesDoor
from cloudbang.web.live import LivePush
from cloudbang.web.parts import WebParts
from cloudbang.web.server import Door, Limits, Server
from cloudbang.web.share_door import PATH as SHARE_PATH
from cloudbang.web.share_door import ShareDoor
from cloudbang.web.terminal_access import may_see
from cloudbang.web.terminal_door import TerminalDoor

log = logging.getLogger(__name__)

STOP_WITHIN = 4.5  # seconds from SIGTERM to the end, whatever hangs
STOP_SERVING = 2.0  # of these, what running requests and closing sockets may take


class Application:
    """All parts of one running CloudBang."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        logs.set_up(settings.log)
        # Reads and searches in threads must not keep the hub from its turn for long.
        sys.setswitchinterval(0.001)
        self._supervisor = Supervisor("cloudbang")
        self._told_to_stop = gevent.event.Event()
        self._stops: list[Callable[[], object]] = []
        self.loop_lag = LoopLag()
        self.server: Server | None = None
        self.setup_token: str | None = None

    def start(self) -> None:
        """Bring everything up and listen. Raises a CloudBangError that says what is wrong."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        settings = self.settings
        bus, storage = settings.bus, settings.storage

        store = LogStore(storage.path, settings=storage)
        store.open()
        self._stops.append(store.close)
        database = Database(storage.path)
        database.open()
        self._stops.append(database.close)
        accounts = Accounts(settings, database)
        accounts.start()
        self._stops.append(accounts.stop)
        self.setup_token = accounts.setup_token
        events = EventStore(database)

        hub = Hub(bus)
        hub.start()
        self._stops.append(hub.stop)
        publisher = Publisher(hub.publish_to, bus.curve_folder)
        self._stops.append(publisher.close)
        from_bus = Subscriber(bus.sub_from or hub.subscribe_at, bus.curve_folder)
        intake_from_bus = Subscriber(hub.subscribe_at, bus.curve_folder)

        engine = Engine(settings.engine)
        inventory = Inventory(engine, publisher, events, store)
        collector = LogCollector(
            engine, inventory, store, publisher, retention_days=storage.retention_days
        )
        intake = LogIntake(store, publisher, intake_from_bus)
        live = LivePush(store, inventory, from_bus)
        accounts.listen(live.close_account_sessions)

        terminal_store = TerminalStore(database)
        recordings = Recordings(
            storage.path,
            settings.terminal,
            keep_free=storage.keep_free_bytes,
            on_removed=terminal_store.recordings_removed,
        )
        recordings.open()
        self._stops.append(recordings.close)
        reaper = Reaper(engine)
        history = History(events, publisher)
        terminals = Terminals(
            settings.terminal,
            terminal_store,
            new_source(engine, reaper, settings.terminal),
            record=recorder(recordings) if settings.terminal.record else None,
            end_orphans=lambda left: end_orphans(engine, reaper, terminal_store, left),
            tell=history.action,
        )
        inventory.listen(terminals.containers_changed)
        files = Files(engine, reaper, settings.terminal, history.action)
        terminals.listen(lambda session: live.terminal_changed(lambda who: may_see(who, session)))

        app = create_app(
            WebParts(
                settings=settings,
                accounts=accounts,
                inventory=inventory,
                store=store,
                events=events,
                live=live,
                collector=collector,
                publisher=publisher,
                database=database,
                loop_lag=self.loop_lag,
                terminals=terminals,
                terminal_store=terminal_store,
                recordings=recordings,
                files=files,
            )
        )
        gate = gate_of(app)
        terminal_door = TerminalDoor(terminals, terminal_store, gate.proxies)
        accounts.listen(terminal_door.close_account_sessions)
        share_door = ShareDoor(terminals, gate, accounts.signing_key())
        accounts.listen(share_door.close_login)
        files_door = FilesDoor(terminals, files, gate)
        accounts.listen(files_door.close_login)
        console = terminal_door.door(gate.let_in)
        doors = {
            "/websocket": Door(live.serve, gate.let_in, LivePush.subprotocols),
            "/docker_console": console,
            "/ws": console,
            SHARE_PATH: share_door.door(),
            FILES_PATH: files_door.door(),
        }
        server = Server(
            (settings.server.host, settings.server.port),
            app,
            doors,
            # A little more than the application takes, so that it can say what is too large; not
            # more, since anybody may make each connection hold so much.
            limits=Limits(connections=settings.server.max_connections, body_bytes=2 * MAX_BODY),
            origins=[settings.server.public_url] if settings.server.public_url else [],
        )
        server.start()
        self.server = server
        # The page is there before the engine has been asked anything; it says what it waits for.
        parts = (live, inventory, collector, intake, reaper, terminals)
        for part in parts:
            part.start()
            self._stops.append(part.stop)
        self._stops += [terminal_door.stop, share_door.stop, files_door.stop]
        self._stops.append(lambda: server.stop(STOP_SERVING))
        self._supervisor.run("loop-lag", self.loop_lag.run)
        self._stops.append(self._supervisor.stop)

    @property
    def url(self) -> str:
        """The address a person opens, with the set-up token in its fragment while there is one."""
        assert self.server is not None
        host = self.settings.server.host
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104
        base = self.settings.server.public_url or f"http://{shown}:{self.server.port}"
        # In the fragment it is never sent in a request line, and so never logged on the way.
        return f"{base}/setup#{self.setup_token}" if self.setup_token else f"{base}/"

    def serve(self) -> int:
        """Serve until SIGTERM or SIGINT; then stop in order. Gives the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(number, self._told_to_stop.set)
        print(f"CloudBang: {self.url}", flush=True)
        self._told_to_stop.wait()
        _end_at_the_latest_in(STOP_WITHIN)
        log.info("stopping")
        self.stop()
        return 0

    def stop(self) -> None:
        """Stop what was started, the outermost part first."""
        while self._stops:
            stop = self._stops.pop()
            try:
                stop()
            except Exception:
                log.exception("%s failed", getattr(stop, "__qualname__", stop))
        logging.shutdown()


def _end_at_the_latest_in(seconds: float) -> None:
    """A native thread that ends the process even when the hub hangs. What was stored is stored."""
    sleep = monkey.get_original("time", "sleep")

    def end() -> None:
        sleep(seconds)
        os.write(2, b"cloudbang: something did not stop in time, the process is ended\n")
        os._exit(3)

    monkey.get_original("_thread", "start_new_thread")(end, ())
