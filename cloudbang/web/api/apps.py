"""Apps, their lines and their events, from the inventory and the store."""

from __future__ import annotations

import logging
from bisect import bisect_right
from functools import partial

from flask import Blueprint, Response, request

from cloudbang.accounts import NotSignedIn
from cloudbang.apps import Place
from cloudbang.domain.apps import App
from cloudbang.domain.lines import format_time
from cloudbang.errors import BadRequest
from cloudbang.storage.logs.log_store import Deleted
from cloudbang.web.api.app_json import all_apps, one_app
from cloudbang.web.api.log_lines import (
    DOWNLOAD_QUERY,
    FILTERS,
    LIMIT,
    LINES,
    LINES_QUERY,
    MOST_LINES,
    SEQ_QUERY,
    download_answer,
    lines_answer,
    seq_answer,
)
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import json, moment, number, whole
from cloudbang.web.api.schemas import apps as shapes
from cloudbang.web.api.search import MAX_PATTERN
from cloudbang.web.security import access
from cloudbang.web.security.authenticator import caller, needs, require_app
from cloudbang.web.services import Services, services

log = logging.getLogger(__name__)

bp = Blueprint("apps", __name__, url_prefix="/api/v1/apps")

APPS, MOST_APPS = 100, 1_000  # of those that are gone, in one answer
PLACES: dict[str, Place] = {"gone": "gone", "put_away": "away"}

APPS_QUERY = {
    "state": Parameter({"enum": list(PLACES)}, "these, and not those that are listed"),
    "q": Parameter(
        {"type": "string", "maxLength": MAX_PATTERN},
        "with state: those whose names hold each of these words; the counts are of them, too",
    ),
    "after": Parameter({"type": "string"}, "with state: go on, what next said"),
    "limit": Parameter(whole(1, MOST_APPS, APPS), "with state: at most"),
}
EVENTS_QUERY = {"since": FILTERS["since"], "until": FILTERS["until"], "limit": LIMIT}


@bp.get("")
@operation(gives=shapes.Apps, query=APPS_QUERY)
def apps() -> Response:
    """The apps that have containers, were deployed, or belong to the programs that put lines last.
    Of those that are gone or put away how many there are; with state a page of them, by name."""
    registry, teams = services().apps, caller().teams("view")
    state = request.args.get("state") or None
    if state is None:
        found = all_apps(services(), caller())
        return json({"apps": found, "next": None, **registry.counts(teams)})
    if state not in PLACES:
        raise BadRequest("state", state, "one of " + ", ".join(PLACES))
    limit, words = number("limit", 1, MOST_APPS) or APPS, _words("q")
    found_in = {
        where: [name for name in registry.names(teams, place) if _holds(name, words)]
        for where, place in PLACES.items()
        if words or where == state
    }
    names = found_in[state]
    counts = registry.counts(teams) if not words else {w: len(n) for w, n in found_in.items()}
    begin = bisect_right(names, request.args.get("after", ""))
    page = names[begin : begin + limit]
    found = [one_app(services(), name) for name in page]
    following = page[-1] if begin + limit < len(names) else None
    return json({"apps": found, "next": following, **counts})


@bp.get("/<app>")
@operation(gives=shapes.App)
def app_(app: str) -> Response:
    """One app with its instances."""
    return json(one_app(services(), require_app(app).name))


@bp.delete("/<app>/lines")
@needs("manage")
@operation()
def delete_lines(app: str) -> Response:
    """Delete an app's log. Its containers are not touched, and its seqs go on."""
    name = require_app(app, "manage").name
    done = services().apps.delete_lines(name)
    log_deleted(services(), name, done, caller().name)
    return Response(status=204)


@bp.post("/<app>/put_away")
@needs("manage")
@operation(gives=shapes.App)
def put_away(app: str) -> Response:
    """Take an app that is gone out of sight, until it comes back."""
    return json(services().apps.as_json(_put_away(app, True)))


@bp.delete("/<app>/put_away")
@needs("manage")
@operation(gives=shapes.App)
def bring_back(app: str) -> Response:
    """Show an app again that was put away."""
    return json(services().apps.as_json(_put_away(app, False)))


@bp.get("/<app>/lines")
@operation(gives=shapes.Lines, query=LINES_QUERY)
def lines(app: str) -> Response:
    """Lines, oldest first. A search that ran out of time, or an answer that grew too large, has a
    cursor: go on with after=cursor, or with before=cursor where only before or until was given."""
    return lines_answer(require_app(app).name, partial(_view, services(), caller().login, app))


@bp.get("/<app>/download")
@operation(gives=("text/plain", "application/jsonl", "text/markdown"), query=DOWNLOAD_QUERY)
def download(app: str) -> Response:
    """Every line that passes the filters, as it is in the files, as JSON lines or as Markdown."""
    name = require_app(app).name
    may = partial(_view, services(), caller().login, app)
    return download_answer(name, name, may, partial(services().instance_names, name))


def _view(parts: Services, login: str, app: str) -> None:
    """Raises where this login may no longer view the app."""
    who = parts.accounts.credentials.current(login)
    if who is None:
        raise NotSignedIn
    access.require_app(who, app, "view", parts.apps)


@bp.get("/<app>/seq")
@operation(gives=shapes.SeqAt, query=SEQ_QUERY)
def seq_at(app: str) -> Response:
    """The seq of the first line at or after a time: where a jump to that time lands."""
    return seq_answer(require_app(app).name)


@bp.get("/<app>/events")
@operation(gives=shapes.Events, query=EVENTS_QUERY)
def events(app: str) -> Response:
    """Events of an app, oldest first: the newest of those asked for."""
    found = services().events.list(
        require_app(app).name, _key("since"), _key("until"), number("limit", 1, MOST_LINES) or LINES
    )
    return json({"events": [event.as_json() for event in found]})


def _words(name: str) -> list[str]:
    text = request.args.get(name, "")
    if len(text) > MAX_PATTERN:
        raise BadRequest(name, text, f"at most {MAX_PATTERN} characters")
    return text.lower().split()


def _holds(name: str, words: list[str]) -> bool:
    lower = name.lower()
    return all(word in lower for word in words)


def log_deleted(parts: Services, app: str, done: Deleted, who: str) -> None:
    if done.lines:
        went = {"lines": done.lines, "bytes": done.bytes}
        parts.recorder.action(app, "", who, "log-delete", **went)
        log.warning("%s deleted %d lines of the app %s", who, done.lines, app)


def _put_away(app: str, away: bool) -> App:
    before = require_app(app, "manage")
    after = services().apps.put_away(before.name, away)
    if after.put_away != before.put_away:
        what = "put-away" if away else "bring-back"
        services().recorder.action(after.name, "", caller().name, what)
    return after


def _key(name: str) -> str | None:
    time = moment(name)
    try:
        return None if time is None else format_time(time)
    except ValueError:
        raise BadRequest(name, request.args[name], "a time after the year 1") from None
