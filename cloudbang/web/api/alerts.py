"""Alerts over HTTP: who sees an app sees its alerts; who manages a team says who is told of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from cloudbang.accounts import DEFAULT_TEAM, Caller, UnknownTeam
from cloudbang.domain.alerts.incidents import Incident, item_of
from cloudbang.domain.alerts.rules import (
    NoRule,
    Rule,
    condition_json,
    condition_of,
    usual_remind,
)
from cloudbang.domain.lines import format_time
from cloudbang.errors import BadRequest
from cloudbang.monitoring.alerts.errors import (
    AlertField,
    NoSuchIncident,
    NoSuchRule,
)
from cloudbang.monitoring.alerts.service import Alerts
from cloudbang.monitoring.alerts.texts import lines_of, sentence, title_of
from cloudbang.storage.database.alert_rows import Attempt, Message
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import SEQ, json, number, read_body, seq, whole
from cloudbang.web.api.schemas import alerts as shapes
from cloudbang.web.pages.i18n import gettext
from cloudbang.web.security.authenticator import caller, needs
from cloudbang.web.services import services

bp = Blueprint("alerts", __name__, url_prefix="/api/v1/alerts")

SHOWN, MOST = 100, 500
APP = {"app": Parameter({"type": "string"}, "those of one app")}
STATE = {"state": Parameter({"enum": ["open", "resolved"]}, "those that are on, or over")}
LIMIT = {"limit": Parameter(whole(1, MOST, SHOWN), "how many")}
BEFORE = {"before": Parameter(SEQ, "those that are older than the one with this id")}


def _alerts() -> Alerts:
    return services().alerts


# -- what began


@bp.get("")
@operation(gives=shapes.AlertList, query={**APP, **STATE, **LIMIT})
def alerts() -> Response:
    """Alerts, the newest first."""
    state = request.args.get("state", "")
    if state not in ("", "open", "resolved"):
        raise BadRequest("state", state, "open or resolved")
    app = request.args.get("app", "")
    limit = number("limit", 1, MOST) or SHOWN
    store = _alerts().store
    found = store.find(caller().teams("view"), app, state, limit)
    told = store.told_of([one.id for one in found])
    return json({"alerts": [_alert(one, told.get(one.id, [])) for one in found]})


@bp.post("/<int:id>/acknowledgement")
@needs("deploy")
@operation()
def acknowledge(id: int) -> Response:
    """Say that one looks at it: what still was to be sent of it is held back."""
    found = _alerts().store.incident(id)
    if found is None or not caller().can("view", found.team):
        raise NoSuchIncident(id)
    caller().require("deploy", found.team)
    _alerts().acknowledge(id, caller().name)
    return Response(status=204)


# -- rules


@bp.get("/rules")
@operation(gives=shapes.AlertRules)
def rules() -> Response:
    """The rules about the apps that one sees."""
    return json({"rules": [_rule(one) for one in _alerts().settings.rules() if _is_seen(one)]})


@bp.post("/rules")
@needs("manage")
@operation(body=shapes.NewAlertRule, gives=shapes.AlertRule, status=201)
def add_rule() -> Response:
    """Make a rule. One about the apps of all teams is for who manages the installation. Raises AlertField, TooManyOfThem."""
    asked, who = read_body(shapes.NewAlertRule), caller()
    _require(who, asked.team)
    made = Rule(
        id=0,
        team=asked.team,
        app=asked.app,
        name=asked.name,
        condition=_condition(asked.kind, asked.condition),
        severity=asked.severity,
        wait=asked.wait,
        clear=asked.clear,
        remind=usual_remind(asked.severity) if asked.remind is None else asked.remind,
        receivers=_receivers(asked.receivers, asked.team),
        enabled=asked.enabled,
        by=who.name,
    )
    return json(_rule(_alerts().add_rule(made)), 201)


@bp.post("/rules/preview")
@needs("manage")
@operation(body=shapes.AlertRuleTry, gives=shapes.AlertRulePreview)
def preview_rule() -> Response:
    """How often a rule would have been an alert in the last 24 hours, of the apps that one sees. Makes none. Raises AlertField."""
    asked, who = read_body(shapes.AlertRuleTry), caller()
    _require(who, asked.team)
    condition = _condition(asked.kind, asked.condition)
    rule = Rule(0, asked.team, asked.app, "?", condition, "critical", asked.wait, asked.clear)
    apps = services().apps.apps(who.teams("view"))
    names = [one.name for one in apps if one.instances and rule.is_about(one.name, one.team)]
    found = _alerts().preview(rule, sorted(names))
    if found is None:
        nothing: dict[str, Any] = {"apps": [], "now": [], "looked_at": 0, "of": len(names)}
        return json({"since": None, "known": None, **nothing})
    began = [
        {"app": name, "began": [_time(at) for at in times]} for name, times in found.began.items()
    ]
    return json(
        {
            "since": _time(found.since),
            "known": round(found.known, 4),
            "apps": sorted(began, key=lambda one: -len(one["began"])),
            "looked_at": found.looked_at,
            "of": found.of,
            "now": [one._asdict() for one in found.now],
        }
    )


@bp.patch("/rules/<int:id>")
@needs("manage")
@operation(body=shapes.AlertRuleChange, gives=shapes.AlertRule)
def change_rule(id: int) -> Response:
    """Change a rule. Raises AlertField."""
    found = _its_rule(id)
    asked = read_body(shapes.AlertRuleChange)
    given = asked.model_dump(exclude_none=True)
    if asked.condition is not None:
        given["condition"] = _condition(found.kind, asked.condition)
    if asked.receivers is not None:
        given["receivers"] = _receivers(asked.receivers, found.team)
    changed = replace(found, **given)
    _alerts().save_rule(changed)
    return json(_rule(changed))


@bp.delete("/rules/<int:id>")
@needs("manage")
@operation()
def delete_rule(id: int) -> Response:
    """Delete a rule; what it found is over."""
    _alerts().delete_rule(_its_rule(id))
    return Response(status=204)


# -- what was told


@bp.get("/messages")
@operation(gives=shapes.AlertMessages, query={**LIMIT, **BEFORE})
def messages() -> Response:
    """What was sent, what waits, what was held back and why, what failed and why; the newest first."""
    limit = number("limit", 1, MOST) or SHOWN
    teams, store = caller().teams("view"), _alerts().store
    found = store.history(teams, limit, seq("before") or 0)
    attempts = store.attempts([one.id for one in found])
    names = {one.id: one.name for one in _alerts().settings.receivers(teams)}
    shown = [_message(one, names.get(one.receiver, ""), attempts.get(one.id, [])) for one in found]
    return json({"messages": shown, "next": found[-1].id if len(found) == limit else None})


# -- who may


def _is_seen(rule: Rule) -> bool:
    """A rule of the installation's that names an app is for who sees that app."""
    who = caller()
    if rule.team:
        return who.can("view", rule.team)
    return not rule.app or who.can("view", services().apps.owner(rule.app) or DEFAULT_TEAM)


def _require(who: Caller, team: str) -> None:
    """Raises UnknownTeam, Unauthorised."""
    if team and not who.can("view", team):
        raise UnknownTeam(team[:64])
    who.require("manage", team or DEFAULT_TEAM)


def _its_rule(id: int) -> Rule:
    found = _alerts().rule(id)
    if not _is_seen(found):
        raise NoSuchRule(id)
    caller().require("manage", found.team or DEFAULT_TEAM)
    return found


# -- what was asked


def _condition(kind: str, told: dict[str, Any]) -> Any:
    try:
        return condition_of(kind, told)
    except NoRule as e:
        raise AlertField(e.field, e.allowed) from None


def _receivers(ids: list[int], team: str) -> tuple[int, ...]:
    """Raises AlertField where one is not seen, or another team's."""
    seen = {one.id: one.team for one in _alerts().settings.receivers(caller().teams("view"))}
    for id in ids:
        if id not in seen or team not in ("", seen[id]):
            raise AlertField("receivers", "receivers of the same team")
    return tuple(ids)


# -- what is shown


def _rule(one: Rule) -> dict[str, object]:
    who = caller()
    own = {one.id for one in _alerts().settings.receivers(who.teams("view"))}
    return {
        "id": one.id,
        "team": one.team,
        "app": one.app,
        "name": one.name,
        "kind": one.kind,
        "condition": condition_json(one.condition),
        "severity": one.severity,
        "wait": one.wait,
        "clear": one.clear,
        "remind": one.remind,
        "receivers": [id for id in one.receivers if id in own],
        "enabled": one.enabled,
        "by": one.by,
        "created": one.created,
        "may_change": who.can("manage", one.team or DEFAULT_TEAM),
    }


def _alert(one: Incident, told: list[str]) -> dict[str, object]:
    item = item_of(one, "flapping" if one.state == "flapping" else "began")
    return {
        "id": one.id,
        "rule": one.rule,
        "rule_name": gettext(one.rule_name),
        "what": one.what,
        "app": one.app,
        "team": one.team,
        "subject": one.subject,
        "severity": one.severity,
        "state": one.state,
        "began": one.began,
        "ended": one.ended,
        "reminded": one.reminded,
        "text": sentence(item, gettext),
        "acknowledged_by": one.acknowledged_by,
        "acknowledged": one.acknowledged,
        "told": dict(Counter(told)),
        "may_acknowledge": caller().can("deploy", one.team),
    }


def _message(one: Message, receiver: str, attempts: list[Attempt]) -> dict[str, object]:
    return {
        "id": one.id,
        "uid": one.uid,
        "receiver": one.receiver,
        "receiver_name": receiver,
        "kind": one.kind,
        "state": one.state,
        "why": gettext(one.why),
        "created": _time(one.created),
        "due": _time(one.due) if one.state == "pending" else None,
        "finished": None if one.finished is None else _time(one.finished),
        "tries": one.tries,
        "title": title_of(one.items, gettext),
        "lines": lines_of(one.items, gettext),
        "attempts": [
            {
                "time": _time(each.time),
                "accepted": each.accepted,
                "code": each.code,
                "text": gettext(each.text),
            }
            for each in attempts
        ],
    }


def _time(seconds: float) -> str:
    return format_time(int(seconds * 1e9))
