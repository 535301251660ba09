"""The patterns of several apps as those of one log: what each of them counted, added up. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudbang.storage.patterns.counter import RANKS


def together(
    told: Mapping[str, Mapping[str, Any]], limit: int, *, each: bool = False
) -> dict[str, Any]:
    """``told``: what ``Counter.answer`` says of each app. The same of all of them; a pattern has
    ``apps`` besides, and ``app`` is that of its last line. New is what came in none of them before,
    or, with ``each``, what is new in one of them."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    others = [0, 0]
    looked, of = [0, 0], [0, 0]
    more = 0
    for app, its in told.items():
        more += its["more"]
        for at in (0, 1):
            others[at] += its["others"][at]
            looked[at] += its["looked"][at]
            of[at] += its["of"][at]
        for row in its["patterns"]:
            key = (row["level"] or "", row["pattern"])
            known = rows.get(key)
            counted = {"name": app, "count": row["count"], "before": row["before"]}
            if known is None:
                rows[key] = {**row, "app": app, "apps": [counted]}
            else:
                _add(known, app, row)
                known["apps"].append(counted)
    order = sorted(rows.values(), key=lambda row: _rank(row, each))
    for row in order[limit:]:
        others[0] += row["count"]
        others[1] += row["before"]
    for row in order:
        row["apps"].sort(key=lambda one: (-one["count"], -one["before"], one["name"]))
    return {
        "patterns": order[:limit],
        "more": more + max(len(order) - limit, 0),
        "others": others,
        "looked": looked,
        "of": of,
    }


def _add(known: dict[str, Any], app: str, row: Mapping[str, Any]) -> None:
    # The times are of this stretch; of the one before it where it did not come in this.
    came, comes = known["count"] > 0, row["count"] > 0
    if comes and not came:
        known |= {name: row[name] for name in ("first", "last", "seq")} | {"app": app}
    elif comes == came:
        known["first"] = min(known["first"], row["first"])
        if row["last"] > known["last"]:
            known |= {"last": row["last"], "seq": row["seq"], "app": app}
    known["count"] += row["count"]
    known["before"] += row["before"]
    hours = dict(known["hours"])
    for hour, count in row["hours"]:
        hours[hour] = hours.get(hour, 0) + count
    known["hours"] = sorted(hours.items())


def _rank(row: Mapping[str, Any], each: bool) -> tuple[object, ...]:
    """As ``Counter`` puts them: errors first, what is new before the rest, what is no more last."""
    return (
        row["count"] == 0,
        RANKS.get(row["level"] or "", 2),
        not any(_is_new(one) for one in (row["apps"] if each else (row,))),
        -row["count"],
        -row["before"],
        row["level"] or "",
        row["pattern"],
    )


def _is_new(counted: Mapping[str, Any]) -> bool:
    return counted["count"] > 0 and not counted["before"]
