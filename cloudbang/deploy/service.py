"""Deployments as the rest of CloudBang knows them: begun, planned, found, cancelled, listened to.

What is kept is in the database; those that go on are in memory as well, each with a greenlet that
carries it out, and are taken up again at the next start.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import gevent
from gevent.lock import RLock

from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor, backoff
from cloudbang.deploy.errors import DeploymentRunning, NoSuchDeployment, SwarmOff
from cloudbang.deploy.log import DeploymentLog, log_name
from cloudbang.deploy.owner import claim, team_of
from cloudbang.deploy.parts import Around, Parts
from cloudbang.deploy.reach import check_reach, require_way
from cloudbang.deploy.record import Record, event_of, now
from cloudbang.deploy.settling import Settling
from cloudbang.deploy.swarm_mode import SwarmMode
from cloudbang.deploy.turns import Turn, Turns
from cloudbang.deploy.wanted import PlanMade, Wanted, WantedReader, planned
from cloudbang.deploy.watch import is_asked
from cloudbang.deploy.work import Work
from cloudbang.deploy.worker import Worker
from cloudbang.domain.deploy.deployment import Deployment, NotNow, Source, StepName, usual_steps
from cloudbang.domain.deploy.release import ImageIs, Release
from cloudbang.domain.deploy.spec import Spec
from cloudbang.domain.lines import record_ns
from cloudbang.errors import CloudBangError, EngineRefused, EngineUnreachable, NoSuchApp
from cloudbang.storage.database.deployments import DeployedApp

log = logging.getLogger(__name__)

LEAVES = 5.0  # seconds in which a deployment that is over has tidied up, as a rule
USUAL = 10  # deployments of which the usual time of a step is taken


class Deployments:
    """``load`` before anything is asked; ``start`` goes on with what was left."""

    def __init__(self, parts: Parts, around: Around) -> None:
        self._parts, self._around = parts, around
        self._store = parts.store
        self._turns = Turns()
        self._settling = Settling()
        self._held: set[str] = set()  # apps whose next one settles
        self._records: dict[int, Record] = {}  # of those that are not settled
        self._workers: dict[int, Worker] = {}
        self._left: list[Turn] = []  # of those that a process before this one had begun
        self._locks: dict[str, RLock] = {}
        self._listeners: list[Callable[[Deployment], None]] = []
        self._supervisor = Supervisor("deployments")
        self._swarm = SwarmMode(parts.engine)
        self._wanted = WantedReader(parts)

    # -- life

    def load(self) -> None:
        """Know what a process before this one left, before anybody asks. Raises StorageFailed."""
        for deployment in self._store.unsettled():
            # The registry writes later than we do.
            self._registered(deployment, self._around.apps.team_of(deployment.app))
            self._records[deployment.id] = Record(self._store, deployment, self._tell)
            if deployment.state == "queued":
                self._turns.wait(deployment.app, deployment.id)
            else:
                turn = Turn(deployment.by, deployment.created, deployment.id)
                self._turns.resume(deployment.app, turn)
                self._left.append(turn)

    def start(self) -> None:
        """Go on with it."""
        while self._left:
            turn = self._left.pop(0)
            self._spawn(turn.id, turn)
        for app in self._turns.apps():
            self._next(app)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Leave everything as it stands; the next start goes on."""
        self._supervisor.stop(deadline)

    def listen(self, listener: Callable[[Deployment], None]) -> None:
        """Call ``listener(deployment)`` on the hub after each change of one; it must not wait."""
        self._listeners.append(listener)

    # -- what is asked

    def get(self, id: int) -> Deployment | None:
        record = self._records.get(id)
        return record.now if record else self._store.get(id)

    def find(
        self,
        app: str | None = None,
        states: Collection[str] = (),
        before: int | None = None,
        limit: int = 50,
    ) -> list[Deployment]:
        """The newest first; ``before``: only those with a smaller id."""
        found = self._store.find(app, states, before, limit)
        return [its.now if (its := self._records.get(one.id)) else one for one in found]

    def more(self, id: int) -> tuple[dict[str, object], list[str]] | None:
        """From what it was made, and its last lines; None when there is none."""
        return self._store.more(id)

    def releases(
        self, app: str, before: int | None = None, limit: int = 500
    ) -> list[tuple[str, Release]]:
        """When each was made, and what it is; the newest first; ``before``: only those with a
        smaller number."""
        return self._store.releases(app, limit, before)

    def release(self, app: str, number: int) -> Release | None:
        return self._store.release(app, number)

    def ways_back(self, app: str) -> dict[int, ImageIs | None]:
        """The releases that one can go back to, by number, and where the image of each is."""
        return self._wanted.ways_back(app)

    def secrets(self, app: str) -> dict[str, int]:
        """By the names of an app's secrets the newest version there is."""
        return self._parts.secrets.newest(app)

    def app(self, app: str) -> DeployedApp | None:
        return self._store.app(app)

    def apps(self) -> list[DeployedApp]:
        return self._store.apps()

    def usual(self, app: str, before: int | None = None) -> dict[StepName, float]:
        """By step the seconds that it usually takes: of the last ten that served, and began before
        the deployment with the id ``before``."""
        return usual_steps(self._store.find(app, ("serving",), before, USUAL))

    def plan(self, app: str, wanted: Wanted, *, admin: bool) -> PlanMade:
        """What would change; nothing does. Raises as :meth:`begin`, but for who else deploys."""
        made = self._wanted.plan(app, wanted, self._serving(app), admin=admin)
        self._check_reach(app, wanted, made.spec, admin)
        return made

    def refusal(self, app: str) -> CloudBangError | None:
        """What keeps any deployment of an app from beginning now, but for an engine that is away."""
        try:
            self._may_begin(app, wait=False)
        except (DeploymentRunning, SwarmOff) as e:
            return e
        except (EngineUnreachable, EngineRefused):
            pass
        return None

    # -- what is done

    def swarm_on(self, by: str) -> None:
        """Switch Swarm mode on, for this machine alone; nothing when it is on already."""
        self._swarm.switch_on()
        log.info("Swarm mode is on, as %s said", by)

    def begin(
        self,
        app: str,
        wanted: Wanted,
        by: str,
        *,
        admin: bool,
        wait: bool = False,
        settle: bool = False,
    ) -> Deployment:
        """Begin a deployment; ``wait``: after the one that goes on, if one does. Of several that
        wait only the newest is kept. ``settle``: others may follow it quickly.

        Raises NoSuchApp for one that is another team's, SpecInvalid, ForAdmins, OthersHaveIt,
        NoSuchRelease, SwarmOff, OwnNetwork, DeploymentRunning, RouteTaken, NoFreePort, SecretUnreadable,
        EngineUnreachable, StorageFailed, StorageFull.
        """
        with self._lock(app):
            team_of(app, wanted.team, self._around.apps)
            self._may_begin(app, wait)
            read = self._wanted.read(app, wanted, self._serving(app), admin=admin)
            self._check_reach(app, wanted, read.release.spec, admin)
            self._parts.gateway.check(app, read.release.spec, wanted.team)
            team = claim(app, wanted.team, self._around.apps)
            release = self._wanted.keep(app, read)
            made = Deployment(0, app, 0, 0, None, by, now(), ())
            made = planned(made, release, read.source, self._serving(app))
            told = {**read.told, "asked": wanted.asked} if wanted.asked else read.told
            release, made = self._store.add(
                release, made, told, self._wanted.lowest_number(app, release)
            )
            self._records[made.id] = Record(self._store, made, self._tell)
            self._registered(made, team)
            text = f"deployment {made.number} of {app}: release {release.number}, by {by}"
            try:
                self._log(made, release).say(text)
            except CloudBangError as e:  # it is written down, and comes to its turn
                log.warning("deployment %d has no first line: %s", made.id, e)
            self._tell(made)
            before = self._turns.wait(app, made.id)
            if before is not None:
                self._give_up(before)
            if settle:
                self._settling.came(app)
            else:
                self._settling.begins(app)
            self._next(app)
        return self.get(made.id) or made

    def cancel(self, id: int, by: str) -> Deployment:
        """Have it end; what it began is undone. Raises NoSuchDeployment, NotNow, StorageFailed,
        StorageFull."""
        record = self._records.get(id)
        if record is None:
            ended = self._store.get(id)
            if ended is None:
                raise NoSuchDeployment(id)
            raise NotNow(ended.app, ended.number, ended.state)
        waits = record.now.state == "queued"
        deployment = record.change(lambda d: d.cancel(by, now()))
        if waits and deployment.ended:
            self._turns.leave(deployment.app, id)
            self._settled(deployment)
        elif (worker := self._workers.get(id)) is not None:
            worker.cancel()
        return deployment

    @contextmanager
    def occupied(self, app: str, by: str = "CloudBang") -> Iterator[None]:
        """Nobody deploys an app meanwhile. Raises DeploymentRunning when somebody does."""
        turn = Turn(by, now())
        with gevent.Timeout(LEAVES, False):
            while (had := self._turns.who(app)) is not None and self._is_over(had):
                gevent.sleep(0.02)
        if not self._turns.take(app, turn):
            who = self._turns.who(app)
            waits = self.get(self._turns.waits(app) or 0)
            if who is None and waits is not None:
                who = Turn(waits.by, waits.created, waits.id)
            who = who or turn
            raise DeploymentRunning(app, who.by, who.since, who.id)
        try:
            yield
        finally:
            self._turns.done(app, turn)
            self._next(app)

    # -- within

    def _registered(self, deployment: Deployment, team: str) -> None:
        self._around.apps.create(deployment.app, team)
        self._around.apps.keep_log(log_name(deployment.id), deployment.app)

    def _check_reach(self, app: str, wanted: Wanted, spec: Spec, admin: bool) -> None:
        team = team_of(app, wanted.team, self._around.apps)
        if is_asked(spec):
            require_way(self._parts.engine, team)
        if not admin:
            check_reach(spec, team, self._around.apps, self._store, self._parts.engine)

    def _may_begin(self, app: str, wait: bool) -> None:
        who = self._turns.who(app)
        if who is not None and not (wait or self._is_over(who)):
            raise DeploymentRunning(app, who.by, who.since, who.id)
        self._swarm.require()

    def _is_over(self, turn: Turn) -> bool:
        """Whether who has an app is about to leave it: its verdict is known, or it is cancelled,
        and it tidies up. The next one is let wait then, and not sent away."""
        record = self._records.get(turn.id)
        return bool(turn.id) and (
            record is None or record.now.ended or bool(record.now.cancelled_by)
        )

    def _serving(self, app: str) -> Release | None:
        kept = self._store.app(app)
        if kept is None or kept.serving is None:
            return None
        return self._store.release(app, kept.serving)

    def _lock(self, app: str) -> RLock:
        return self._locks.setdefault(app, RLock())

    def _next(self, app: str) -> None:
        """Let the one that is next begin, if nobody has the app."""
        if self._settling.left(app) and self._turns.waits(app) is not None:
            self._supervisor.once(f"settle {app}", self._next_when_settled, app)
            return
        id = self._turns.next(app)
        if id is None:
            return
        self._settling.begins(app)
        deployment = self._records[id].now
        turn = Turn(deployment.by, deployment.created, id)
        self._turns.take(app, turn)
        self._spawn(id, turn)

    def _next_when_settled(self, app: str) -> None:
        if app not in self._held:
            self._held.add(app)
            while left := self._settling.left(app):
                gevent.sleep(left)
            self._held.remove(app)
            self._next(app)

    def _spawn(self, id: int, turn: Turn) -> None:
        self._supervisor.once(str(id), self._carry_out, id, turn)

    def _carry_out(self, id: int, turn: Turn) -> None:
        record = self._records[id]
        waits = backoff(0.5, 10)
        while not record.now.settled:
            try:
                self._work_off(record)
                continue
            except CloudBangError as e:
                log.warning("deployment %d goes on later: %s", id, e)
            except Exception:
                log.exception("deployment %d goes on later", id)
            gevent.sleep(next(waits))
        self._settled(record.now)
        self._turns.done(record.now.app, turn)
        self._next(record.now.app)

    def _work_off(self, record: Record) -> None:
        begins = record.now.state == "queued"
        worker = Worker(self._work(record))
        self._workers[record.now.id] = worker
        try:
            if record.now.cancelled_by:
                worker.cancel()
            if begins:
                self._around.events.record(event_of(record.now, "began"))
            worker.run()
        finally:
            del self._workers[record.now.id]

    def _work(self, record: Record) -> Work:
        deployment = record.now
        release = self._store.release(deployment.app, deployment.release)
        if release is None:
            raise NoSuchApp(deployment.app)
        if deployment.state == "queued":
            # What serves may be another release than when it was asked for.
            source = self._source(deployment)
            deployment = record.keep(lambda d: planned(d, release, source, self._serving(d.app)))
        previous = None
        if deployment.previous is not None:
            previous = self._store.release(deployment.app, deployment.previous)
        _, newest = self._around.logs.newest(log_name(deployment.id), 1, 1 << 20)
        begun = deployment.entered("start")
        since = record_ns(newest[-1]) + 1 if newest and begun else 0
        told = self._log(deployment, release)
        return Work(self._parts, record, release, previous, told, since, resumed=begun)

    def _source(self, deployment: Deployment) -> Source:
        more = self._store.more(deployment.id)
        told = more[0] if more else {}
        match told.get("kind"):
            case "kept":
                return "kept-away" if told.get("image") else "kept"
            case "git" | "upload" | "built" as kind:
                return kind
        return "image"

    def _log(self, deployment: Deployment, release: Release) -> DeploymentLog:
        secrets = self._parts.secrets.get(release.app, release.secrets)
        return DeploymentLog(self._around.sink, deployment.id, secrets.values())

    def _give_up(self, id: int) -> None:
        """A newer one takes its place: nobody has cancelled it."""
        record = self._records[id]
        deployment = record.keep(lambda d: d.cancel("", now()))
        self._settled(deployment)

    def _settled(self, deployment: Deployment) -> None:
        if not deployment.settled or self._records.pop(deployment.id, None) is None:
            return
        self._around.events.record(event_of(deployment, deployment.state))
        try:
            self._parts.sources.discard(deployment.id)
        except CloudBangError as e:
            log.warning("what deployment %d was made from stays: %s", deployment.id, e)

    def _tell(self, deployment: Deployment) -> None:
        for listener in self._listeners:
            try:
                listener(deployment)
            except Exception:
                log.exception("a listener of deployments failed")


__all__ = ["Around", "Deployments", "PlanMade", "Wanted"]
