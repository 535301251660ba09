"""Images, volumes, networks and build cache: who uses them, and cleaning up."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response

from cloudbang.deploy.clean_up import Outcome, Plan
from cloudbang.domain.deploy.disk import (
    CacheRecord,
    Image,
    Item,
    Kind,
    Network,
    Stock,
    Use,
    Volume,
    item_of,
)
from cloudbang.domain.lines import format_time, parse_time
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json, read_body
from cloudbang.web.api.schemas import storage as shapes
from cloudbang.web.security.authenticator import caller, needs
from cloudbang.web.services import services

bp = Blueprint("storage", __name__, url_prefix="/api/v1/storage")

HOUSE = "default"  # whoever manages the installation


@bp.get("")
@needs("manage", HOUSE)
@operation(gives=shapes.Storage)
def storage() -> Response:
    """What takes room on the engine's disk, and who uses it."""
    clean_up = services().operating.clean_up
    stock, kept = clean_up.look(), clean_up.kept()
    disk = clean_up.disk()
    shown: shapes.Storage = {
        "things": [_thing(one, kept.stays(one), item_of(one, kept).ours) for one in _all(stock)],
        "bytes": {
            "image": stock.layers,
            "volume": sum(one.size or 0 for one in stock.volumes),
            "cache": stock.cache_size,
        },
        "disk": None if disk is None else {"total": disk.total, "free": disk.free},
        "cache_budget": clean_up.budget,
    }
    return json(shown)


@bp.post("/plans")
@needs("manage", HOUSE)
@operation(body=shapes.CleanUpRequest, gives=shapes.CleanUpPlan, status=201)
def plan() -> Response:
    """What a clean-up would take away. Nothing goes yet; the plan is good for a quarter of an hour."""
    asked = read_body(shapes.CleanUpRequest)
    made = services().operating.clean_up.plan(caller().holder, asked.kinds, others=asked.others)
    return json(_plan(made), 201)


@bp.post("/plans/<plan_id>")
@needs("manage", HOUSE)
@operation(body=shapes.CleanUpChoice, gives=shapes.CleanedUp)
def clean(plan_id: str) -> Response:
    """Do what a plan showed, or a part of it. What is used by now stays, and the answer says so."""
    asked = read_body(shapes.CleanUpChoice)
    only: set[tuple[Kind, str]] | None = None
    if asked.only is not None:
        only = {(one.kind, one.id) for one in asked.only}
    who = caller()
    outcomes = services().operating.clean_up.carry_out(plan_id, who.holder, who.name, only)
    shown: shapes.CleanedUp = {
        "outcomes": [_outcome(one) for one in outcomes],
        "bytes": sum(one.item.size or 0 for one in outcomes if one.done),
    }
    return json(shown)


def _all(stock: Stock) -> Iterable[Image | Volume | Network | CacheRecord]:
    return (*stock.images, *stock.volumes, *stock.networks, *stock.cache)


def _thing(
    one: Image | Volume | Network | CacheRecord, stays: bool, ours: bool
) -> shapes.StorageThing:
    note, created, shared = "", "", 0
    names: tuple[str, ...] = ()
    used_by: tuple[Use, ...] = ()
    match one:
        case Image():
            names, shared, used_by = one.tags, one.shared, one.used_by
            created = format_time(one.created * 10**9) if one.created > 0 else ""
            kind: Kind = "image"
        case Volume():
            kind, note, created, used_by = "volume", one.driver, one.created, one.used_by
        case Network():
            kind, created, used_by = "network", one.created, one.used_by
            note = f"{one.driver}, {one.scope}"
        case CacheRecord():
            kind, note, created = "cache", one.kind, one.last_used or one.created
    return {
        "kind": kind,
        "id": one.id,
        "name": one.name,
        "names": list(names),
        "note": note,
        "size": one.size,
        "shared": shared,
        "created": _time(created),
        "used_by": [use_json(use) for use in used_by],
        "ours": ours,
        "kept": stays,
    }


def use_json(use: Use) -> shapes.StorageUse:
    """What another team has is not named."""
    seen = not use.app or services().apps.team_of(use.app) in caller().teams("view")
    return {
        "by": use.by,
        "name": use.name if seen else "",
        "app": use.app if seen else "",
        "running": use.running,
    }


def _plan(made: Plan) -> shapes.CleanUpPlan:
    return {"id": made.id, "items": [_item(item) for item in made.items], "bytes": made.size}


def _item(item: Item) -> shapes.CleanUpItem:
    return {
        "kind": item.kind,
        "id": item.id,
        "name": item.name,
        "names": list(item.names),
        "size": item.size,
        "ours": item.ours,
    }


def _outcome(outcome: Outcome) -> shapes.CleanUpOutcome:
    item = outcome.item
    return {
        "kind": item.kind,
        "id": item.id,
        "name": item.name,
        "size": item.size,
        "done": outcome.done,
        "why": outcome.why,
    }


def _time(text: str) -> str | None:
    """The engine's time as the API says one; some drivers tell none."""
    try:
        ns = parse_time(text)
    except ValueError:
        return None
    return format_time(ns) if ns > 0 else None
