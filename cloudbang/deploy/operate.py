"""Apps, operated: started, stopped, restarted, scaled, deployed anew.

Each has the app for itself meanwhile: none of it comes between the steps of a deployment. What an
app is told to be (stopped, so many instances) is written down before the engine is told: a start
after a kill finds it so. Of an app that CloudBang did not deploy, its containers are started and
stopped, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from cloudbang.deploy.containers import Verb
from cloudbang.deploy.wanted import Wanted
from cloudbang.domain.apps import App, Instance
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import MAX_REPLICAS
from cloudbang.errors import BadRequest, CloudBangError
from cloudbang.storage.database.deployments import DeployedApp, DeploymentStore

log = logging.getLogger(__name__)

Action = Callable[..., None]
"""``record_action(app, container, who, what, **more)``."""


class Engine(Protocol):
    """What is asked of it."""

    def scale_service(self, name: str, replicas: int) -> bool: ...
    def restart_service(self, name: str, *, beside: bool) -> bool: ...


class Deployments(Protocol):
    """Who carries deployments out."""

    def occupied(self, app: str, by: str = "") -> AbstractContextManager[object]: ...
    def begin(self, app: str, wanted: Wanted, by: str, *, admin: bool) -> Deployment: ...


class Found(Protocol):
    """Containers that CloudBang did not make."""

    def do(self, verb: Verb, container: Instance, by: str) -> None: ...


class Apps(Protocol):
    """The registry."""

    def get(self, name: str) -> App | None: ...


class NotDeployed(CloudBangError):
    """Only what CloudBang deployed has releases that can be scaled, deployed anew or deleted."""

    code = "not-deployed"
    status = 409
    title = "CloudBang did not deploy it"
    sentence = "{app} was not deployed by CloudBang: start and stop its containers, or take it over as an app"

    def __init__(self, app: str) -> None:
        self.app = app
        super().__init__(app)


class NothingServes(CloudBangError):
    """There is no release that could be started: none ever served."""

    code = "nothing-serves"
    status = 409
    title = "Nothing serves yet"
    sentence = "no release of {app} has served yet: deploy it first"

    def __init__(self, app: str) -> None:
        self.app = app
        super().__init__(app)


class ServiceGone(CloudBangError):
    """Somebody removed the service of the release that is to serve."""

    code = "service-gone"
    status = 409
    title = "The service is gone"
    sentence = "the service {service} of {app} is gone from the engine: deploy the app anew"

    def __init__(self, app: str, service: str) -> None:
        self.app, self.service = app, service
        super().__init__(app, service)


class OneAtATime(CloudBangError):
    """What an app has can be had by one instance only."""

    code = "one-at-a-time"
    status = 409
    title = "Only one instance is possible"
    sentence = (
        "{app} can have one instance only, because of {because}: a volume may be marked as shared, "
        "and a port be left to the gateway"
    )

    def __init__(self, app: str, because: str) -> None:
        self.app, self.because = app, because
        super().__init__(app, because)


class Operations:
    """See the module."""

    def __init__(
        self,
        engine: Engine,
        store: DeploymentStore,
        deployments: Deployments,
        containers: Found,
        apps: Apps,
        record_action: Action,
    ) -> None:
        self._engine, self._store = engine, store
        self._deployments, self._containers = deployments, containers
        self._apps, self._act = apps, record_action

    def is_deployed(self, app: str) -> bool:
        """Whether CloudBang deployed it, or tried to."""
        return self._store.app(app) is not None or bool(self._store.releases(app, 1))

    # -- while it serves

    def start(self, app: str, by: str) -> None:
        """As many instances as it is to have. Raises NothingServes, ServiceGone, DeploymentRunning,
        and what the engine does."""
        if not self._serves(app):
            self._each("start", app, by)
            return
        with self._deployments.occupied(app, by):
            its, release = self._serving(app)
            self._store.save_app(replace(its, stopped=False))
            wanted = its.replicas if its.replicas is not None else release.spec.replicas
            self._scale(release, wanted or 1)
        self._act(app, "", by, "start")

    def stop(self, app: str, by: str) -> None:
        """None of its instances; the release stays. Raises as :meth:`start`."""
        if not self._serves(app):
            self._each("stop", app, by)
            return
        with self._deployments.occupied(app, by):
            its, release = self._serving(app)
            self._store.save_app(replace(its, stopped=True))
            self._scale(release, 0)
        self._act(app, "", by, "stop")

    def scale(self, app: str, replicas: int, by: str) -> None:
        """So many instances, until another release says another number. 0 stops it.
        Raises as :meth:`start`, BadRequest, NotDeployed, OneAtATime."""
        if not 0 <= replicas <= MAX_REPLICAS:
            raise BadRequest("replicas", replicas, f"a whole number from 0 to {MAX_REPLICAS}")
        if replicas == 0:
            self.stop(app, by)
            return
        with self._deployments.occupied(app, by):
            its, release = self._serving(app)
            if replicas > 1 and release.spec.exclusive:
                raise OneAtATime(app, ", ".join(release.spec.exclusive))
            self._store.save_app(replace(its, stopped=False, replicas=replicas))
            self._scale(release, replicas)
        self._act(app, "", by, "scale", replicas=replicas)

    def restart(self, app: str, by: str) -> None:
        """New containers of the same release, one after the other, and where two can run at once
        each before the old one stops. One that is stopped is started. Raises as :meth:`start`."""
        if not self._serves(app):
            self._each("restart", app, by)
            return
        with self._deployments.occupied(app, by):
            its, release = self._serving(app)
            if its.stopped:
                self._store.save_app(replace(its, stopped=False))
                wanted = its.replicas if its.replicas is not None else release.spec.replicas
                self._scale(release, wanted or 1)
            elif not self._engine.restart_service(
                release.service, beside=not release.spec.exclusive
            ):
                raise ServiceGone(app, release.service)
        self._act(app, "", by, "restart")

    def redeploy(self, app: str, by: str, *, admin: bool) -> Deployment:
        """A deployment of what serves, made anew: its image is asked for again, or built again.
        Raises NotDeployed, NothingServes and what beginning a deployment does."""
        _, release = self._serving(app)
        build = release.spec.build
        if build is not None and not build.git:
            # The folder that was sent is not kept: what was made of it is.
            wanted = Wanted(release=release.number)
        else:
            wanted = Wanted(release.spec.as_json())
        return self._deployments.begin(app, wanted, by, admin=admin)

    def _serves(self, app: str) -> bool:
        """Whether a release of it is to serve. Of one that never came to that, as of one that was
        being taken over, the containers that it has are somebody else's."""
        its = self._store.app(app)
        if its is not None and its.serving is not None:
            return True
        found = self._apps.get(app)
        return self.is_deployed(app) and not (found and found.instances)

    def _each(self, verb: Verb, app: str, by: str) -> None:
        """All of its containers; raises the first error when each has been tried. One-off tasks
        beside a service are not started again."""
        found = self._apps.get(app)
        failed: CloudBangError | None = None
        for one in found.counted if found else ():
            up = one.alive or one.state == "restarting"
            if (verb == "start") == up and verb != "restart":
                continue
            try:
                self._containers.do(verb, one, by)
            except CloudBangError as e:
                failed = failed or e
        if failed is not None:
            raise failed

    def _serving(self, app: str) -> tuple[DeployedApp, Release]:
        its = self._store.app(app)
        if its is None and not self._store.releases(app, 1):
            raise NotDeployed(app)
        if its is None or its.serving is None:
            raise NothingServes(app)
        release = self._store.release(app, its.serving)
        if release is None:
            raise NothingServes(app)
        return its, release

    def _scale(self, release: Release, replicas: int) -> None:
        if not self._engine.scale_service(release.service, replicas):
            raise ServiceGone(release.app, release.service)
