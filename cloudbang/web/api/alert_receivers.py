"""Who is told of alerts, over HTTP: made and changed by who manages a team; and the sign of life."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response

from cloudbang.accounts import DEFAULT_TEAM, UnknownTeam
from cloudbang.domain.alerts import receivers as domain
from cloudbang.domain.lines import format_time
from cloudbang.monitoring.alerts.errors import AlertField, NoSuchReceiver
from cloudbang.monitoring.alerts.service import Alerts
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json, read_body
from cloudbang.web.api.schemas import alerts as shapes
from cloudbang.web.pages.i18n import gettext
from cloudbang.web.security.authenticator import caller, needs
from cloudbang.web.services import services

bp = Blueprint("alert_receivers", __name__, url_prefix="/api/v1/alerts")

SECRETS = ("address", "secret", "password")


def _alerts() -> Alerts:
    return services().alerts


@bp.get("/receivers")
@operation(gives=shapes.Receivers)
def receivers() -> Response:
    """Who is told, of one's teams. Addresses and secrets are never shown."""
    found = _alerts().settings.receivers(caller().teams("view"))
    return json({"receivers": [_receiver(one) for one in found]})


@bp.post("/receivers")
@needs("manage")
@operation(body=shapes.NewReceiver, gives=shapes.Receiver, status=201)
def add_receiver() -> Response:
    """Make a receiver. Raises AlertField, TooManyOfThem."""
    asked, who = read_body(shapes.NewReceiver), caller()
    if not who.can("view", asked.team):
        raise UnknownTeam(asked.team[:64])
    who.require("manage", asked.team)
    options = _options(domain.Options(), asked)
    made = domain.Receiver(
        *(0, asked.team, asked.name, asked.kind, options, asked.enabled, who.name)
    )
    return json(_receiver(_alerts().add_receiver(made, _secrets(asked))), 201)


@bp.patch("/receivers/<int:id>")
@needs("manage")
@operation(body=shapes.ReceiverChange, gives=shapes.Receiver)
def change_receiver(id: int) -> Response:
    """Change a receiver. What is secret and left out stays as it is, unless it would go elsewhere. Raises AlertField."""
    found, asked = _its_receiver(id), read_body(shapes.ReceiverChange)
    changed = replace(
        found,
        name=found.name if asked.name is None else asked.name,
        enabled=found.enabled if asked.enabled is None else asked.enabled,
        options=_options(found.options, asked),
    )
    return json(_receiver(_alerts().save_receiver(changed, _secrets(asked))))


@bp.delete("/receivers/<int:id>")
@needs("manage")
@operation()
def delete_receiver(id: int) -> Response:
    """Delete a receiver; what still was to be sent to it is held back."""
    _alerts().delete_receiver(_its_receiver(id))
    return Response(status=204)


@bp.post("/receivers/<int:id>/test")
@needs("manage")
@operation(gives=shapes.TestOutcome)
def test_receiver(id: int) -> Response:
    """Send a test now, and say what the service answers."""
    outcome = _alerts().test(_its_receiver(id))
    return json({"accepted": outcome.accepted, "code": outcome.code, "text": outcome.text})


@bp.get("/sign_of_life")
@needs("manage", DEFAULT_TEAM)
@operation(gives=shapes.SignOfLife)
def sign_of_life() -> Response:
    """Whether somebody is told again and again that CloudBang is there."""
    return json(_sign())


@bp.put("/sign_of_life")
@needs("manage", DEFAULT_TEAM)
@operation(body=shapes.SignOfLifeChange, gives=shapes.SignOfLife)
def set_sign_of_life() -> Response:
    """Ask an address every so many minutes, so that somebody notices when nobody does any more."""
    asked = read_body(shapes.SignOfLifeChange)
    address = asked.address
    if address and not address.startswith(("https://", "http://")):
        raise AlertField("address", "an address that begins with https:// or http://")
    _alerts().sign_of_life.save(asked.minutes, asked.private, address)
    return json(_sign())


def _its_receiver(id: int) -> domain.Receiver:
    found = _alerts().receiver(id)
    if not caller().can("view", found.team):
        raise NoSuchReceiver(id)
    caller().require("manage", found.team)
    return found


def _options(now: domain.Options, asked: shapes.ReceiverOptions) -> domain.Options:
    given = asked.model_dump(
        exclude_none=True, exclude={"team", "name", "kind", "enabled", *SECRETS}
    )
    if "to" in given:
        given["to"] = tuple(given["to"])
    if given.get("second") == 0:
        given["second"] = None
    changed = replace(now, **given)
    if changed.private and (not now.private or changed != now or asked.address):
        # Where else CloudBang stands, a team's own people may not send it.
        caller().require("manage", DEFAULT_TEAM)
    return changed


def _secrets(asked: shapes.ReceiverOptions) -> dict[str, str]:
    return {name: value for name in SECRETS if (value := getattr(asked, name)) is not None}


def _receiver(one: domain.Receiver) -> dict[str, object]:
    options = {name: getattr(one.options, name) for name in domain.Options.__slots__}
    return {
        **options,
        "to": list(one.options.to),
        "id": one.id,
        "team": one.team,
        "name": one.name,
        "kind": one.kind,
        "enabled": one.enabled,
        "by": one.by,
        "created": one.created,
        "failures": one.failures,
        "why": gettext(one.why),
        "may_change": caller().can("manage", one.team),
    }


def _sign() -> dict[str, object]:
    giver = _alerts().sign_of_life
    sign = giver.read()
    return {
        "minutes": sign.minutes,
        "private": sign.private,
        "shown": sign.shown,
        "last": None if giver.last is None else format_time(int(giver.last * 1e9)),
        "why": gettext(giver.why),
    }
