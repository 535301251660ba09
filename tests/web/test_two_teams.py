"""Nobody learns of another team's things: every route, every channel and every socket is tried.

The application is the real one, as it serves. A route, a channel or a socket that somebody adds
fails here until it is named below, with what it owes to who is not of the team.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from cloudbang.deploy.log import log_name
from cloudbang.domain.alerts.incidents import Incident, item_of
from cloudbang.domain.alerts.receivers import Options, Receiver
from cloudbang.domain.alerts.rules import LogCondition, Rule
from cloudbang.domain.deploy.deployment import Deployment, steps_of
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.domain.deploy.stack_run import Part, StackRun
from cloudbang.domain.deploy.webhooks import Filter
from cloudbang.domain.events import Event
from cloudbang.domain.terminals import TerminalTarget
from cloudbang.storage.database.alert_rows import Message
from cloudbang.storage.database.deployments import DeploymentStore
from cloudbang.storage.database.stacks import StackStore
from cloudbang.web.live.base import CHANNELS
from tests.support import patient, wait_until
from tests.terminal_programs import run_terminal
from tests.web.whole_app import CHANGES, NO_ENGINE, PASSWORD, WHEN, WholeApp

pytestmark = NO_ENGINE

APPS = {"default": "red-app", "blue": "blue-app"}
TERMINALS = {"default": "00000000000000aa", "blue": "00000000000000bb"}
ACCOUNTS = {"default": "rosa", "blue": "ben"}  # each manages their own team, and is in no other
TEAMS = [("default", "blue"), ("blue", "default")]

# rule -> what it owes who is not of the team. "app", "terminal": the same answer as for one that
# is not there. "list": only their own. "own": about who asks. "open": about nothing of a team.
# "house": for who manages the installation, which the team "default" does. "name": as "app", but
# for one that is not there: whoever deploys makes it, and names are unique in an installation.
# "deployment": as "app", about one of theirs. "alert": as "app", about a rule, a receiver or an alert.
# "container": the same answer as for one that is not there (tests/web/api/test_operate.py).
# "house": for who manages the installation, which the team "default" does.
ROUTES = {
    "/": "open",
    "/apps": "open",
    "/apps/<app>": "app",
    "/apps/<app>/logs": "app",
    "/apps/<app>/metrics": "app",
    "/apps/<app>/traffic": "app",
    "/apps/<app>/terminal": "app",
    "/apps/<app>/deployments": "app",
    "/apps/<app>/configuration": "app",
    "/new": "open",
    "/deployments": "open",
    "/deployments/<int:id>": "open",
    "/terminals": "open",
    "/terminals/<session>": "open",
    "/terminals/<session>/replay": "open",
    "/settings": "open",
    "/storage": "house",
    "/stacks": "house",
    "/alerts": "open",
    "/logs": "open",
    "/search": "open",
    "/sign-in": "open",
    "/setup": "open",
    "/healthz": "open",
    "/metrics": "list",
    "/static/<path:filename>": "open",
    "/i18n/<lang>.json": "open",
    "/api/v1/openapi.json": "open",
    "/api/v1/status": "list",
    "/api/v1/setup": "open",
    "/api/v1/session": "own",
    "/api/v1/me": "own",
    "/api/v1/me/password": "own",
    "/api/v1/me/marks": "own",
    "/api/v1/me/marks/<int:id>": "own",
    "/api/v1/me/searches": "own",
    "/api/v1/me/searches/<int:id>": "own",
    "/api/v1/sessions": "own",
    "/api/v1/sessions/<session_id>": "own",
    "/api/v1/tokens": "own",
    "/api/v1/tokens/<token_id>": "own",
    "/api/v1/tokens/<token_id>/rotation": "own",
    "/api/v1/accounts": "house",
    "/api/v1/accounts/<int:account_id>": "house",
    "/api/v1/teams": "house",
    "/api/v1/teams/<team>": "house",
    "/api/v1/teams/<team>/members/<int:account_id>": "house",
    "/api/v1/apps": "list",
    "/api/v1/apps/<app>": "app",
    "/api/v1/search": "list",
    "/api/v1/lines": "list",
    "/api/v1/timeline": "list",
    "/api/v1/download": "list",
    "/api/v1/events": "list",
    "/api/v1/patterns": "list",
    "/api/v1/apps/<app>/lines": "app",
    "/api/v1/apps/<app>/download": "app",
    "/api/v1/apps/<app>/seq": "app",
    "/api/v1/apps/<app>/events": "app",
    "/api/v1/apps/<app>/removal": "app",
    "/api/v1/apps/<app>/retention": "app",
    "/api/v1/apps/<app>/retention/preview": "app",
    "/api/v1/apps/<app>/put_away": "app",
    **{f"/api/v1/apps/<app>/{verb}": "app" for verb in ("start", "stop", "restart", "scale")},
    "/api/v1/apps/<app>/redeploy": "app",
    "/api/v1/apps/<app>/metrics": "app",
    "/api/v1/apps/<app>/samples": "app",
    "/api/v1/apps/<app>/advice": "app",
    "/api/v1/apps/<app>/patterns": "app",
    "/api/v1/node/metrics": "open",
    "/api/v1/operations": "own",
    "/api/v1/containers/<container>": "container",
    "/api/v1/containers/<container>/<verb>": "container",
    "/api/v1/containers/<container>/take_over": "container",
    "/api/v1/stacks": "house",
    **{f"/api/v1/stacks/<stack>{way}": "house" for way in ("", "/up", "/down")},
    "/api/v1/storage": "house",
    "/api/v1/storage/plans": "house",
    "/api/v1/storage/plans/<plan_id>": "house",
    "/api/v1/drafts/run_line": "own",
    "/api/v1/drafts/recipe": "own",
    "/api/v1/drafts/compose": "own",
    "/api/v1/drafts/git": "own",
    "/api/v1/stacks/<stack>/deployments": "list",
    "/api/v1/stacks/<stack>/deployments/<int:id>": "list",
    "/api/v1/credentials": "list",
    "/api/v1/credentials/<kind>/<host>": "list",
    "/api/v1/apps/<app>/deployments": "name",
    "/api/v1/apps/<app>/plan": "name",
    "/api/v1/apps/<app>/deployed": "app",
    "/api/v1/apps/<app>/traffic": "app",
    "/api/v1/apps/<app>/releases": "app",
    "/api/v1/apps/<app>/releases/<int:number>/changes": "app",
    "/api/v1/apps/<app>/secrets": "app",
    "/api/v1/apps/<app>/webhooks": "app",
    "/api/v1/apps/<app>/webhooks/<int:number>": "app",
    "/api/v1/apps/<app>/webhooks/<int:number>/secret": "app",
    "/api/v1/alerts": "list",
    "/api/v1/alerts/<int:id>/acknowledgement": "alert",
    "/api/v1/alerts/rules": "list",
    "/api/v1/alerts/rules/preview": "list",
    "/api/v1/alerts/rules/<int:id>": "alert",
    "/api/v1/alerts/receivers": "list",
    "/api/v1/alerts/receivers/<int:id>": "alert",
    "/api/v1/alerts/receivers/<int:id>/test": "alert",
    "/api/v1/alerts/messages": "list",
    "/api/v1/alerts/sign_of_life": "house",
    "/api/v1/deployments": "list",
    "/api/v1/deployments/<int:deployment_id>": "deployment",
    "/api/v1/deployments/<int:deployment_id>/lines": "deployment",
    "/api/v1/deployments/<int:deployment_id>/download": "deployment",
    "/api/v1/deployments/<int:deployment_id>/seq": "deployment",
    "/api/v1/deployments/<int:deployment_id>/comparison": "deployment",
    "/api/v1/swarm": "house",
    "/api/v1/webhooks/<key>": "open",
    "/api/v1/terminals": "list",
    "/api/v1/terminals/history": "list",
    "/api/v1/terminals/<session>": "terminal",
    "/api/v1/terminals/<session>/recording": "terminal",
    "/api/v1/terminals/<session>/folder": "terminal",
    "/api/v1/terminals/<session>/files": "terminal",
    "/api/v1/terminals/<session>/links": "terminal",
}
LISTED = {
    *("log/<app>", "event/<app>", "traffic/<app>", "app/*", "terminal/*", "status"),
    *("alert/*", "partial/<app>"),
    *("metric/<app>", "metric/*"),
    *("deployment/<id>", "deployment/*"),
}
SOCKETS = {"/websocket", "/docker_console", "/ws", "/terminal_share", "/terminal_files"}


class House(WholeApp):
    """The whole of it with two teams, each with an app, lines, an event and a terminal."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        accounts = self.parts.accounts
        accounts.teams.create("blue")
        accounts.create("rosa", PASSWORD, "admin")
        ben = accounts.create("ben", PASSWORD, "viewer")
        accounts.set_role(ben.id, "admin", "blue")
        accounts.set_role(ben.id, None)
        self.deployments: dict[str, int] = {}
        self.hooks: dict[str, int] = {}
        self.alerts: dict[str, dict[str, int]] = {}
        self.secrets = {team: self.sign_in(name) for team, name in ACCOUNTS.items()}
        for team, app in APPS.items():
            self.parts.apps.create(app, team, "put")
            self.log(app, f"a secret of {app}")
            self.parts.events.add(Event(app, WHEN, "start", "0" * 12))
            owner = accounts.credentials.find(self.secrets[team])
            run_terminal(self.parts.terminals, TERMINALS[team], owner, app, team)
            self.deployments[team] = self._deployed(app)
            self.parts.apps.other_logs.keep(log_name(self.deployments[team]), team)
            self.log(log_name(self.deployments[team]), f"a secret of {app}")
            hook, _ = self.parts.webhooks.make(app, "plain", Filter(), "somebody")
            self.hooks[team] = hook.id
            self.alerts[team] = self._alert(app, team)

    def _alert(self, app: str, team: str) -> dict[str, int]:
        """A rule, a receiver, and an alert that it was told of; their ids by the rest of the path."""
        alerts = self.parts.alerts
        rule = alerts.add_rule(Rule(0, team, app, f"of {app}", LogCondition("x", 1, 0)))
        address = {"address": f"https://{app}.example/hook"}
        told = alerts.add_receiver(Receiver(0, team, f"of {app}", "webhook", Options()), address)
        (began,) = alerts.store.save(
            [
                Incident(
                    *(0, rule.id, rule.name, "log", app, team, "", "warning", "resolved"),
                    *(WHEN, WHEN, {"count": 1, "text": "x", "minutes": 5}),
                )
            ]
        )
        message = Message(0, app, told.id, team, "alert", (item_of(began, "began"),), 1.0, 1.0)
        alerts.store.add(replace(message, state="held"))
        return {"rules": rule.id, "receivers": told.id, "": began.id}

    def _deployed(self, app: str) -> int:
        """A deployment that has failed."""
        store = DeploymentStore(self.parts.database)
        release = Release(app, 0, read_spec({"image": "nginx:1"})[0], "sha256:1")
        made = Deployment(0, app, 0, 0, None, "somebody", WHEN, steps_of("image"))
        _, made = store.add(release, made, {"kind": "image"})
        store.save(made.begin().fail(Failure("exited"), WHEN).settle())
        return made.id

    def ask_as(self, team: str, path: str, method: str = "GET", **options: Any) -> Any:
        cookie = self.secrets[team]
        headers = dict(options.pop("headers", {}))
        if method in CHANGES:
            headers["X-CSRF-Token"] = self.ask("/api/v1/me", cookie=cookie).json["csrf_token"]
            if options.setdefault("json", {}) is None:
                del options["json"]
        return self.ask(path, method, cookie=cookie, headers=headers, **options)

    def routes(self) -> Iterator[tuple[Any, str]]:
        return (
            (rule, method) for rule, method in self.rules() if method not in ("HEAD", "OPTIONS")
        )

    def socket_as(self, team: str, path: str = "/websocket", **options: Any) -> Any:
        return self.socket(path, {"Cookie": f"cloudbang_session={self.secrets[team]}"}, **options)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("teams"))
    yield made
    made.close()


def names_of(team: str) -> list[bytes]:
    """What would give away that there is something of this team."""
    return [APPS[team].encode(), TERMINALS[team].encode()]


def said(answer: Any) -> str:
    """All that an answer says, but for the token that each page has anew."""
    return re.sub(r'name="csrf-token" content="[^"]*"', "", answer.text)


def test_every_route_is_named_here(house: House) -> None:
    """With what it owes; the table has none that is gone."""
    assert {rule.rule for rule, _ in house.routes()} == set(ROUTES)


@pytest.mark.parametrize(("team", "other"), TEAMS)
def test_an_app_of_another_team_is_not_there(house: House, team: str, other: str) -> None:
    """Each route about an app answers 404, word for word as for an app that is not there."""
    tried = 0
    for rule, method in house.routes():
        if ROUTES[rule.rule] != "app":
            continue
        theirs, nobodys = APPS[other], "x" * len(APPS[other])
        for accept in ("application/json", "text/html"):
            query, headers = {"time": WHEN}, {"Accept": accept}
            answers = [
                house.ask_as(
                    team,
                    house.path(rule, app=name, number=1),
                    method,
                    query_string=query,
                    headers=headers,
                )
                for name in (theirs, nobodys)
            ]
            assert answers[0].status_code == 404, f"{method} {rule.rule}"
            assert said(answers[0]).replace(theirs, nobodys) == said(answers[1])
            assert b"a secret" not in answers[0].data
        own = house.path(rule, app=APPS[team], number=1)
        if method == "GET":
            assert house.ask_as(team, own, query_string=query).status_code < 400, own
        tried += 1
    assert tried > 10


@pytest.mark.parametrize(("team", "other"), TEAMS)
def test_a_name_that_another_team_has_is_taken(house: House, team: str, other: str) -> None:
    """Who deploys under it is told no more than that it is not theirs."""
    tried = 0
    for rule, method in house.routes():
        if ROUTES[rule.rule] == "name":
            answer = house.ask_as(team, house.path(rule, app=APPS[other]), method)
            assert (answer.status_code, answer.json["code"]) == (404, "no-such-app"), rule.rule
            tried += 1
    assert tried >= 2


# who asks, for which app, with which team named -> the answer, and what it names.
NEW = [
    ("blue", "new-app", "", 200, None),
    ("blue", "new-app", "blue", 200, None),
    ("blue", "new-app", "default", 404, "not-found"),
    ("blue", "new-app", "nowhere", 404, "not-found"),
    ("blue", "blue-app", "", 200, None),
    ("blue", "blue-app", "blue", 200, None),
    ("blue", "blue-app", "nowhere", 409, "another-teams-app"),
    ("blue", "red-app", "blue", 404, "no-such-app"),
    ("blue", "red-app", "default", 404, "no-such-app"),
    ("default", "new-app", "", 200, None),
    ("default", "new-app", "blue", 404, "not-found"),
    ("either", "new-app", "", 200, None),
    ("either", "new-app", "blue", 200, None),
    ("either", "blue-app", "", 200, None),
    ("either", "blue-app", "default", 409, "another-teams-app"),
    ("two others", "new-app", "", 422, "team-missing"),
    ("two others", "new-app", "green", 200, None),
    ("two others", "new-app", "default", 403, "not-allowed"),
    ("two others", "red-app", "", 403, "not-allowed"),
    ("two others", "red-app", "green", 403, "not-allowed"),
]
ROLES = {
    "either": {"default": "admin", "blue": "admin"},
    "two others": {"default": "viewer", "blue": "admin", "green": "admin"},
}


@pytest.fixture(scope="module")
def everybody(house: House) -> House:
    """The house, with people of several teams."""
    accounts = house.parts.accounts
    accounts.teams.create("green")
    for name, roles in ROLES.items():
        made = accounts.create(name, PASSWORD, "viewer")
        for team, role in roles.items():
            accounts.set_role(made.id, role, team)
        house.secrets[name] = house.sign_in(name)
    return house


@pytest.mark.parametrize(("who", "app", "team", "status", "code"), NEW)
def test_the_team_of_an_app(
    everybody: House, who: str, app: str, team: str, status: int, code: str | None
) -> None:
    """A new one's is the one that is named, `default`, or the only one; one that is there stays its
    team's. It is the same for a plan, a deployment, and one whose folder is sent with it."""
    body = {"spec": {"image": "nginx:1"}} | ({"team": team} if team else {})
    form = {"spec": '{"build": {}}'} | ({"team": team} if team else {})
    path, sent = f"/api/v1/apps/{app}", {"json": None, "content_type": "multipart/form-data"}
    answers = [
        everybody.ask_as(who, f"{path}/plan", "POST", json=body),
        everybody.ask_as(who, f"{path}/plan", "POST", data=form, **sent),
        everybody.ask_as(who, f"{path}/deployments", "POST", json=body),
        everybody.ask_as(who, f"{path}/deployments", "POST", data=form, **sent),
    ]
    if status == 200:  # there is no engine, which is the first thing that is asked for
        assert [answer.status_code for answer in answers] == [200, 200, 503, 503]
    else:
        assert [(one.status_code, one.json["code"]) for one in answers] == [(status, code)] * 4
    if code == "team-missing":
        assert answers[0].json["field"] == "team"
        assert "blue, green" in answers[0].json["detail"]
    if code == "another-teams-app":
        assert answers[0].json["team"] in answers[0].json["detail"]
    assert everybody.parts.apps.owner("new-app") is None  # of which nothing was begun


@pytest.mark.parametrize("who", ["blue", "default"])
def test_a_team_that_is_not_seen_is_not_there(house: House, who: str) -> None:
    """Word for word."""
    other = {"blue": "default", "default": "blue"}[who]
    asked = {"spec": {"image": "nginx:1"}}
    said = [
        house.ask_as(who, "/api/v1/apps/new-app/plan", "POST", json=asked | {"team": team}).text
        for team in (other, "nowhere")
    ]
    assert said[0].replace(other, "nowhere") == said[1]


def test_a_stack_is_one_teams(everybody: House) -> None:
    """Also the apps of it that are not there yet; who sees neither sees no run of it."""
    path = "/api/v1/stacks/new/deployments"
    asked = {"services": [{"name": "web", "spec": {"image": "nginx:1"}}]}
    for who, team, status in (
        ("blue", "", 503),
        ("blue", "default", 404),
        ("two others", "", 422),
        ("two others", "green", 503),
        ("two others", "default", 403),
    ):
        answer = everybody.ask_as(who, path, "POST", json=asked | {"team": team})
        assert answer.status_code == status, (who, team)
    everybody.parts.apps.create("new.db", "blue", "put")
    asked["services"].append({"name": "db", "spec": {"image": "nginx:1"}})
    for who, team, status in (
        ("two others", "", 503),  # its team is that of what is there
        ("two others", "green", 409),
        ("default", "", 404),
    ):
        answer = everybody.ask_as(who, path, "POST", json=asked | {"team": team})
        assert answer.status_code == status, (who, team)
    parts = (Part("web", "later.web"),)
    run = StackStore(everybody.parts.database).add(
        StackRun(0, "later", "ben", False, WHEN, parts, "blue")
    )
    path = "/api/v1/stacks/later/deployments"
    for who, seen in (("blue", True), ("default", False), ("either", True)):
        assert len(everybody.ask_as(who, path).json["runs"]) == seen
        assert everybody.ask_as(who, f"{path}/{run.id}").status_code == (200 if seen else 404)


@pytest.mark.parametrize(("team", "other"), TEAMS)
def test_a_deployment_of_another_team_is_not_there(house: House, team: str, other: str) -> None:
    """Each call about one answers 404, word for word as for one that is not there."""
    tried = 0
    for rule, method in house.routes():
        if ROUTES[rule.rule] != "deployment":
            continue
        theirs = house.deployments[other]
        answers = [
            house.ask_as(
                *(team, house.path(rule, deployment_id=id), method), query_string={"time": WHEN}
            )
            for id in (theirs, 9)
        ]
        assert answers[0].status_code == 404, f"{method} {rule.rule}"
        assert said(answers[0]).replace(f" {theirs}:", " 9:") == said(answers[1])
        own = house.path(rule, deployment_id=house.deployments[team])
        if method == "GET":
            assert house.ask_as(team, own, query_string={"time": WHEN}).status_code == 200
        tried += 1
    assert tried >= 5
    with house.socket_as(team) as socket:
        refused = subscribe(socket, f"deployment/{house.deployments[other]}")
        assert (refused["op"], refused["code"]) == ("error", "no-such-deployment")
        assert subscribe(socket, f"deployment/{house.deployments[team]}")["op"] == "subscribed"
        assert hear(socket)["deployment"]["app"] == APPS[team]
        assert subscribe(socket, "deployment/*")["op"] in ("subscribed", "lines")
    with house.socket_as(team) as socket:
        subscribe(socket, "deployment/*")
        first = hear(socket)["deployments"]
        assert [one["id"] for one in first] == [house.deployments[team]]


@pytest.mark.parametrize(("team", "other"), TEAMS)
def test_a_terminal_of_another_team_is_not_there(house: House, team: str, other: str) -> None:
    """Each call about a terminal answers 404, as for one that is not there."""
    tried = 0
    for rule, method in house.routes():
        if ROUTES[rule.rule] != "terminal":
            continue
        theirs, nobodys = TERMINALS[other], "00000000000000cc"
        query = {"path": "/etc/passwd"}
        body = {"mode": "watch"}
        answers = [
            house.ask_as(team, house.path(rule, session=one), method, query_string=query, json=body)
            for one in (theirs, nobodys)
        ]
        assert answers[0].status_code == 404, f"{method} {rule.rule}"
        assert said(answers[0]).replace(theirs, nobodys) == said(answers[1])
        tried += 1
    assert tried >= 7


@pytest.mark.parametrize(("team", "other"), TEAMS)
def test_an_alert_of_another_team_is_not_there(house: House, team: str, other: str) -> None:
    """Nor is a rule or a receiver: 404, word for word as for one that is not there."""
    tried = 0
    for rule, method in house.routes():
        if ROUTES[rule.rule] != "alert":
            continue
        kind = rule.rule.removeprefix("/api/v1/alerts/").partition("<")[0].strip("/")
        theirs = house.alerts[other][kind]
        answers = [
            house.ask_as(team, house.path(rule, id=id), method, json={"name": "y"})
            for id in (theirs, 999)
        ]
        assert answers[0].status_code == 404, f"{method} {rule.rule}"
        assert said(answers[0]).replace(f" {theirs}:", " 999:") == said(answers[1])
        tried += 1
    assert tried >= 6
    for path in ("/api/v1/alerts", "/api/v1/alerts/rules", "/api/v1/alerts/messages"):
        assert APPS[team].encode() in house.ask_as(team, path).data, path


@pytest.mark.parametrize(("team", "other"), TEAMS)
def test_a_rule_is_tried_on_the_own_apps_alone(house: House, team: str, other: str) -> None:
    """Neither another team's name nor that of its app says anything of them."""
    condition = {"occurrence": "died"}
    body = {"kind": "event", "condition": condition, "team": team}
    for app in (APPS[other], "nobody"):
        answer = house.ask_as(
            team, "/api/v1/alerts/rules/preview", "POST", json={**body, "app": app}
        )
        assert (answer.status_code, answer.json["of"]) == (200, 0)
    refused = [
        house.ask_as(team, "/api/v1/alerts/rules/preview", "POST", json={**body, "team": one})
        for one in (other, "nobody")
    ]
    assert {one.status_code for one in refused} == {404}
    assert said(refused[0]).replace(other, "nobody") == said(refused[1])


@pytest.mark.parametrize(("team", "other"), TEAMS)
def test_no_answer_names_another_teams_things(house: House, team: str, other: str) -> None:
    """Lists, feeds, metrics, numbers: only their own; and their own they do have."""
    for rule, method in house.routes():
        if method != "GET" or ROUTES[rule.rule] in ("app", "terminal", "deployment", "alert"):
            continue
        path = house.path(rule, session="x1")
        for query in ({}, {"all": "1"}, {"state": "gone"}, {"app": APPS[other]}):
            answer = house.ask_as(team, path, query_string=query)
            if answer.status_code == 404 and "app" in query:  # word for word as of none at all
                nobodys = "x" * len(APPS[other])
                none = house.ask_as(team, path, query_string={"app": nobodys})
                assert said(answer).replace(APPS[other], nobodys) == said(none), path
                continue
            for name in names_of(other):
                assert name not in answer.data, f"{path} {query}"
    for path in ("/api/v1/apps", "/metrics"):
        assert APPS[team].encode() in house.ask_as(team, path).data, path
    for path in ("/api/v1/terminals", "/api/v1/terminals/history"):
        assert TERMINALS[team].encode() in house.ask_as(team, path).data, path
    assert (
        house.ask_as(team, "/api/v1/status").json["storage"]["lines"] == 2
    )  # of the app, of its deployment


TOTALS = ("apps", "instances_running", "log_bytes", "log_lines", "events_recorded", "terminals")


def test_totals_of_all_teams_are_for_who_sees_them_all(house: House) -> None:
    """Who knows the sum and its own part knows the other team's; without an account one may be
    somebody of any team. How the process does is for everybody."""
    prometheus, _ = house.token("prometheus", "viewer")
    everything = house.ask("/metrics", headers=prometheus).text
    asked = [house.ask_as(team, "/metrics").text for team in ACCOUNTS]
    asked.append(house.ask("/metrics").text)
    for name in TOTALS:
        total = re.compile(f"^cloudbang_{name}(_total|_opened)? ", re.M)
        assert total.search(everything), name
        assert not any(total.search(answer) for answer in asked), name
    for answer in (everything, *asked):
        assert "cloudbang_engine_up 0.0" in answer
    assert all(app in everything for app in APPS.values())


def test_the_installation_is_managed_by_its_own_team(house: House) -> None:
    """Accounts, and what belongs to no app: 403 for who manages another team only."""
    for rule, method in house.routes():
        if ROUTES[rule.rule] == "house":
            answer = house.ask_as("blue", house.path(rule), method)
            assert (answer.status_code, answer.json["code"]) == (403, "not-allowed")
    assert house.ask_as("default", "/api/v1/accounts").status_code == 200


def test_every_channel_and_socket_is_named_here(house: House) -> None:
    """Those that are tried below are those there are."""
    assert set(CHANNELS) == LISTED
    assert set(house.server.routes) == SOCKETS


def hear(socket: ClientConnection, timeout: float = 5.0) -> Any:
    return orjson.loads(socket.recv(timeout=patient(timeout)))


def everything(
    socket: ClientConnection, enough: Callable[[list[Any]], object] = lambda _: True
) -> list[Any]:
    """What comes until it is enough, and then nothing has come for a second."""
    heard: list[Any] = []
    began = time.monotonic()
    while True:
        try:
            heard.append(orjson.loads(socket.recv(timeout=1.0)))
        except TimeoutError:
            if enough(heard) or time.monotonic() - began > patient(20):
                return heard


OWN = {"app": 1, "activity": 1, "changed": 3}
"""How many messages of each kind a team hears of what is told about both."""


def subscribe(socket: ClientConnection, channel: str) -> Any:
    """The answer; what still comes on other channels is passed over."""
    socket.send(orjson.dumps({"op": "subscribe", "channel": channel, "tail": 10}).decode())
    while (heard := hear(socket))["channel"] != channel:
        pass  # what others are pushed meanwhile
    return heard


@pytest.mark.parametrize(("team", "other"), TEAMS)
def test_channels_of_an_app_are_its_teams(house: House, team: str, other: str) -> None:
    """The other team's answer as if there were no such app."""
    with house.socket_as(team) as socket:
        for channel in CHANNELS:
            if "<app>" not in channel:
                continue
            refused = subscribe(socket, channel.replace("<app>", APPS[other]))
            assert (refused["op"], refused["code"]) == ("error", "no-such-app")
            nobody = subscribe(socket, channel.replace("<app>", "x" * len(APPS[other])))
            told = orjson.dumps(refused).replace(APPS[other].encode(), b"x" * len(APPS[other]))
            assert told == orjson.dumps(nobody)
            assert subscribe(socket, channel.replace("<app>", APPS[team]))["op"] == "subscribed"
            if channel.startswith("log/"):
                assert hear(socket)["lines"][0][4] == f"a secret of {APPS[team]}"


@pytest.mark.parametrize(("team", "other"), TEAMS)
def test_feeds_tell_of_the_own_teams_only(house: House, team: str, other: str) -> None:
    """At the start, at each change, once a second, and when an app is removed."""
    parts = house.parts
    with house.socket_as(team) as socket:
        subscribe(socket, "app/*")
        first = hear(socket)
        assert [app["name"] for app in first["apps"]] == [APPS[team]]
        subscribe(socket, "terminal/*")
        hear(socket)
        subscribe(socket, "status")
        hear(socket)
        subscribe(socket, "alert/*")
        hear(socket)
        wait_until(lambda: parts.publisher.wanted("activity/"))
        wait_until(lambda: parts.publisher.wanted("alert/"))
        for whose in (other, team, ""):
            parts.alerts._news.changed("alerts", whose)
        for app in (APPS[other], APPS[team]):
            parts.publisher.send(f"app/{app}/", b'{"v":1,"kind":"app"}', b"{}")
            activity = orjson.dumps({app: [1, 1, None]})
            parts.publisher.send("activity/", b'{"v":1}', activity)
            parts.publisher.send(f"event/{app}/", b'{"v":1}', b"{}")
        header = orjson.dumps({"v": 1, "kind": "removed", "team": other})
        parts.publisher.send("app/removed-app/", header, b"{}")
        for which in (TERMINALS[other], TERMINALS[team]):
            parts.terminals._changed(parts.terminals.get(which))
        heard = everything(
            socket, lambda heard: Counter(one["op"] for one in heard) >= Counter(OWN)
        )
        ops = [one["op"] for one in heard]
        assert ops.count("app") == 1
        by_channel = [one["channel"] for one in heard if one["op"] == "changed"]
        assert sorted(by_channel) == ["alert/*", "alert/*", "terminal/*"]
        assert "activity" in ops
        assert "removed" not in ops
        text = orjson.dumps(heard)
        assert not any(name in text for name in names_of(other))


def test_a_notice_about_an_app_is_for_its_team(house: House) -> None:
    """That its folder takes no lines is not told to who may not know that there is such an app."""
    path = str(house.parts.store.root / "blue" / APPS["blue"])
    both = house.parts.accounts.create("both", PASSWORD, "viewer")
    house.parts.accounts.set_role(both.id, "viewer", "blue")
    house.secrets["both"] = house.sign_in("both")
    with house.socket_as("default") as socket:
        subscribe(socket, "status")
        hear(socket)
        held = house.parts.notices
        held.begin("storage-app-failed", f"cannot use {path}", app=APPS["blue"], path=path)
        held.begin("storage-failed", "cannot use it", path=str(house.parts.store.root))
        shown = hear(socket)["notices"]
        assert [n["code"] for n in shown if n["code"].startswith("storage")] == ["storage-failed"]
        assert APPS["blue"] not in str(shown)
        assert APPS["blue"].encode() not in house.ask_as("default", "/api/v1/status").data
        assert path.encode() in house.ask_as("both", "/api/v1/status").data
    held.end("storage-app-failed")
    held.end("storage-failed")


@pytest.mark.parametrize(("team", "other"), TEAMS)
def test_sockets_of_terminals(house: House, team: str, other: str) -> None:
    """Neither a ticket nor an id nor a link leads into another team's terminal or container."""
    terminals = house.parts.terminals
    link = terminals.link(terminals.get(TERMINALS[other]), "type")
    target = TerminalTarget("00000000000000dd", other, APPS[other], "0" * 64)
    mine = house.parts.accounts.credentials.find(house.secrets[team])
    for path in ("/docker_console", "/ws"):
        ticket = terminals._tickets.give(target, mine.login)
        asked: list[dict[str, str]] = [
            {"session": TERMINALS[other]},
            {"session": TERMINALS[other], "key": link},
            {"T_id": other, "S_id": APPS[other], "C_id": "0" * 64, "Md5": ticket.md5},
        ]
        for first in asked:
            with house.socket_as(team, path, subprotocols=["cloudbang.tty.v1"]) as socket:
                socket.send(orjson.dumps(first).decode())
                refused = hear(socket)
                assert refused["op"] == "error", first
                assert refused["code"] in ("no-such-terminal", "no-such-app"), first
    with house.socket_as(team, "/terminal_files", subprotocols=["cloudbang.files.v1"]) as socket:
        put = {"op": "put", "session": TERMINALS[other], "folder": "/", "name": "a", "size": 1}
        socket.send(orjson.dumps(put).decode())
        assert hear(socket)["code"] == "no-such-terminal"


def test_a_command_of_the_host_is_shared_by_the_installation_only(house: House) -> None:
    """A person may not at all; a token without an account may, and it is the machine's own."""
    for team in ACCOUNTS:
        with house.socket_as(team, "/terminal_share") as socket:
            socket.send(orjson.dumps({"op": "share", "command": ["sh"]}).decode())
            assert hear(socket)["code"] == "not-allowed"


def test_who_loses_a_team_loses_its_sockets(house: House) -> None:
    """Within 2 s, as who is demoted does; what is left of the session is the other team's."""
    accounts = house.parts.accounts
    eve = accounts.create("eve", PASSWORD, "viewer")
    accounts.set_role(eve.id, "viewer", "blue")
    house.secrets["eve"] = house.sign_in("eve")
    with house.socket_as("eve") as socket:
        assert subscribe(socket, f"log/{APPS['blue']}")["op"] == "subscribed"
        hear(socket)
        accounts.set_role(eve.id, None, "blue")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=patient(2))
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 4401


def test_who_followed_an_app_does_not_follow_another_teams_of_its_name(house: House) -> None:
    """It was deleted, and the name is another team's app: whoever may see that goes on, the others are told
    that there is none, and no line or event of it."""
    parts, name = house.parts, "moves"
    accounts = parts.accounts
    nora = accounts.create("nora", PASSWORD, "viewer")
    accounts.set_role(nora.id, "viewer", "blue")
    house.secrets["nora"] = house.sign_in("nora")
    parts.apps.create(name, "blue")
    house.log(name, "of blue")
    follows = [one.replace("<app>", name) for one in sorted(CHANNELS) if "<app>" in one]
    with house.socket_as("blue") as blue, house.socket_as("nora") as of_both:
        with house.socket_as("blue") as asks:
            for channel in follows:
                assert subscribe(blue, channel)["op"] == "subscribed"
                assert subscribe(of_both, channel)["op"] == "subscribed"
            query = {"op": "subscribe", "channel": f"log/{name}", "query": "secret"}
            asks.send(orjson.dumps(query).decode())
            assert hear(asks)["op"] == "subscribed"
            everything(blue)
            everything(of_both)
            parts.apps.delete(name)
            parts.apps.create(name, "default")
            house.log(name, "a secret of default")
            parts.publisher.send(f"event/{name}/", b'{"v":1}', b'{"id":99999999,"app":"moves"}')
            told = everything(blue, lambda told: str(told).count("no-such-app") >= len(follows))
            errors = [one["channel"] for one in told if one.get("code") == "no-such-app"]
            assert sorted(errors) == follows
            for one in (*told, *everything(asks)):
                assert b"secret" not in orjson.dumps(one)
                assert one["op"] in ("error", "gap"), one
        seen = everything(of_both, lambda seen: "a secret of default" in str(seen))
        assert "no-such-app" not in str(seen)
        assert "a secret of default" in str(seen)


@pytest.mark.parametrize(("team", "other"), TEAMS)
def test_the_last_values_are_of_the_own_teams_apps(house: House, team: str, other: str) -> None:
    """At the start and at each second; and the node's, which name nobody."""
    publisher = house.parts.publisher
    with house.socket_as(team) as socket:
        subscribe(socket, "metric/*")
        assert hear(socket)["op"] == "overview"
        wait_until(lambda: publisher.wanted("overview/"))
        for cpu in (0.5, 0.75):
            body = {"apps": {app: [cpu, 4096] for app in APPS.values()}, "node": [["cpu", {}, 1]]}
            publisher.send("overview/", b'{"v":1,"time":1764444600}', orjson.dumps(body))
        told: list[Any] = []
        while {APPS[team]: [0.75, 4100]} not in told:
            told.append(hear(socket)["apps"])
        assert {APPS[team]: [0.5, 4100]} in told
        assert APPS[other] not in str(told)
    with house.socket_as(team) as socket:
        subscribe(socket, "metric/*")
        assert APPS[other].encode() not in orjson.dumps(hear(socket))
