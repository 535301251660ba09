"""The channels ``deployment/<id>``, a deployment's log and what becomes of it, and ``deployment/*``,
what becomes of all.

A change is told after it was written down; of several that come while the last is being sent the
newest is told alone. Each reader has the sentence of a failure in their language.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, Protocol

from gevent.event import Event
from gevent.lock import Semaphore

from cloudbang.core.supervise import Supervisor
from cloudbang.deploy.log import log_name
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.web.deployment_json import deployment_json
from cloudbang.web.live.base import ViewerConnection, message
from cloudbang.web.live.feeds import Feed, FeedViewer
from cloudbang.web.live.line_viewer import LogViewer
from cloudbang.web.live.lines import LogChannel
from cloudbang.web.pages.i18n import say_in
from cloudbang.web.security.access import Apps, team_of
from cloudbang.web.server.frames import SharedFrame

RECENT = 50  # deployments that have ended, in the first message of deployment/*


class Deployments(Protocol):
    """What is asked of the deployments."""

    def get(self, id: int) -> Deployment | None: ...

    def find(
        self,
        app: str | None = None,
        states: Collection[str] = (),
        before: int | None = None,
        limit: int = 50,
    ) -> list[Deployment]: ...


class DeploymentChannel(LogChannel):
    """One deployment's log, to all who look at it now, and each change of the deployment."""

    def __init__(self, deployment: Deployment, store: LogStore, supervisor: Supervisor) -> None:
        super().__init__(
            log_name(deployment.id), store, supervisor, channel=f"deployment/{deployment.id}"
        )
        self.deployment = deployment
        self._told: tuple[DeploymentViewer, ...] = ()

    def changed(self, deployment: Deployment) -> None:
        """Tell everybody who looks. It may overtake lines that are on their way."""
        self.deployment = deployment
        frames: dict[str, SharedFrame] = {}
        for viewer in self._told:
            language = viewer.connection.language
            if language not in frames:
                frames[language] = SharedFrame(self.text(language))
            viewer.tell(frames[language])

    def text(self, language: str) -> bytes:
        """The message that tells how the deployment is now."""
        its = deployment_json(self.deployment, say_in(language))
        return message("deployment", self.name, next=self.store.next_seq(self.app), deployment=its)

    def join(self, viewer: DeploymentViewer) -> None:
        self._told = (*self._told, viewer)

    def part(self, viewer: DeploymentViewer) -> None:
        self._told = tuple(one for one in self._told if one is not viewer)


class DeploymentViewer(LogViewer):
    """One connection's view of a deployment. Overload: who is too slow for a change is told how the
    deployment is once they read again; what was in between is of no use to them."""

    __slots__ = ("_missed", "deployment")

    def __init__(
        self, connection: ViewerConnection, channel: DeploymentChannel, request: dict[str, Any]
    ) -> None:
        super().__init__(connection, channel, request)
        self.deployment = channel
        self._missed = False

    def started(self) -> None:
        """How it is, before its lines."""
        self.deployment.join(self)
        self.connection.send(self.deployment.text(self.connection.language))

    def tell(self, frame: SharedFrame) -> None:
        self._missed = not self.offer(frame)

    def drained(self) -> None:
        if self._missed:
            self.tell(SharedFrame(self.deployment.text(self.connection.language)))
        super().drained()

    def close(self) -> None:
        self.deployment.part(self)
        super().close()


class DeploymentsFeed(Feed):
    """``deployment/*``: at first all that have not ended and the newest that have, then each that
    goes to another state or step, to those who may see its app. Lives as long as the process: it
    knows what it was told, and needs no database to say it."""

    def __init__(self, deployments: Deployments, apps: Apps) -> None:
        super().__init__("deployment/*", ())
        self._deployments, self._apps = deployments, apps
        self._known: dict[int, Deployment] = {}
        self._loaded = False
        self._loading = Semaphore()

    def load(self) -> None:
        """What was before the start; once. Waits for the database. Raises StorageFailed."""
        with self._loading:
            if not self._loaded:
                found = self._deployments.find(limit=RECENT)
                found += self._deployments.find(states=("queued", "running"), limit=500)
                for one in found:
                    # What was told meanwhile is newer.
                    self._known.setdefault(one.id, one)
                self._loaded = True

    def now(self, id: int) -> Deployment | None:
        """A deployment as it is. Waits for the database. Raises StorageFailed."""
        before = self._known.get(id)
        found = self._deployments.get(id)
        after = self._known.get(id)
        # It is written down before it is told: what was told during the read may be newer.
        return found if after is before else after

    def first(self, viewer: FeedViewer) -> bytes:
        say = say_in(viewer.connection.language)
        seen = [one for one in self._newest() if self._team_of(one.app) in viewer.teams]
        return message("deployments", self.name, deployments=[_brief(one, say) for one in seen])

    def changed(self, deployment: Deployment) -> None:
        """Tell those who may see it, unless only the progress of a step is another."""
        before = self._known.get(deployment.id)
        self._known[deployment.id] = deployment
        self._forget_old()
        if before is not None and _outline(before) == _outline(deployment):
            return
        team = self._team_of(deployment.app)
        frames: dict[str, SharedFrame] = {}
        for viewer in self._group:
            if not viewer.live or team not in viewer.teams:
                continue
            language = viewer.connection.language
            if language not in frames:
                text = message(
                    "deployment", self.name, deployment=_brief(deployment, say_in(language))
                )
                frames[language] = SharedFrame(text)
            viewer.live = viewer.offer(frames[language])

    def forget(self, app: str, team: str) -> None:
        """An app of that team was deleted, and all that is known of it."""
        gone = [id for id, one in self._known.items() if one.app == app]
        for id in gone:
            del self._known[id]
        if gone:
            self.send(message("removed", self.name, app=app), team)

    def _newest(self) -> Iterator[Deployment]:
        ended = 0
        for _, one in sorted(self._known.items(), reverse=True):
            ended += one.ended
            if not one.ended or ended <= RECENT:
                yield one

    def _forget_old(self) -> None:
        if len(self._known) > 4 * RECENT:
            kept = {one.id: one for one in self._newest()}
            self._known = kept

    def _team_of(self, app: str) -> str:
        return team_of(app, self._apps)


class DeploymentNews:
    """What has changed and is not told yet: the newest of each deployment. Who changes it does not
    wait for who looks."""

    def __init__(self, tell: Callable[[Deployment], None]) -> None:
        self._tell = tell
        self._waiting: dict[int, Deployment] = {}
        self._some = Event()

    def changed(self, deployment: Deployment) -> None:
        """Does not wait."""
        self._waiting[deployment.id] = deployment
        self._some.set()

    def run(self) -> None:
        """Tell, for ever."""
        while True:
            self._some.wait()
            self._some.clear()
            while self._waiting:
                id = next(iter(self._waiting))
                self._tell(self._waiting.pop(id))


def _outline(deployment: Deployment) -> tuple[object, ...]:
    """What of it is worth a message to everybody."""
    steps = tuple((step.name, step.state) for step in deployment.steps)
    return (
        *(deployment.state, deployment.cancelled_by, deployment.settled, deployment.can_cancel),
        steps,
    )


def _brief(deployment: Deployment, say: Callable[[str], str]) -> dict[str, Any]:
    """DEPLOYMENT without the progress of its steps."""
    told = deployment_json(deployment, say)
    for step in told["steps"]:
        step.pop("progress", None)
    return told
