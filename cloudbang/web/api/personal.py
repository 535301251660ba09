"""What people keep for themselves: marks, which are words in colour, and searches under a name."""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response
from werkzeug.datastructures import MultiDict

from cloudbang.accounts import Mark, Personal, SavedSearch
from cloudbang.core.loop import in_turns
from cloudbang.domain.lines import format_time
from cloudbang.domain.names import is_app_name
from cloudbang.errors import BadRequest, NoSuchApp
from cloudbang.storage.logs.log_store import Query
from cloudbang.web.api.leases import lease
from cloudbang.web.api.log_lines import BUILDING, filters_of
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import FLAG, flag, json, read_body
from cloudbang.web.api.schemas import personal as shapes
from cloudbang.web.api.schemas.shapes import moment
from cloudbang.web.api.search import matcher
from cloudbang.web.security.authenticator import caller, needs_person
from cloudbang.web.services import services

bp = Blueprint("personal", __name__, url_prefix="/api/v1/me")

COUNTING = 1.5  # seconds of one answer; what is not counted by then is as it was
NOT_KEPT = frozenset(
    {"app", "line", "cursor"}
)  # of an address: they are of a moment, or said apart

COUNTS = {
    "counts": Parameter(FLAG, "1: with how many lines of the last hour each pinned one finds")
}


# -- marks


@bp.get("/marks")
@needs_person()
@operation(gives=shapes.Marks)
def marks() -> Response:
    """The own marks."""
    return json({"marks": [_mark(one) for one in _kept().marks(_own_id())]})


@bp.post("/marks")
@needs_person()
@operation(body=shapes.NewMark, gives=shapes.Mark, status=201)
def add_mark() -> Response:
    """Have words in colour, in every log. One that is there gets this colour."""
    wanted = read_body(shapes.NewMark)
    matcher(wanted.text, regex=wanted.regex)  # refuses what is no expression
    hue = wanted.hue or 0
    return json(_mark(_kept().add_mark(_own_id(), wanted.text, regex=wanted.regex, hue=hue)), 201)


@bp.patch("/marks/<int:id>")
@needs_person()
@operation(body=shapes.MarkChange, gives=shapes.Mark)
def change_mark(id: int) -> Response:
    """Another colour, or whether the keys stop at it."""
    wanted = read_body(shapes.MarkChange)
    changed = _kept().change_mark(_own_id(), id, hue=wanted.hue, chosen=wanted.chosen)
    return json(_mark(changed))


@bp.delete("/marks/<int:id>")
@needs_person()
@operation()
def delete_mark(id: int) -> Response:
    """Have these words in colour no more."""
    _kept().delete_mark(_own_id(), id)
    return Response(status=204)


# -- searches


@bp.get("/searches")
@needs_person()
@operation(gives=shapes.SavedSearches, query=COUNTS)
def searches() -> Response:
    """The own searches, by name."""
    counted = flag("counts")
    deadline = time.monotonic() + COUNTING
    if counted:
        lease().take(BUILDING)
    shown = [_search(one) for one in _kept().searches(_own_id())]
    if counted:
        for one, search in shown:
            if search.pinned and one["state"] == "good":
                one["count"] = _count(search, one, deadline)
    return json({"searches": [one for one, _ in shown]})


@bp.post("/searches")
@needs_person()
@operation(body=shapes.NewSearch, gives=shapes.SavedSearch, status=201)
def add_search() -> Response:
    """Keep a search under a name."""
    wanted = read_body(shapes.NewSearch)
    if wanted.view == "log" and len(wanted.apps) != 1:
        raise BadRequest("apps", ", ".join(wanted.apps), "one app, whose log it is")
    for name in wanted.apps:
        if not is_app_name(name) or not _may_view(name) or services().apps.get(name) is None:
            raise NoSuchApp(name[:128])
    pairs = parse_qsl(wanted.query.removeprefix("?"))
    query = urlencode([(name, value) for name, value in pairs if name not in NOT_KEPT])
    apps = tuple(sorted(set(wanted.apps)))
    one = SavedSearch(0, wanted.name, wanted.view, apps, query, wanted.pinned)
    _wanted(one)  # refuses what nobody could look for
    return json(_search(_kept().add_search(_own_id(), one))[0], 201)


@bp.patch("/searches/<int:id>")
@needs_person()
@operation(body=shapes.SearchChange, gives=shapes.SavedSearch)
def change_search(id: int) -> Response:
    """Another name, or whether it is in the sidebar."""
    wanted = read_body(shapes.SearchChange)
    changed = _kept().change_search(_own_id(), id, name=wanted.name, pinned=wanted.pinned)
    return json(_search(changed)[0])


@bp.delete("/searches/<int:id>")
@needs_person()
@operation()
def delete_search(id: int) -> Response:
    """Keep it no more."""
    _kept().delete_search(_own_id(), id)
    return Response(status=204)


def _kept() -> Personal:
    return Personal(services().database)


def _own_id() -> int:
    """Whose browser this is."""
    found = caller().account_id
    assert found is not None  # needs_person has seen to it
    return found


def _may_view(app: str) -> bool:
    """True, too, of a name that is nobody's any more: there is nothing to view."""
    owner = services().apps.owner(app)
    return owner is None or caller().can("view", owner)


def _wanted(search: SavedSearch) -> Query:
    """The entries that its page marks or shows, of any time. Raises BadRequest."""
    args = MultiDict(parse_qsl(search.query))
    if search.view == "search" and args.get("level") == "warning":
        args.add("level", "error")  # "warnings and errors" is one choice there
    return filters_of(args, 0)


def _count(
    search: SavedSearch, shown: shapes.SavedSearch, deadline: float
) -> shapes.SearchCount | None:
    """Of the apps that the caller may view now."""
    parts, apps = services(), [app for app in shown["apps"] if app not in shown["gone"]]
    if not search.apps:
        teams = caller().teams("view")
        apps = [one for one in in_turns(parts.store.apps()) if parts.apps.owner(one) in teams]
    try:
        query = _wanted(search)
    except BadRequest:  # what was understood once
        return None
    asked = (search.view, search.query)
    found = parts.search_counts.of(parts.store, apps, query, asked, deadline)
    if found is None:
        return None
    at = format_time(int(found.at * 1e9))
    return {"lines": found.lines, "complete": found.complete, "at": at}


def _search(one: SavedSearch) -> tuple[shapes.SavedSearch, SavedSearch]:
    """As whoever asks may see it now; and the same as it is kept."""
    seen = [app for app in one.apps if _may_view(app)]
    gone = [app for app in seen if services().apps.get(app) is None]
    hidden = bool(one.apps) and not seen
    state = "hidden" if hidden else "gone" if one.apps and len(gone) == len(seen) else "good"
    shown: shapes.SavedSearch = {
        "id": one.id,
        "name": "" if hidden else one.name,
        "view": one.view,
        "apps": seen,
        "gone": gone,
        "state": state,  # type: ignore[typeddict-item]
        "query": "" if hidden else one.query,
        "address": replace(one, apps=tuple(seen)).address() if state == "good" else "",
        "pinned": one.pinned,
        "created_at": moment(one.created_at),
    }
    return shown, one


def _mark(one: Mark) -> shapes.Mark:
    return {
        "id": one.id,
        "text": one.text,
        "regex": one.regex,
        "hue": one.hue,
        "chosen": one.chosen,
    }
