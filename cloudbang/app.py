"""The composition root: every area is built here, of what it is handed; nothing else knows how.

Start goes from the inside out (storage, accounts, bus, events, node, terminals, live, web), stop
from the outside in, so that nothing is asked for what is already gone.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import gevent
import gevent.event
from gevent import monkey

from cloudbang.accounts import AccountService
from cloudbang.apps import AppRegistry
from cloudbang.apps.container_names import ContainerNames
from cloudbang.bus import Hub, Publisher, Subscriber
from cloudbang.config import Settings
from cloudbang.core import own_log
from cloudbang.core.budget import Budget
from cloudbang.core.deadline import Deadline, StopOrder
from cloudbang.core.loop_lag import LoopLag
from cloudbang.core.memory import MemoryTrim, keep_large_apart
from cloudbang.core.notices import Notices
from cloudbang.core.supervise import Supervisor
from cloudbang.deploy.as_it_is import AsItIs
from cloudbang.deploy.compose_file import Compose
from cloudbang.deploy.handing import carries_apps
from cloudbang.deploy.limits import StepLimits
from cloudbang.deploy.operating import Operating, operating
from cloudbang.deploy.parts import Parts
from cloudbang.deploy.service import Around, Deployments
from cloudbang.deploy.source_draft import SourceDrafts
from cloudbang.deploy.sources import Sources
from cloudbang.deploy.stacks import Beside, Stacks
from cloudbang.deploy.webhooks import Webhooks
from cloudbang.domain.apps import Instance
from cloudbang.domain.masking import Secret, pattern_of
from cloudbang.engine import Engine
from cloudbang.events.recorder import EventRecorder
from cloudbang.events.retention import EventRetention
from cloudbang.gateway import Gateway
from cloudbang.intake.log_sink import StoreSink
from cloudbang.intake.logs import LogIntake
from cloudbang.intake.metrics import MetricIntake
from cloudbang.monitoring.alerts.backtest import Backtest
from cloudbang.monitoring.alerts.measured import (
    Certificates,
    Disks,
    LogRules,
    MetricRules,
    disks_of,
)
from cloudbang.monitoring.alerts.news import News as AlertNews
from cloudbang.monitoring.alerts.service import Alerts
from cloudbang.monitoring.alerts.service import Around as AroundAlerts
from cloudbang.monitoring.alerts.traffic_rules import TrafficRules
from cloudbang.monitoring.forgetting import Forgetting
from cloudbang.monitoring.log_rates import LogRates
from cloudbang.monitoring.oom import OutOfMemory
from cloudbang.monitoring.overview import Sparks
from cloudbang.monitoring.query import Kept, Query
from cloudbang.monitoring.scrape import Scraper
from cloudbang.monitoring.series import Series
from cloudbang.monitoring.traffic import AddressRules, Traffic
from cloudbang.node.collector import LogCollector
from cloudbang.node.inventory import Inventory
from cloudbang.node.sampler import Sampler
from cloudbang.node.terminals.reaper import Reaper
from cloudbang.node.terminals.sources import TerminalSources
from cloudbang.storage.database.apps import AppStore
from cloudbang.storage.database.container_names import ContainerNameStore
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.deployments import DeploymentStore
from cloudbang.storage.database.events import EventStore
from cloudbang.storage.database.routes import RouteStore
from cloudbang.storage.database.secrets import SecretStore
from cloudbang.storage.database.stacks import StackStore
from cloudbang.storage.database.terminals import TerminalStore
from cloudbang.storage.database.webhooks import WebhookStore
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.storage.metrics.store import MetricStore
from cloudbang.storage.patterns.pattern_counts import PatternCounts
from cloudbang.storage.recordings.recordings import Recordings
from cloudbang.storage.traffic.store import TrafficStore
from cloudbang.terminals.files import Files
from cloudbang.terminals.pty_receiver import PtyReceiver
from cloudbang.terminals.registry import Terminals
from cloudbang.web import MAX_BODY, create_app, load_templates
from cloudbang.web.api.search import with_wildcards
from cloudbang.web.api.search_counts import SearchCounts
from cloudbang.web.large_bodies import large_body
from cloudbang.web.live.push import LivePush, Metrics
from cloudbang.web.pages.i18n import say_in
from cloudbang.web.security.authenticator import authenticator_of
from cloudbang.web.security.terminal_access import can_view_terminal
from cloudbang.web.server.http_reader import Limits
from cloudbang.web.server.server import Server
from cloudbang.web.server.socket_handler import SocketRoute
from cloudbang.web.services import Services
from cloudbang.web.sockets.files import PATH as FILES_PATH
from cloudbang.web.sockets.files import FilesEndpoint
from cloudbang.web.sockets.share import PATH as SHARE_PATH
from cloudbang.web.sockets.share import ShareEndpoint
from cloudbang.web.sockets.terminal import TerminalEndpoint
from cloudbang.web.status import Status

log = logging.getLogger(__name__)

PAGE_FIRST = 0.05  # seconds from listening until the engine is asked
# Seconds from SIGTERM to the end, whatever hangs: who stops it waits for 10 s, then kills it (`docker stop`, supervisord).
# Most ends take one, those with somebody who does not read five at most. The rest is for a machine that has no time:
# there what was cut off had only waited for its turn.
STOP_WITHIN = 9.0
ENDING = 1.0  # of these, what the interpreter may take to end
SERVING = 1.5  # and running requests and closing sockets: one who does not read takes all of it
# What an area leaves, however long it hangs itself, to those that are stopped after it.
KEEP_WEB, KEEP_TERMINALS, KEEP_NODE = 5.4, 3.2, 2.6
KEEP_BUS, KEEP_ACCOUNTS, KEEP_STORAGE = 2.2, 1.8, 1.2


class Storage(NamedTuple):
    """What is kept on disk."""

    logs: LogStore
    database: Database
    events: EventStore
    terminals: TerminalStore
    recordings: Recordings
    traffic: TrafficStore
    patterns: PatternCounts


class Bus(NamedTuple):
    """Who is connected to the hub from the start, and where lines come in."""

    publisher: Publisher
    sink: StoreSink
    to_viewers: Subscriber
    intake: LogIntake


class Events(NamedTuple):
    """What happened to apps, on its way into the storage and out of it again."""

    recorder: EventRecorder
    retention: EventRetention


class Node(NamedTuple):
    """What sits beside the engine."""

    engine: Engine
    inventory: Inventory
    names: ContainerNames
    collector: LogCollector
    reaper: Reaper


class Monitoring(NamedTuple):
    """What is measured, from where it is read to who is shown it."""

    store: MetricStore
    series: Series
    sampler: Sampler
    scraper: Scraper
    query: Query


class Deploying(NamedTuple):
    """What moves apps from release to release, and where requests for them go."""

    gateway: Gateway
    sources: Sources
    deployments: Deployments
    webhooks: Webhooks
    operating: Operating
    stacks: Stacks


class TerminalArea(NamedTuple):
    """Sessions, files beside them, and who takes over the terminals of shared commands."""

    sessions: Terminals
    files: Files
    receiver: PtyReceiver


class Web(NamedTuple):
    """What is reached from outside."""

    server: Server
    endpoints: tuple[TerminalEndpoint, ShareEndpoint, FilesEndpoint]


class Application:
    """All areas of one running CloudBang."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        own_log.set_up(settings.log)
        # Reads and searches in threads must not keep the hub from its turn for long.
        sys.setswitchinterval(0.001)
        self._supervisor = Supervisor("cloudbang")
        self._told_to_stop = gevent.event.Event()
        self._stops = StopOrder()
        self.loop_lag = LoopLag()
        self.budget = Budget()
        self.notices = Notices()
        self.server: Server | None = None
        self.setup_token: str | None = None

    def start(self, stop_on: Sequence[signal.Signals] = ()) -> None:
        """Bring everything up and listen. Raises a CloudBangError that says what is wrong.

        ``stop_on``: signals that end it in order as soon as it listens, whatever is yet to be started.
        """
        try:
            self._start(stop_on)
        except BaseException:
            if self.server is not None:
                # It listens since before the rest was there: nobody is to meet what goes away now.
                self.server.stop(SERVING)
            self.stop()
            raise

    def _start(self, stop_on: Sequence[signal.Signals]) -> None:
        keep_large_apart()
        storage = self._open_storage()
        accounts = self._start_accounts(storage)
        bus = self._start_bus(storage)
        events = self._build_events(storage, bus)
        node = self._build_node(storage, bus, events)
        monitoring = self._build_monitoring(storage, bus, node)
        apps = self._load_apps(storage, bus, events, node, monitoring)
        deploy = self._build_deploying(storage, bus, events, node, apps)
        traffic = Traffic(
            *(deploy.gateway.run_folder, storage.traffic, deploy.gateway, monitoring.series),
            rules_of=AddressRules(deploy.deployments),
        )
        deploy.deployments.listen(traffic.deployment_changed)
        alerts = self._build_alerts(storage, bus, events, node, apps, deploy, monitoring, traffic)
        terminals = self._build_terminals(storage, node, events)
        status = Status(node.inventory, self.notices, apps.team_of, accounts.tokens.ending)
        live = self._build_live(
            *(storage, bus, status, apps, accounts, terminals, deploy, monitoring, traffic)
        )
        web = self._build_web(
            *(storage, accounts, bus, events, node, apps, deploy, terminals, live, status),
            alerts,
            monitoring,
            traffic,
        )
        # From here on somebody sees it, and may tell it to stop.
        for number in stop_on:
            gevent.signal_handler(number, self._told_to_stop.set)
        # The page is there before the engine has been asked anything; it says what it waits for.
        web.server.start()
        self.server = web.server
        for run in (
            lambda: self._run_apps(apps),
            lambda: self._run_live(storage, bus, live),
            lambda: self._run_events(events),
            lambda: self._run_node(node),
            lambda: self._run_monitoring(monitoring),
            lambda: self._run_deploying(deploy),
            lambda: self._run_alerts(alerts),
            lambda: self._run_traffic(traffic),
            lambda: self._run_terminals(terminals),
            lambda: self._run_web(web, storage, deploy),
        ):
            if self._told_to_stop.is_set():
                return
            run()
        own_log.tell_of_blocking()

    # -- the areas, from the inside out ---------------------------------------------------------

    def _open_storage(self) -> Storage:
        settings = self.settings.storage
        logs = LogStore(settings.path, settings=settings, notices=self.notices)
        logs.open()
        self._stops.add("the log store", logs.close)
        patterns = PatternCounts(logs)
        self._stops.add("what counts patterns", patterns.stop, KEEP_STORAGE)
        database = Database(settings.path)
        database.open()
        self._stops.add("the database", lambda _: database.close(), KEEP_STORAGE)
        terminals = TerminalStore(database)
        recordings = Recordings(
            settings.path,
            self.settings.terminal,
            keep_free=settings.keep_free_bytes,
            on_removed=terminals.recordings_removed,
        )
        recordings.open()
        self._stops.add("the recordings", recordings.close, KEEP_STORAGE)
        traffic = TrafficStore(settings.path)
        traffic.open()
        self._stops.add("the store of traffic", lambda _: traffic.close(), KEEP_STORAGE)
        return Storage(
            logs, database, EventStore(database), terminals, recordings, traffic, patterns
        )

    def _start_accounts(self, storage: Storage) -> AccountService:
        accounts = AccountService(self.settings, storage.database)
        accounts.start()
        self._stops.add("the accounts", accounts.stop, KEEP_ACCOUNTS)
        self.setup_token = accounts.setup_token
        return accounts

    def _start_bus(self, storage: Storage) -> Bus:
        settings = self.settings.bus
        hub = Hub(settings, self.notices)
        hub.start()
        self._stops.add("the hub", lambda _: hub.stop(), KEEP_BUS)
        publisher = hub.publisher()
        self._stops.add("the publisher", lambda _: publisher.close(), KEEP_BUS)
        to_viewers = hub.subscriber(ours_alone=True, at=settings.sub_from)
        sink = StoreSink(storage.logs, publisher)
        sink.partial_lines.start()
        self._stops.add("the partial lines", sink.partial_lines.stop, KEEP_BUS)
        intake = LogIntake(sink, hub.puts, self.notices)
        return Bus(publisher, sink, to_viewers, intake)

    def _build_events(self, storage: Storage, bus: Bus) -> Events:
        retention = EventRetention(storage.events, self.settings.storage.event_days)
        return Events(EventRecorder(storage.events, bus.publisher, retention.oldest), retention)

    def _build_node(self, storage: Storage, bus: Bus, events: Events) -> Node:
        engine = Engine(self.settings.engine)
        names = ContainerNames(ContainerNameStore(storage.database), storage.logs)
        names.load()
        jobs = DeploymentStore(storage.database).jobs()
        inventory = Inventory(engine, events.recorder, self.notices, names, jobs)
        collector = LogCollector(
            engine,
            inventory,
            bus.sink,
            retention_days=self.settings.storage.retention_days,
            secret_of=self._secrets_of(storage),
        )
        return Node(engine, inventory, names, collector, Reaper(engine))

    def _secrets_of(self, storage: Storage) -> Callable[[Instance], Secret | None]:
        """What no line of a release's containers may have: of every version, whichever they know."""
        secrets = SecretStore(storage.database, self.settings.storage.path)
        return lambda one: pattern_of(secrets.values_of(one.app)) if one.release else None

    def _build_monitoring(self, storage: Storage, bus: Bus, node: Node) -> Monitoring:
        settings, folder = self.settings, self.settings.storage.path
        store = MetricStore(folder, settings.metrics, self.notices)
        store.open()
        self._stops.add("the metrics", store.close, KEEP_STORAGE)
        rates = LogRates()
        storage.logs.on_stored.append(rates.stored)
        series = Series(store, bus.publisher, rates)
        sampler = Sampler(node.engine, node.inventory, series, settings.node, folder=folder)
        kept = Kept(
            int(settings.metrics.ten_seconds_hours * 3600),
            int(settings.metrics.minute_days * 86400),
        )
        scraper = Scraper(node.engine, node.inventory, series)
        return Monitoring(store, series, sampler, scraper, Query(series, store, kept))

    def _load_apps(
        self, storage: Storage, bus: Bus, events: Events, node: Node, monitoring: Monitoring
    ) -> AppRegistry:
        store = AppStore(storage.database)
        forgetting = Forgetting(events.recorder, monitoring.series)
        OutOfMemory(monitoring.series, events.recorder, node.inventory.instances)
        apps = AppRegistry(store, storage.logs, node.inventory, forgetting, bus.publisher)
        apps.load()
        bus.intake.metrics = MetricIntake(apps, monitoring.series)
        # The first to hear of a container: whoever hears of it next may ask whose it is.
        node.inventory.listen(apps.instances_changed)
        return apps

    def _build_deploying(
        self, storage: Storage, bus: Bus, events: Events, node: Node, apps: AppRegistry
    ) -> Deploying:
        routes = RouteStore(storage.database)
        gateway = Gateway(self.settings, node.engine, routes, self.notices, apps.team_of)
        gateway.load()
        store = DeploymentStore(storage.database)
        secrets = SecretStore(storage.database, self.settings.storage.path)
        sources = Sources(node.engine, store, secrets, self.settings, apps.team_of)
        limits = StepLimits.of(self.settings.deploy)
        parts = Parts(node.engine, gateway, sources, store, secrets, limits, apps.team_of)
        around = Around(apps, events.recorder, storage.logs, bus.sink)
        deployments = Deployments(parts, around)
        deployments.load()
        webhooks = Webhooks(WebhookStore(storage.database), secrets, deployments)
        operates = operating(
            *(self.settings, node.engine, node.inventory, storage.database, storage.logs, apps),
            *(events.recorder, gateway, deployments, webhooks),
        )
        compose = Compose(self.settings.storage.path)
        carries = partial(carries_apps, node.engine)
        beside = Beside(AsItIs(parts, deployments).deployment, sources.drop_upload, carries)
        stacks = Stacks(compose, StackStore(storage.database), secrets, deployments, beside)
        sources.awaited = stacks.uploads
        return Deploying(gateway, sources, deployments, webhooks, operates, stacks)

    def _build_alerts(
        self,
        storage: Storage,
        bus: Bus,
        events: Events,
        node: Node,
        apps: AppRegistry,
        deploy: Deploying,
        monitoring: Monitoring,
        traffic: Traffic,
    ) -> Alerts:
        path = self.settings.storage.path
        running, gateway = node.inventory.instances, deploy.gateway
        certificates = Certificates(gateway.certificates, gateway.hosts)
        measured = (
            MetricRules(monitoring.series, apps, lambda: {one.app for one in running()}),
            TrafficRules(traffic.recent, apps, lambda: gateway.apps),
            LogRules(storage.logs, apps, with_wildcards),
            Disks(disks_of(monitoring.series)),
            certificates,
        )
        secrets = SecretStore(storage.database, path)
        around = AroundAlerts(apps, node.inventory, storage.events, events.recorder, measured)
        public = self.settings.server.public_url
        link = f"{public}/alerts" if public else ""
        return Alerts(
            *(storage.database, secrets, around, self.notices, say_in),
            link=link,
            news=AlertNews(bus.publisher),
            backtest=Backtest(
                *(monitoring.query, storage.events, storage.logs, with_wildcards),
                requests=traffic.recent,
                certificates=certificates.known,
            ),
        )

    def _build_terminals(self, storage: Storage, node: Node, events: Events) -> TerminalArea:
        settings, engine, reaper = self.settings.terminal, node.engine, node.reaper
        sessions = Terminals(
            settings,
            storage.terminals,
            TerminalSources(engine, reaper, settings.toolbox_image),
            recordings=storage.recordings if settings.record else None,
            record_action=events.recorder.action,
        )
        node.inventory.listen(sessions.containers_changed)
        files = Files(engine, reaper, settings, events.recorder.action)
        return TerminalArea(sessions, files, PtyReceiver(self.settings.storage.path))

    def _build_live(
        self,
        storage: Storage,
        bus: Bus,
        status: Status,
        apps: AppRegistry,
        accounts: AccountService,
        terminals: TerminalArea,
        deploy: Deploying,
        monitoring: Monitoring,
        traffic: Traffic,
    ) -> LivePush:
        metrics = Metrics(monitoring.series, monitoring.query, Sparks(monitoring.series))
        live = LivePush(
            *(storage.logs, apps, status, bus.to_viewers, self.budget, deploy.deployments),
            metrics,
            traffic=traffic,
            partial_lines=bus.sink.partial_lines.of,
        )
        deploy.deployments.listen(live.deployment_changed)
        apps.listen_deleted(live.lines_deleted)
        apps.listen_new(live.app_begun)
        accounts.listen(live.close_login)
        terminals.sessions.listen(
            lambda session: live.terminal_changed(lambda who: can_view_terminal(who, session))
        )
        return live

    def _build_web(
        self,
        storage: Storage,
        accounts: AccountService,
        bus: Bus,
        events: Events,
        node: Node,
        apps: AppRegistry,
        deploy: Deploying,
        terminals: TerminalArea,
        live: LivePush,
        status: Status,
        alerts: Alerts,
        monitoring: Monitoring,
        traffic: Traffic,
    ) -> Web:
        settings = self.settings.server
        search_counts = SearchCounts()
        apps.listen_deleted(search_counts.lines_deleted)
        app = create_app(
            Services(
                settings=self.settings,
                accounts=accounts,
                apps=apps,
                inventory=node.inventory,
                store=storage.logs,
                events=storage.events,
                recorder=events.recorder,
                live=live,
                collector=node.collector,
                publisher=bus.publisher,
                deployments=deploy.deployments,
                gateway=deploy.gateway,
                sources=deploy.sources,
                webhooks=deploy.webhooks,
                database=storage.database,
                loop_lag=self.loop_lag,
                search_counts=search_counts,
                terminals=terminals.sessions,
                terminal_store=storage.terminals,
                recordings=storage.recordings,
                files=terminals.files,
                budget=self.budget,
                notices=self.notices,
                status=status,
                operating=deploy.operating,
                metrics=monitoring.series,
                metrics_query=monitoring.query,
                stacks=deploy.stacks,
                alerts=alerts,
                traffic=traffic,
                patterns=storage.patterns,
                source_drafts=SourceDrafts(
                    self.settings.storage.path,
                    deploy.sources.git_credentials,
                    self.settings.deploy.allowed_hosts,
                ),
            )
        )
        authenticator = authenticator_of(app)
        console = TerminalEndpoint(terminals.sessions, storage.terminals, authenticator.proxies)
        share = ShareEndpoint(
            terminals.sessions, terminals.receiver, authenticator, accounts.signing_key()
        )
        files = FilesEndpoint(terminals.sessions, terminals.files, authenticator)
        for listener in (console.close_login, share.close_login, files.close_login):
            accounts.listen(listener)
        to_console = console.route(authenticator.authenticate_socket)
        routes = {
            "/websocket": SocketRoute(
                live.serve, authenticator.authenticate_socket, LivePush.subprotocols
            ),
            "/docker_console": to_console,
            "/ws": to_console,
            SHARE_PATH: share.route(),
            FILES_PATH: files.route(),
        }
        server = Server(
            (settings.host, settings.port),
            app,
            routes,
            # A little more than the application takes, so that it can say what is too large; not
            # more, since anybody may make each connection hold so much.
            limits=Limits(connections=settings.max_connections, body_bytes=2 * MAX_BODY),
            is_our_page=authenticator.is_our_page,
            large_body=large_body,
        )
        return Web(server, (console, share, files))

    # -- running, and the order in which it ends ------------------------------------------------

    def _run_apps(self, apps: AppRegistry) -> None:
        apps.start()
        self._stops.add("the apps", apps.stop, KEEP_ACCOUNTS)

    def _run_live(self, storage: Storage, bus: Bus, live: LivePush) -> None:
        live.start()
        self._stops.add("the live push", live.stop, KEEP_BUS)
        bus.intake.start()
        self._stops.add("the intake", bus.intake.stop, KEEP_BUS)

    def _run_events(self, events: Events) -> None:
        events.recorder.start()
        self._stops.add("the events", events.recorder.stop, KEEP_BUS)
        events.retention.start()
        self._stops.add("the events' retention", events.retention.stop, KEEP_BUS)

    def _run_node(self, node: Node) -> None:
        # Who has waited for the page gets it first: asking about each container takes longer.
        node.names.start()
        self._stops.add("the names of containers", node.names.stop, KEEP_ACCOUNTS)
        node.inventory.start(after=PAGE_FIRST)
        self._stops.add("the inventory", node.inventory.stop, KEEP_NODE)
        node.collector.start()
        self._stops.add("the collector", node.collector.stop, KEEP_NODE)
        node.reaper.start()
        self._stops.add("the reaper", node.reaper.stop, KEEP_NODE)

    def _run_monitoring(self, monitoring: Monitoring) -> None:
        monitoring.store.start()
        monitoring.series.start()
        self._stops.add("what is measured", monitoring.series.stop, KEEP_BUS)
        monitoring.sampler.start()
        self._stops.add("the sampler", monitoring.sampler.stop, KEEP_NODE)
        monitoring.scraper.start()
        self._stops.add("what reads exposed metrics", monitoring.scraper.stop, KEEP_NODE)

    def _run_deploying(self, deploy: Deploying) -> None:
        deploy.gateway.start()
        self._stops.add("the gateway", deploy.gateway.stop, KEEP_NODE)
        deploy.deployments.start()
        self._stops.add("the deployments", deploy.deployments.stop, KEEP_NODE)
        deploy.operating.start()
        self._stops.add("what operates apps", deploy.operating.stop, KEEP_NODE)
        deploy.stacks.start()
        self._stops.add("the stacks", deploy.stacks.stop, KEEP_NODE)

    def _run_alerts(self, alerts: Alerts) -> None:
        alerts.start()
        self._stops.add("the alerts", alerts.stop, KEEP_NODE)

    def _run_traffic(self, traffic: Traffic) -> None:
        traffic.start()
        self._stops.add("the traffic", traffic.stop, KEEP_NODE)

    def _run_terminals(self, terminals: TerminalArea) -> None:
        terminals.sessions.start()
        self._stops.add("the terminals", terminals.sessions.stop, KEEP_TERMINALS)
        terminals.receiver.start()
        self._stops.add("the receiver", terminals.receiver.stop, KEEP_TERMINALS)

    def _run_web(self, web: Web, storage: Storage, deploy: Deploying) -> None:
        self._supervisor.run("room", storage.database.keep_room)
        self._supervisor.once("uploads", deploy.sources.sweep)
        self._supervisor.run("loop-lag", self.loop_lag.run)
        self._supervisor.run("memory", MemoryTrim().run)
        self._supervisor.once("templates", load_templates, web.server.application)
        self._stops.add("the loop's watch", self._supervisor.stop, KEEP_WEB)
        for endpoint in web.endpoints:
            self._stops.add("a socket's endpoint", endpoint.stop, KEEP_WEB)
        self._stops.add(
            "the server", lambda deadline: web.server.stop(deadline.at_most(SERVING)), KEEP_WEB
        )

    # -- from outside ---------------------------------------------------------------------------

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
        """Serve until it is told to stop; then stop in order. Gives the exit status."""
        print(f"CloudBang: {self.url}", flush=True)
        self._told_to_stop.wait()
        _end_at_the_latest_in(STOP_WITHIN)
        log.info("stopping")
        self.stop()
        return 0

    def stop(self) -> None:
        """Stop what was started, the outermost area first; 8 s at most, whatever hangs."""
        self._stops.stop(Deadline(STOP_WITHIN - ENDING))
        logging.shutdown()


def _end_at_the_latest_in(seconds: float) -> None:
    """A native thread that ends the process even when the hub hangs. What was stored is stored."""
    sleep = monkey.get_original("time", "sleep")

    def end() -> None:
        sleep(seconds)
        os.write(2, b"cloudbang: something did not stop in time, the process is ended\n")
        os._exit(3)

    monkey.get_original("_thread", "start_new_thread")(end, ())
