"""The web side to test against, over the real store, database, hub and accounts; no engine."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from werkzeug.test import TestResponse

from cloudbang.accounts import AccountService
from cloudbang.apps import AppRegistry
from cloudbang.apps.container_names import ContainerNames
from cloudbang.bus import Hub
from cloudbang.config import Settings
from cloudbang.core.budget import Budget
from cloudbang.core.loop_lag import LoopLag
from cloudbang.core.notices import Notices
from cloudbang.deploy.compose_file import Compose
from cloudbang.deploy.limits import StepLimits
from cloudbang.deploy.operating import operating
from cloudbang.deploy.parts import Parts
from cloudbang.deploy.service import Around, Deployments
from cloudbang.deploy.source_draft import SourceDrafts
from cloudbang.deploy.sources import Sources
from cloudbang.deploy.stacks import Stacks
from cloudbang.deploy.webhooks import Webhooks
from cloudbang.domain.lines import format_time, record
from cloudbang.domain.terminals import Orphan, Source, TerminalTarget
from cloudbang.engine import Engine
from cloudbang.errors import EngineUnreachable
from cloudbang.events.recorder import EventRecorder
from cloudbang.gateway import Gateway
from cloudbang.intake.log_sink import StoreSink
from cloudbang.monitoring.alerts.backtest import Backtest
from cloudbang.monitoring.alerts.news import News as AlertNews
from cloudbang.monitoring.alerts.service import Alerts
from cloudbang.monitoring.alerts.service import Around as AroundAlerts
from cloudbang.monitoring.forgetting import Forgetting
from cloudbang.monitoring.overview import Sparks
from cloudbang.monitoring.query import Query
from cloudbang.monitoring.series import Series
from cloudbang.monitoring.traffic import Traffic
from cloudbang.node.collector import LogCollector
from cloudbang.node.inventory import Inventory
from cloudbang.node.terminals.reaper import Reaper
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
from cloudbang.terminals.registry import Terminals
from cloudbang.web import create_app
from cloudbang.web.api.openapi import describe
from cloudbang.web.api.search import with_wildcards
from cloudbang.web.live.push import LivePush, Metrics
from cloudbang.web.pages.i18n import say_in
from cloudbang.web.services import Services
from cloudbang.web.status import Status

PASSWORD = "correct horse battery"
START = 1_750_000_000_000_000_000  # the time of the first line, in nanoseconds
ONE, TWO = b"0123456789ab", b"ba9876543210"
ANYWHERE = "tcp://127.0.0.1:*"


class NoSources:
    """Of terminals: there is no engine."""

    def new(self, target: TerminalTarget) -> Source:
        raise EngineUnreachable("unix:///none", "there is none")

    def end_orphans(self, orphans: Sequence[Orphan], is_over: Callable[[str], bool]) -> set[str]:
        raise EngineUnreachable("unix:///none", "there is none")


class Description:
    """What the document says of each answer; an answer that says more or less is a failure."""

    def __init__(self, app: Flask) -> None:
        self._paths = app.url_map.bind("localhost")
        self._document = strict(describe(app))
        self._found: dict[str, Any] = {}

    def check(self, answer: TestResponse) -> None:
        """Raises where this answer of the API is not as it is described."""
        request = answer.request
        if not request.path.startswith("/api/") or not answer.is_json:
            return
        if answer.status_code >= 400:
            self._validator("Problem").validate(answer.json)
            assert answer.json["status"] == answer.status_code
            return
        rule, _ = self._paths.match(request.path, request.method, return_rule=True)
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        said = self._document["paths"][path][request.method.lower()]["responses"]
        content = said[str(answer.status_code)]["content"]["application/json"]
        if "schema" in content:
            self._validator(content["schema"]["$ref"].rsplit("/", 1)[1]).validate(answer.json)

    def _validator(self, name: str) -> Any:
        if name not in self._found:
            schema = {
                "$ref": f"#/components/schemas/{name}",
                "components": self._document["components"],
            }
            self._found[name] = OAS31Validator(schema, format_checker=oas31_format_checker)
        return self._found[name]


DESCRIPTIONS: dict[frozenset[str], Description] = {}
"""By the routes of an application: making one takes longer than most tests."""


def strict(document: Any) -> Any:
    """The same, where nothing may be in an object that is not described."""
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return document


class WebGround:
    """The parts, and clients of the application over them."""

    def __init__(self, folder: Path, **changes: dict[str, Any]) -> None:
        values: dict[str, Any] = {
            "storage": {"path": folder},
            "bus": {"bind_sub": ANYWHERE, "bind_pub": ANYWHERE, "bind_pub2": ""},
            "engine": {"host": f"unix://{folder}/no-engine.sock"},
            **changes,
        }
        self.settings = Settings.model_validate(values)
        self.notices = Notices()
        self.store = LogStore(folder, settings=self.settings.storage, notices=self.notices)
        self.store.open()
        self.database = Database(folder)
        self.database.open()
        self.accounts = AccountService(self.settings, self.database)
        self.accounts.start()
        self.hub = Hub(self.settings.bus)
        self.hub.start()
        self.publisher = self.hub.publisher()
        self.events = EventStore(self.database)
        engine = Engine(self.settings.engine)
        self.recorder = EventRecorder(self.events, self.publisher)
        names = ContainerNames(ContainerNameStore(self.database), self.store)
        self.inventory = Inventory(engine, self.recorder, self.notices, names)
        self.metric_store = MetricStore(folder, self.settings.metrics, self.notices)
        self.metric_store.open()
        self.metrics = Series(self.metric_store, self.publisher)
        self.apps = AppRegistry(
            *(AppStore(self.database), self.store, self.inventory),
            Forgetting(self.recorder, self.metrics),
            self.publisher,
        )
        self.apps.load()
        self.inventory.listen(self.apps.instances_changed)
        self.status = Status(
            self.inventory, self.notices, self.apps.team_of, self.accounts.tokens.ending
        )
        self.budget = Budget()
        subscriber = self.hub.subscriber(ours_alone=True)
        self.told: list[tuple[str, str, str, str]] = []  # actions of people
        self.terminal_store = TerminalStore(self.database)
        self.terminals = Terminals(self.settings.terminal, self.terminal_store, NoSources())
        self.terminals.start()
        self.recordings = Recordings(folder, self.settings.terminal)
        self.recordings.open()
        self.deployment_store = DeploymentStore(self.database)
        self.gateway = Gateway(
            self.settings, engine, RouteStore(self.database), self.notices, self.apps.team_of
        )
        self.secrets = SecretStore(self.database, folder)
        self.sources = Sources(
            engine, self.deployment_store, self.secrets, self.settings, self.apps.team_of
        )
        parts = Parts(
            engine,
            self.gateway,
            self.sources,
            self.deployment_store,
            self.secrets,
            StepLimits(),
            self.apps.team_of,
        )
        sink = StoreSink(self.store, self.publisher)
        around = Around(self.apps, self.recorder, self.store, sink)
        self.deployments = Deployments(parts, around)
        self.webhook_store = WebhookStore(self.database)
        stacks = StackStore(self.database)
        self.stacks = Stacks(Compose(folder), stacks, self.secrets, self.deployments)
        self.webhooks = Webhooks(self.webhook_store, self.secrets, self.deployments)
        query = Query(self.metrics, self.metric_store)
        self.traffic_store = TrafficStore(folder)
        self.traffic_store.open()
        self.traffic = Traffic(folder / ".gateway" / "run", self.traffic_store, self.gateway)
        self.live = LivePush(
            *(self.store, self.apps, self.status, subscriber, self.budget, self.deployments),
            Metrics(self.metrics, query, Sparks(self.metrics)),
            traffic=self.traffic,
        )
        self.apps.listen_deleted(self.live.lines_deleted)
        self.deployments.listen(self.live.deployment_changed)
        self.live.start()
        self.operating = operating(
            *(self.settings, engine, self.inventory, self.database, self.store, self.apps),
            *(self.recorder, self.gateway, self.deployments, self.webhooks),
        )
        self.patterns = PatternCounts(self.store)
        self.app = create_app(
            Services(
                settings=self.settings,
                accounts=self.accounts,
                apps=self.apps,
                inventory=self.inventory,
                store=self.store,
                events=self.events,
                recorder=self.recorder,
                live=self.live,
                collector=LogCollector(engine, self.inventory, sink),
                publisher=self.publisher,
                deployments=self.deployments,
                gateway=self.gateway,
                sources=self.sources,
                webhooks=self.webhooks,
                database=self.database,
                loop_lag=LoopLag(),
                terminals=self.terminals,
                terminal_store=self.terminal_store,
                recordings=self.recordings,
                files=Files(engine, Reaper(engine), self.settings.terminal, self._record_action),
                budget=self.budget,
                notices=self.notices,
                status=self.status,
                stacks=self.stacks,
                source_drafts=SourceDrafts(folder, self.sources.git_credentials, ()),
                operating=self.operating,
                alerts=Alerts(
                    self.database,
                    self.secrets,
                    AroundAlerts(self.apps, self.inventory, self.events, self.recorder, ()),
                    self.notices,
                    say_in,
                    news=AlertNews(self.publisher),
                    backtest=Backtest(
                        *(query, self.events, self.store, with_wildcards),
                        requests=self.traffic.recent,
                    ),
                ),
                metrics=self.metrics,
                metrics_query=query,
                traffic=self.traffic,
                patterns=self.patterns,
            )
        )

    @functools.cached_property
    def description(self) -> Description:
        routes = frozenset(map(repr, self.app.url_map.iter_rules()))
        if routes not in DESCRIPTIONS:
            DESCRIPTIONS[routes] = Description(self.app)
        return DESCRIPTIONS[routes]

    def _record_action(self, app: str, container: str, who: str, what: str) -> None:
        self.told.append((app, container, who, what))

    def close(self) -> None:
        self.stacks.stop()
        self.deployments.stop()
        self.terminals.stop()
        self.recordings.close()
        self.live.stop()
        self.patterns.stop()
        self.traffic.stop()
        self.traffic_store.close()
        self.apps.stop()
        self.publisher.close()
        self.hub.stop()
        self.accounts.stop()
        self.database.close()
        self.metric_store.close()
        self.store.close()

    def log(self, app: str, texts: list[str], *, step_ns: int = 1_000_000_000) -> None:
        """Store lines a second apart, by turns of two containers and streams."""
        start = self.store.next_seq(app) - 1
        records = [
            record(
                format_time(START + n * step_ns).encode(),
                ONE if n % 2 else TWO,
                b"stdout" if n % 3 else b"stderr",
                text.encode(),
            )
            for n, text in enumerate(texts, start)
        ]
        self.store.append(app, records)

    def log_of_one(self, app: str, texts: list[str]) -> None:
        """Store lines of one container and stream a millisecond apart, as those of a trace come."""
        start = self.store.next_seq(app) - 1
        self.store.append(
            app,
            [
                record(format_time(START + n * 1_000_000).encode(), ONE, b"stdout", text.encode())
                for n, text in enumerate(texts, start)
            ],
        )

    def nobody(self) -> Client:
        """A client without an account."""
        return Client(self)

    def person(self, name: str = "admin", role: str = "admin") -> Client:
        """A browser signed in to an account, made where there is none yet."""
        if name not in {account.name for account in self.accounts.list()}:
            self.accounts.create(name, PASSWORD, role)
        client = Client(self)
        answer = client.post("/api/v1/session", {"username": name, "password": PASSWORD})
        assert answer.status_code == 204, answer.text
        client.csrf = client.get("/api/v1/me").json["csrf_token"]
        return client

    def program(self, role: str = "admin") -> Client:
        """A program with an API token."""
        client = Client(self)
        client.token, _ = self.accounts.tokens.create("test", role)
        return client


class Client:
    """Asks as a browser (with its cookies) or as a program (with a token)."""

    def __init__(self, ground: WebGround) -> None:
        self.flask: FlaskClient = ground.app.test_client()
        self._description = ground.description
        self.csrf = ""
        self.token = ""

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        headers = dict(options.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if self.csrf and method not in ("GET", "HEAD"):
            headers.setdefault("X-CSRF-Token", self.csrf)
        if body is not None:
            options["json"] = body
        answer = self.flask.open(path, method=method, headers=headers, **options)
        self._description.check(answer)
        return answer

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.ask("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self.ask("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self.ask("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self.ask("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.ask("DELETE", path, **options)
