"""What takes room on the engine's disk, shown with who uses it; a clean-up that does what it showed
and no more; and a build cache that keeps within its budget.

A plan is kept here and carried out as it was shown. Each thing is looked at once more before it
goes: what is used by now, or what one can go back to, stays, and the engine is never told to force.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import gevent
from gevent.lock import BoundedSemaphore

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.deploy.claims import claims_of
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.deploy.disk import (
    Image,
    Item,
    Kept,
    Kind,
    Network,
    Stock,
    Use,
    Volume,
    clean_up,
    with_uses,
)
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.swarm_spec import NETWORK, networks_of
from cloudbang.domain.lines import parse_time
from cloudbang.engine.images import EngineImage
from cloudbang.errors import CloudBangError, EngineRefused, EngineUnreachable

log = logging.getLogger(__name__)

FRESH = 5.0  # seconds in which an answer of the engine, which walks its disk for it, is good
PLAN_FOR = 900.0  # seconds that a plan is kept
PLANS = 20  # of them; the oldest goes
BUDGET_EVERY = 600.0  # seconds between two looks at the build cache
MOST_CACHE = 10 * 1024**3  # bytes of a budget that nobody set, and its part of the disk
CACHE_PART = 0.15


class Engine(Protocol):
    """What is asked of it."""

    @property
    def is_remote(self) -> bool: ...
    def stock(self) -> Stock: ...
    def data_root(self) -> str: ...
    def image(self, name: str) -> EngineImage | None: ...
    def remove_image(self, name: str) -> bool: ...
    def remove_volume(self, name: str) -> bool: ...
    def remove_network(self, name: str) -> bool: ...
    def remove_cache(self, record: str) -> int | None: ...
    def shrink_cache(self, keep: int) -> int: ...


class Deployments(Protocol):
    """What of releases and deployments is kept."""

    def every_release(self) -> list[Release]: ...
    def serving(self) -> dict[str, int]: ...
    def unsettled(self) -> list[Deployment]: ...


class NoSuchPlan(CloudBangError):
    """A plan that nobody made, or long ago, or that was carried out."""

    code = "no-such-plan"
    status = 404
    title = "No such plan"
    sentence = "this plan is out of date or was carried out: make a new one"

    def __init__(self, plan: str) -> None:
        self.plan = plan
        super().__init__(plan)


class Disk(NamedTuple):
    """Bytes of the file system that the engine keeps its things on."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What one clean-up would take away; ``made`` in seconds of time.monotonic."""

    id: str
    items: tuple[Item, ...]
    by: str
    made: float

    @property
    def size(self) -> int:
        return sum(item.size or 0 for item in self.items)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thing. ``why``: of one that stayed, "used", "kept", "named" (it has
    another name by now), "gone", or the engine's own words."""

    item: Item
    done: bool
    why: str = ""


class CleanUp:
    """See the module. ``team_of``: whose an app is; ``names``: of images and networks that settings or parts of ours name;
    ``budget``: bytes of the build cache, 0 for a part of the disk."""

    def __init__(
        self,
        engine: Engine,
        store: Deployments,
        team_of: Callable[[str], str],
        names: Collection[str] = (),
        budget: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.freed = 0
        self.cache_freed = 0
        self._engine, self._store, self._clock = engine, store, clock
        self._team_of = team_of
        self._names = frozenset({*names, NETWORK})
        self._budget = budget
        self._looking = BoundedSemaphore(1)  # an engine of 2021 refuses a second walk
        self._seen: tuple[float, Stock] | None = None
        self._plans: dict[str, Plan] = {}
        self._supervisor = Supervisor("clean-up")
        freed = "Bytes that clean-ups gave back."
        export(self, "clean_up", counters={"freed": freed})
        kept = "Bytes of build cache that were over its budget and went."
        export(self, "clean_up", counters={"cache_freed": kept})

    # -- what there is

    def look(self, *, again: bool = False) -> Stock:
        """Everything with who uses it, as it was some seconds ago at most; ``again``: as it is now.
        Raises EngineUnreachable, EngineRefused, StorageFailed."""
        return with_uses(self._stock(again), self.kept())

    def disk(self) -> Disk | None:
        """None where the engine's disk is another machine's."""
        if self._engine.is_remote:
            return None
        try:
            usage = shutil.disk_usage(self._engine.data_root())
        except OSError:
            return None
        return Disk(usage.total, usage.free)

    @property
    def budget(self) -> int:
        """Bytes that the build cache may take."""
        if self._budget:
            return self._budget
        disk = self.disk()
        return min(MOST_CACHE, int(disk.total * CACHE_PART)) if disk else MOST_CACHE

    def _stock(self, again: bool) -> Stock:
        asked = self._clock()
        with self._looking:
            # Who waited meanwhile has an answer to a question that came after its own.
            good_after = asked if again else asked - FRESH
            if self._seen is None or self._seen[0] <= good_after:
                self._seen = (self._clock(), self._engine.stock())
            return self._seen[1]

    def kept(self) -> Kept:
        """What one can go back to, or what a deployment is about to use."""
        unsettled = self._store.unsettled()
        found = claims_of(self._store.every_release(), self._store.serving(), unsettled)
        begun = [parse_time(one.created) / 1e9 for one in unsettled if one.state == "running"]
        images: dict[str, tuple[Use, ...]] = {}
        volumes: dict[str, tuple[Use, ...]] = {}
        networks: dict[str, tuple[Use, ...]] = {}
        names = set(self._names)
        for release in found.kept:
            use = (Use("release", f"r{release.number}", release.app),)
            if release.image_id:
                images[release.image_id] = images.get(release.image_id, ()) + use
            elif release.spec.image:
                names.add(release.spec.image.removesuffix(":latest"))  # it is about to be pulled
            for name in _volumes(release):
                volumes[name] = volumes.get(name, ()) + use
            for name, _ in networks_of(release, self._team_of(release.app)):
                networks[name] = networks.get(name, ()) + use
        old = {name for release in found.old for name in _volumes(release)}
        ours = frozenset(old - set(volumes))
        return Kept(images, volumes, networks, frozenset(names), ours, min(begun, default=None))

    # -- what goes

    def plan(self, by: str, kinds: Collection[Kind], *, others: bool = False) -> Plan:
        """What would go now; nothing goes. Raises what :meth:`look` does."""
        items = clean_up(self._stock(True), self.kept(), kinds, others=others)
        made = Plan(secrets.token_urlsafe(12), items, by, self._clock())
        self._plans[made.id] = made
        while len(self._plans) > PLANS:
            del self._plans[next(iter(self._plans))]
        return made

    def carry_out(
        self, id: str, by: str, name: str, only: Collection[tuple[Kind, str]] | None = None
    ) -> list[Outcome]:
        """Do what a plan of the same person showed, or of it ``only`` these (kind, id); once.
        ``name``: theirs, for our own log.

        Raises NoSuchPlan, EngineUnreachable (what was done is done), StorageFailed.
        """
        plan = self._plans.get(id)
        if plan is None or plan.by != by or self._clock() - plan.made > PLAN_FOR:
            raise NoSuchPlan(id)
        del self._plans[id]
        items = [i for i in plan.items if only is None or (i.kind, i.id) in only]
        spared = self._spared(items)
        outcomes = []
        for item in items:
            outcome = Outcome(item, False, spared[item.id]) if item.id in spared else self._go(item)
            outcomes.append(outcome)
            self._count(outcome)
        self._go_after_all(outcomes)
        self._seen = None
        done = [one.item for one in outcomes if one.done]
        log.warning(
            "%s cleaned up: %d things, %d bytes: %s",
            *(name, len(done), sum(item.size or 0 for item in done)),
            ", ".join(f"{item.kind} {item.name}" for item in done if item.kind != "cache"),
        )
        return outcomes

    def _spared(self, items: Sequence[Item]) -> dict[str, str]:
        """Of those that may not go any more, why."""
        if all(item.kind == "cache" for item in items):
            return {}
        stock, kept = self._stock(True), self.kept()
        things: tuple[Image | Volume | Network, ...]
        things = (*stock.images, *stock.volumes, *stock.networks)
        return {
            thing.id: "used" if thing.used_by else "kept" for thing in things if kept.stays(thing)
        }

    def _go(self, item: Item) -> Outcome:
        try:
            match item.kind:
                case "image":
                    return self._remove_image(item)
                case "volume":
                    gone = self._engine.remove_volume(item.id)
                case "network":
                    gone = self._engine.remove_network(item.id)
                case "cache":
                    freed = self._engine.remove_cache(item.id)
                    if freed is None:
                        return Outcome(item, False, "gone")
                    return Outcome(replace(item, size=freed), True)
        except EngineRefused as e:
            return Outcome(item, False, e.reason)
        return Outcome(item, gone, "" if gone else "gone")

    def _go_after_all(self, outcomes: list[Outcome]) -> None:
        """Records of the build cache that stayed are tried again, as long as one of them goes: not
        every engine says which others stand on one (28)."""
        progress = True
        while progress:
            progress = False
            for at, outcome in enumerate(outcomes):
                if outcome.item.kind == "cache" and not outcome.done and outcome.why == "gone":
                    outcomes[at] = self._go(outcome.item)
                    self._count(outcomes[at])
                    progress = progress or outcomes[at].done

    def _count(self, outcome: Outcome) -> None:
        if outcome.done:
            self.freed += outcome.item.size or 0

    def _remove_image(self, item: Item) -> Outcome:
        """By the names that were shown: one that it got since keeps it."""
        now = self._engine.image(item.id)
        if now is None:
            return Outcome(item, False, "gone")
        if set(now.tags) - set(item.names):
            return Outcome(item, False, "named")
        for name in now.tags or (item.id,):
            self._engine.remove_image(name)
        return Outcome(item, True)

    # -- the build cache

    def start(self) -> None:
        self._supervisor.run("cache", self._keep_budget)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)

    def _keep_budget(self) -> None:
        while True:
            gevent.sleep(BUDGET_EVERY)
            self.keep_budget()

    def keep_budget(self) -> int:
        """Bytes that the build cache gave back so that it is within its budget."""
        try:
            freed = self._engine.shrink_cache(self.budget)
        except (EngineRefused, EngineUnreachable) as e:
            log.debug("the build cache is looked at later: %s", e)
            return 0
        if freed:
            self.cache_freed += freed
            log.info("the build cache was over its budget: %d bytes of it went", freed)
        return freed


def _volumes(release: Release) -> set[str]:
    return {mount.name for mount in release.spec.volumes if mount.name}
