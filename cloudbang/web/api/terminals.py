"""Terminals over HTTP: a ticket for a new one, the list, ends, links, the history, recordings."""

from __future__ import annotations

import math
from typing import Literal

from flask import Blueprint, Response, request

from cloudbang.accounts import Unauthorised
from cloudbang.errors import BadRequest, NoSuchTerminal
from cloudbang.storage.database.terminals import TerminalRecord
from cloudbang.terminals.admission import is_owner, owner_of
from cloudbang.web.api.downloads import send
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import FLAG, MAX_SEQ, SEQ, flag, json, number, read_body, whole
from cloudbang.web.api.schemas import terminals as shapes
from cloudbang.web.security.authenticator import authenticator, caller, needs
from cloudbang.web.security.terminal_access import (
    can_view_terminal,
    checked_id,
    own_live,
    require_container,
    see_live,
)
from cloudbang.web.services import services

bp = Blueprint("terminals", __name__, url_prefix="/api/v1/terminals")

APP_NAME = 128  # characters
HISTORY, MOST_HISTORY = 50, 500
HISTORY_QUERY = {
    "app": Parameter({"type": "string", "maxLength": APP_NAME}, "terminals of this app"),
    "account": Parameter({"type": "string"}, "terminals of whoever is called so"),
    "before": Parameter(SEQ, "go on: what next said"),
    "limit": Parameter(whole(1, MOST_HISTORY, HISTORY), "at most"),
}


@bp.post("")
@needs("terminal")
@operation(body=shapes.NewTerminal, gives=shapes.Ticket, status=201)
def ticket() -> Response:
    """A one-time ticket, with which the terminal's socket opens a new terminal."""
    wanted = read_body(shapes.NewTerminal)
    app, instance = require_container(
        caller(), wanted.container, "terminal", services().inventory, services().apps
    )
    if instance.state != "running":
        # Started a moment ago perhaps: nobody is refused for what was true before.
        instance = services().inventory.refresh(instance.id) or instance
    made = services().terminals.ticket(caller(), app, instance, wanted.terminal_request())
    shown: shapes.Ticket = {
        "T_id": made.team,
        "S_id": made.app,
        "C_id": made.container[:12],
        "Md5": made.md5,
        "url": _socket_url(),
        "session": made.session,
    }
    return json(shown, 201)


@bp.get("")
@operation(
    gives=shapes.Terminals, query={"all": Parameter(FLAG, "1: those of the teams one manages too")}
)
def terminals() -> Response:
    """The own running terminals; for who asks for all, those of the teams they manage as well."""
    who, everybody = caller(), flag("all")
    if everybody and not who.teams("manage"):
        raise Unauthorised("manage")
    found = services().terminals.live(None if everybody else who)
    return json({"terminals": [one.as_json() for one in found if can_view_terminal(who, one)]})


@bp.get("/history")
@operation(gives=shapes.TerminalHistory, query=HISTORY_QUERY)
def history() -> Response:
    """The audit list, newest first: the own terminals and those of the teams one manages."""
    who, app = caller(), request.args.get("app") or None
    if app is not None and len(app) > APP_NAME:
        raise BadRequest("app", app, "the name of an app")
    limit = number("limit", 1, MOST_HISTORY) or HISTORY
    before = number("before", 0, MAX_SEQ)
    account = request.args.get("account") or None
    found = services().terminal_store.list(
        owner_of(who), app, account, before, limit, also=who.teams("manage")
    )
    following = found[-1].number if len(found) == limit else None
    return json(
        {
            "terminals": [_shown(one) for one in found if can_view_terminal(who, one)],
            "next": following,
        }
    )


@bp.get("/<session>")
@operation(gives=shapes.Terminal)
def one(session: str) -> Response:
    """A terminal, running or ended."""
    return json(_shown(see_record(session)))


@bp.get("/<session>/recording")
@operation(gives=("application/x-asciicast",))
def recording(session: str) -> Response:
    """What a terminal printed, as asciicast v2; of one that runs, what it has printed so far."""
    found = see_record(session)
    replay = services().recordings.read(found.session)
    return send(replay, f"{found.session}.cast", "application/x-asciicast", replay.size)


@bp.delete("/<session>")
@needs("terminal")
@operation()
def end(session: str) -> Response:
    """End a terminal and every process of it."""
    found = see_live(caller(), session, services().terminals)
    services().terminals.end(found.id, "closed" if is_owner(found, caller()) else "admin")
    return Response(status=204)


@bp.post("/<session>/links")
@needs("terminal")
@operation(body=shapes.NewLink, gives=shapes.Link, status=201)
def link(session: str) -> Response:
    """A fresh link to watch a terminal, or to type in it; the older one of its kind is void."""
    found = own_live(caller(), session, services().terminals)
    asked = read_body(shapes.NewLink)
    mode: Literal["watch", "type"] = asked.mode
    seconds = asked.minutes * 60 if asked.minutes else math.inf
    key = services().terminals.link(found, mode, seconds=seconds)
    # In the fragment the key is sent in no request line, and so is in nobody's log.
    shown: shapes.Link = {"mode": mode, "key": key, "url": f"/terminals/{found.id}#{key}"}
    return json(shown, 201)


@bp.delete("/<session>/links")
@needs("terminal")
@operation()
def unlink(session: str) -> Response:
    """Void the links, and send out whoever came by one."""
    services().terminals.stop_sharing(own_live(caller(), session, services().terminals))
    return Response(status=204)


def see_record(session: str) -> TerminalRecord:
    """The record of a terminal that the caller may see, running or ended. Raises NoSuchTerminal."""
    found = services().terminal_store.get(checked_id(session))
    if not can_view_terminal(caller(), found):
        raise NoSuchTerminal(session)
    return found


def _shown(record: TerminalRecord) -> dict[str, object]:
    """What runs is shown as it is now, with the people who look at it."""
    if record.ended is None:
        try:
            return services().terminals.get(record.session).as_json()
        except NoSuchTerminal:
            pass
    return record.as_json()


def _socket_url() -> str:
    """The address of the terminals' socket, as this client reaches the server."""
    client_info = authenticator().proxies.client_info(request.environ)
    return f"{'wss' if client_info.scheme == 'https' else 'ws'}://{client_info.host}/docker_console"
