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
from dataclasses import dataclass

import gevent
import gevent.event
from gevent import monkey

from cloudbang.accounts import AccountService
from cloudbang.bus import Hub, Publisher, Subscriber
from cloudbang.config import Settings
from cloudbang.core import own_log as logs
from cloudbang.core.loop_lag import LoopLag
from cloudbang.core.supervise import Supervisor
from cloudbang.engine import Engine
from cloudbang.events.recorder import EventRecorder
from cloudbang.intake.logs import LogIntake
from cloudbang.node.collector import LogCollector
from cloudbang.node.inventory import Inventory
from cloudbang.node.terminals.reaper import Reaper
from cloudbang.node.terminals.sources import TerminalSources
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.events import EventStore
from cloudbang.storage.database.terminals import TerminalStore
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.storage.recordings.recordings import Recordings
from cloudbang.terminals.files import Files
from cloudbang.terminals.pty_receiver import PtyReceiver
from cloudbang.terminals.registry import Terminals
from cloudbang.web import MAX_BODY, create_app
from cloudbang.web.live.push import LivePush
from cloudbang.web.security.authenticator import Authenticator, authenticator_of
from cloudbang.web.security.terminal_access import can_view_terminal
from cloudbang.web.server.server import Limits, Server, SocketRoute
from cloudbang.web.services import Services
from cloudbang.web.sockets.files import PATH as FILES_PATH
from cloudbang.web.sockets.files import FilesEndpoint
from cloudbang.web.sockets.share import PATH as SHARE_PATH
from cloudbang.web.sockets.share import ShareEndpoint
from cloudbang.web.sockets.terminal import TerminalEndpoint

log = logging.getLogger(__name__)

STOP_WITHIN = 4.5  # seconds from SIGTERM to the end, whatever hangs
STOP_SERVING = 2.0  # of these, what running requests and closing sockets may take


@dataclass(frozen=True)
class TerminalParts:
    """What the area of the terminals consists of."""

    registry: Terminals
    store: TerminalStore
    recordings: Recordings
    reaper: Reaper
    files: Files
    receiver: PtyReceiver


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
        self._endpoint_stops: list[Callable[[], object]] = []
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
        accounts = AccountService(settings, database)
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

        terminals = self._build_terminals(engine, database, EventRecorder(events, publisher))
        inventory.listen(terminals.registry.containers_changed)
        terminals.registry.listen(
            lambda session: live.terminal_changed(lambda who: can_view_terminal(who, session))
        )

        app = create_app(
            Services(
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
                terminals=terminals.registry,
                terminal_store=terminals.store,
                recordings=terminals.recordings,
                files=terminals.files,
            )
        )
        authenticator = authenticator_of(app)
        routes = {
            "/websocket": SocketRoute(
                live.serve, authenticator.authenticate_socket, LivePush.subprotocols
            ),
            **self._terminal_routes(terminals, authenticator, accounts),
        }
        server = Server(
            (settings.server.host, settings.server.port),
            app,
            routes,
            # A little more than the application takes, so that it can say what is too large; not
            # more, since anybody may make each connection hold so much.
            limits=Limits(connections=settings.server.max_connections, body_bytes=2 * MAX_BODY),
            origins=[settings.server.public_url] if settings.server.public_url else [],
        )
        server.start()
        self.server = server
        # The page is there before the engine has been asked anything; it says what it waits for.
        parts = (
            live,
            inventory,
            collector,
            intake,
            terminals.reaper,
            terminals.registry,
            terminals.receiver,
        )
        for part in parts:
            part.start()
            self._stops.append(part.stop)
        self._stops += self._endpoint_stops
        self._stops.append(lambda: server.stop(STOP_SERVING))
        self._supervisor.run("loop-lag", self.loop_lag.run)
        self._stops.append(self._supervisor.stop)

    def _build_terminals(
        self, engine: Engine, database: Database, recorder: EventRecorder
    ) -> TerminalParts:
        settings, storage = self.settings.terminal, self.settings.storage
        store = TerminalStore(database)
        recordings = Recordings(
            storage.path,
            settings,
            keep_free=storage.keep_free_bytes,
            on_removed=store.recordings_removed,
        )
        recordings.open()
        self._stops.append(recordings.close)
        reaper = Reaper(engine)
        registry = Terminals(
            settings,
            store,
            TerminalSources(engine, reaper, settings.toolbox_image),
            recordings=recordings if settings.record else None,
            record_action=recorder.action,
        )
        files = Files(engine, reaper, settings, recorder.action)
        receiver = PtyReceiver(storage.path)
        return TerminalParts(registry, store, recordings, reaper, files, receiver)

    def _terminal_routes(
        self, terminals: TerminalParts, authenticator: Authenticator, accounts: AccountService
    ) -> dict[str, SocketRoute]:
        """The sockets of the terminals, which close with the login that they were opened with."""
        terminal = TerminalEndpoint(terminals.registry, terminals.store, authenticator.proxies)
        accounts.listen(terminal.close_account_sessions)
        share = ShareEndpoint(
            terminals.registry, terminals.receiver, authenticator, accounts.signing_key()
        )
        accounts.listen(share.close_login)
        files = FilesEndpoint(terminals.registry, terminals.files, authenticator)
        accounts.listen(files.close_login)
        self._endpoint_stops += [terminal.stop, share.stop, files.stop]
        console = terminal.route(authenticator.authenticate_socket)
        return {
            "/docker_console": console,
            "/ws": console,
            SHARE_PATH: share.route(),
            FILES_PATH: files.route(),
        }

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
