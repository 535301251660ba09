"""Stacks: apps that a Compose file describes, deployed together, each once those that it needs
serve. What is asked for is written down first: after a kill the next start goes on with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import gevent
import orjson
from gevent.event import Event

from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor, backoff
from cloudbang.deploy.compose_file import Compose, Variable, project_name
from cloudbang.deploy.errors import ForAdmins, NameLost, OthersHaveIt
from cloudbang.deploy.record import now
from cloudbang.deploy.wanted import Wanted
from cloudbang.domain.deploy.compose import ComposeSource, Stack, stack_of
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.deploy.fields import SpecInvalid, unique
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import STACK, STACK_ALLOWED
from cloudbang.domain.deploy.stack_run import Part, StackRun, Why
from cloudbang.errors import (
    CloudBangError,
    EngineRefused,
    EngineUnreachable,
    NoSuchApp,
    StorageFailed,
    shortened,
)
from cloudbang.storage.database.deployments import DeployedApp
from cloudbang.storage.database.secrets import SecretStore
from cloudbang.storage.database.stacks import StackStore

log = logging.getLogger(__name__)

LOOKED_AT = 5.0  # seconds after which a stack is compared with its deployments, whatever was heard
MOST = 100  # apps of one


class Deploys(Protocol):
    """What is asked of :class:`cloudbang.deploy.service.Deployments`."""

    def begin(
        self, app: str, wanted: Wanted, by: str, *, admin: bool, wait: bool = False
    ) -> Deployment: ...
    def plan(self, app: str, wanted: Wanted, *, admin: bool) -> object: ...
    def get(self, id: int) -> Deployment | None: ...
    def find(
        self, app: str | None = None, states: Collection[str] = (), *, limit: int = 50
    ) -> list[Deployment]: ...
    def listen(self, listener: Callable[[Deployment], None]) -> None: ...
    def apps(self) -> list[DeployedApp]: ...
    def release(self, app: str, number: int) -> Release | None: ...


@dataclass(frozen=True, slots=True)
class Beside:
    """What else a stack needs. ``as_it_is``: the deployment that brought what serves, where that is
    what is wanted of an app, None otherwise; ``drop``: forgets a folder that was sent."""

    as_it_is: Callable[[str, Wanted, bool], int | None] = lambda app, wanted, admin: None
    drop: Callable[[str], None] = lambda upload: None
    carries: Callable[[str], bool | None] = lambda network: True


@dataclass(frozen=True, slots=True)
class ReadStack:
    """``stack``: None while a required variable has no value; ``missing``: files that are named
    and were not sent."""

    name: str
    stack: Stack | None
    variables: tuple[Variable, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WantedPart:
    """One app of a stack. ``spec``: SPEC as JSON; ``upload``: the folder that it is built of."""

    service: str
    spec: Mapping[str, object]
    after: tuple[str, ...] = ()
    upload: str = ""


class Stacks:
    """Compose files in, apps out. ``start`` goes on with what a process before this one left."""

    def __init__(
        self,
        compose: Compose,
        store: StackStore,
        secrets: SecretStore,
        deployments: Deploys,
        beside: Beside | None = None,
        look_every: float = LOOKED_AT,
    ) -> None:
        self._compose, self._store, self._secrets = compose, store, secrets
        self._deployments, self._look_every = deployments, look_every
        self._beside = beside or Beside()
        self._heard: dict[int, Event] = {}  # by run
        self._of: dict[int, int] = {}  # the run of a deployment
        self._supervisor = Supervisor("stacks")
        deployments.listen(self._changed)

    def start(self) -> None:
        """Raises StorageFailed."""
        self._compose.sweep()
        for run in self._store.running():
            self._spawn(run)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)

    def read(self, text: str, name: str, beside: ComposeSource) -> ReadStack:
        """The stack that a Compose file stands for. Raises ComposeInvalid, ComposeMissing,
        SpecInvalid, StorageFailed."""
        project = project_name(name)
        found = self._compose.read(text, project, beside)
        stack = None
        if found.config is not None:
            # Without an engine nobody knows: then it is said when it is deployed.
            with suppress(EngineUnreachable, EngineRefused):
                stack = stack_of(found.config, project, beside)
                stack = stack.on_networks(self._beside.carries)
        return ReadStack(project, stack, found.variables, found.missing)

    def others(self, stack: str, apps: Collection[str]) -> list[str]:
        """The apps of a stack that serve, but for these."""
        found = []
        for one in self._deployments.apps():
            if one.app in apps or not one.app.startswith(f"{stack}.") or one.serving is None:
                continue
            release = self._deployments.release(one.app, one.serving)
            if release is not None and release.spec.stack == stack:
                found.append(one.app)
        return sorted(found)

    def uploads(self) -> list[str]:
        """The folders that apps wait for which have not begun. Raises StorageFailed."""
        runs = self._store.running()
        return [part.upload for run in runs for part in run.parts if _waits_for_upload(part)]

    def get(self, id: int) -> StackRun | None:
        return self._store.get(id)

    def find(self, stack: str | None = None, limit: int = 50) -> list[StackRun]:
        """The newest first."""
        return self._store.find(stack, limit)

    def begin(
        self, stack: str, parts: Sequence[WantedPart], by: str, *, admin: bool, team: str
    ) -> StackRun:
        """Begin with those that need nothing; the others follow. ``team``: whose all of them are.

        Nothing is begun unless all can be. Raises as ``Deployments.begin``; what a service's
        specification may not hold as ``services.<service>.<field>``.
        """
        if not STACK.fullmatch(stack):
            raise SpecInvalid("stack", STACK_ALLOWED, stack)
        made = self._checked(stack, parts, admin, team)
        specs = {part.service: orjson.dumps(dict(part.spec)).decode() for part in parts}
        run = self._store.add(
            StackRun(0, stack, by, admin, now(), made, team),
            # Begun without them it could neither go on nor end.
            lambda c, id: self._secrets.put_in(c, _place(id), specs),
        )
        try:
            run = self._begin_ready(run)
        except CloudBangError:
            if all(part.deployment is None for part in (self._store.get(run.id) or run).parts):
                self._store.remove(run.id, lambda c, id: self._secrets.forget_in(c, _place(id)))
                raise
        self._spawn(run)
        return self._store.get(run.id) or run

    def _checked(
        self, stack: str, parts: Sequence[WantedPart], admin: bool, team: str
    ) -> tuple[Part, ...]:
        names = [part.service for part in parts]
        if not 1 <= len(parts) <= MOST:
            raise SpecInvalid("services", f"at most {MOST} of them", len(parts))
        unique(("services", name) for name in names)
        made = []
        for part in parts:
            app = f"{stack}.{part.service}"
            for other in part.after:
                if other not in names or other == part.service:
                    raise SpecInvalid(f"services.{part.service}.after", "another service", other)
            try:
                wanted = Wanted(spec=_of_stack(part.spec, stack), upload=part.upload, team=team)
                self._deployments.plan(app, wanted, admin=admin)
            except SpecInvalid as e:
                at = f"services.{part.service}.{e.field}"
                raise SpecInvalid(at, e.allowed, e.value, e.rule) from None
            except ForAdmins as e:
                raise ForAdmins(f"services.{part.service}.{e.field}") from None
            except OthersHaveIt as e:
                raise OthersHaveIt(f"services.{part.service}.{e.field}", e.name) from None
            made.append(Part(part.service, app, part.after, part.upload))
        left = {part.service: set(part.after) for part in parts}
        while free := [name for name, after in left.items() if not after & left.keys()]:
            for name in free:
                del left[name]
        if left:
            raise SpecInvalid("after", "an order without a circle", ", ".join(sorted(left)))
        return tuple(made)

    # -- within

    def _spawn(self, run: StackRun) -> None:
        self._heard[run.id] = Event()
        for part in run.parts:
            if part.deployment is not None:
                self._of[part.deployment] = run.id
        self._supervisor.once(str(run.id), self._follow, run.id)

    def _changed(self, deployment: Deployment) -> None:
        heard = self._heard.get(self._of.get(deployment.id, 0))
        if heard is not None:
            heard.set()

    def _follow(self, id: int) -> None:
        waits = backoff(0.5, 10)
        while True:
            try:
                run = self._store.get(id)
                if run is None:
                    break
                run = self._begin_ready(self._looked_at(run))
                if run.state != "running":
                    log.info("the stack %s, as %s wanted it: %s", run.stack, run.by, run.state)
                    self._secrets.forget(_place(id))
                    for part in filter(_waits_for_upload, run.parts):
                        self._beside.drop(part.upload)
                    break
            except CloudBangError as e:
                log.warning("the stack %d goes on later: %s", id, e)
                gevent.sleep(next(waits))
                continue
            waits = backoff(0.5, 10)
            heard = self._heard[id]
            heard.wait(self._look_every)
            heard.clear()
        self._heard.pop(id, None)
        for deployment in [one for one, its in self._of.items() if its == id]:
            del self._of[deployment]

    def _looked_at(self, run: StackRun) -> StackRun:
        """As its deployments are now."""
        for part in run.parts:
            if part.state != "running" or part.deployment is None:
                continue
            deployment = self._deployments.get(part.deployment)
            if deployment is None:
                run = self._keep(run, replace(part, state="cancelled"))
            elif deployment.state in ("serving", "failed", "cancelled"):
                run = self._keep(run, replace(part, state=deployment.state))
        return run

    def _begin_ready(self, run: StackRun) -> StackRun:
        """Raises what keeps the first from beginning; later ones have failed then."""
        while ready := run.ready():
            for part in ready:
                try:
                    run = self._keep(run, self._begin(run, part))
                except StorageFailed:
                    raise
                except CloudBangError as e:
                    if all(its.deployment is None for its in run.parts):
                        raise
                    log.warning("%s of the stack %s was not begun: %s", part.app, run.stack, e)
                    # All of them could be had when it was begun.
                    why = NameLost(part.app) if isinstance(e, NoSuchApp) else e
                    run = self._keep(run, replace(part, state="failed", why=_why(why)))
        return run

    def _begin(self, run: StackRun, part: Part) -> Part:
        """It on its way. One that serves as it is wanted is left as it is: of a stack that is
        deployed again most have not changed, and a database would stop for it."""
        begun = self._begun(run, part)
        if begun is None:
            kept = self._secrets.get(_place(run.id), {part.service: 1})[part.service]
            spec = _of_stack(orjson.loads(kept), run.stack)
            wanted = Wanted(spec=spec, upload=part.upload, team=run.team)
            there = self._beside.as_it_is(part.app, wanted, run.admin)
            if there is not None:
                return replace(part, state="serving", deployment=there)
            made = self._deployments.begin(part.app, wanted, run.by, admin=run.admin, wait=True)
            begun = made.id
        self._of[begun] = run.id
        return replace(part, state="running", deployment=begun)

    def _begun(self, run: StackRun, part: Part) -> int | None:
        """One that was begun just before a kill, and of which nothing could be written down."""
        newest = self._deployments.find(part.app, limit=1)
        mine = newest and newest[0].by == run.by and newest[0].created >= run.created
        taken = {its.deployment for its in run.parts}
        return newest[0].id if mine and newest[0].id not in taken else None

    def _keep(self, run: StackRun, part: Part) -> StackRun:
        run = run.put(part)
        self._store.save(run)
        return run


def _of_stack(spec: Mapping[str, object], stack: str) -> dict[str, object]:
    return {**spec, "stack": stack}


def _why(error: CloudBangError) -> Why:
    facts = {
        name: fact if isinstance(fact, int | float) else str(shortened(fact))
        for name, fact in error.facts().items()
    }
    return Why(error.template(), facts)


def _waits_for_upload(part: Part) -> bool:
    return bool(part.upload) and part.deployment is None


def _place(run: int) -> str:
    """Where its specifications are kept, which may hold secrets, until all have begun."""
    return f"@stack-{run}"
