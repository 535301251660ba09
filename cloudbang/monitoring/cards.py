"""Cards: what somebody wants to know of one thing that happened, made of what is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.metrics.comparison import (
    MEASURED,
    Row,
    Side,
    Stretches,
    Verdict,
    compare,
    stretches,
    verdict,
)
from cloudbang.monitoring.query import Query

PAGE = 50  # deployments that are looked through at once
BEFORE = 5  # that came before, of which one may reach into the time before


class Deployed(Protocol):
    """What is asked of deployments: see ``deploy.service``."""

    def find(
        self,
        app: str | None = None,
        states: Collection[str] = (),
        before: int | None = None,
        limit: int = 50,
    ) -> list[Deployment]: ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """A deployment's before and after, as far as it has come."""

    stretches: Stretches
    before: Side
    after: Side
    rows: list[Row]
    verdict: Verdict


def comparison(
    deployment: Deployment,
    deployed: Deployed,
    query: Query,
    clock: Callable[[], float] = time.time,
) -> Comparison | None:
    """None of a deployment that changed nothing, or replaced nothing. Raises StorageFailed."""
    when = stretches(deployment, beside(deployment, deployed), clock())
    if when is None:
        return None
    before, after = (
        query.side(deployment.app, MEASURED, *stretch) for stretch in (when.before, when.after)
    )
    rows = compare(before, after, ended=when.ended)
    return Comparison(when, before, after, rows, verdict(rows))


def beside(one: Deployment, deployed: Deployed) -> list[Deployment]:
    """Those of its app that came before it, and all that came after."""
    found = deployed.find(one.app, before=one.id, limit=BEFORE)
    last: int | None = None
    while page := deployed.find(one.app, before=last, limit=PAGE):
        found += [other for other in page if other.id > one.id]
        last = page[-1].id
        if last <= one.id:
            break
    return found
