"""Whether an app serves already what is wanted of it."""

from __future__ import annotations

from cloudbang.deploy.parts import Parts
from cloudbang.deploy.service import Deployments
from cloudbang.deploy.wanted import Wanted

LOOKED_AT = 20  # deployments of an app, for the one that brought what serves


class AsItIs:
    """Asks what is kept, and the engine."""

    def __init__(self, parts: Parts, deployments: Deployments) -> None:
        self._parts, self._deployments = parts, deployments

    def deployment(self, app: str, wanted: Wanted, admin: bool) -> int | None:
        """The deployment that brought what serves, where that is what is wanted, by the image that
        its name stands for now, and all of it runs; None otherwise, of a job, and of what is built:
        its source may be another one.

        Raises as ``Deployments.plan``.
        """
        engine, store = self._parts.engine, self._parts.store
        kept = store.app(app)
        if kept is None or kept.serving is None or kept.stopped:
            return None
        release = store.release(app, kept.serving)
        if release is None or release.spec.may_end or release.spec.build is not None:
            return None
        if wanted.upload or self._deployments.find(app, ("queued", "running"), limit=1):
            return None
        if self._deployments.plan(app, wanted, admin=admin).plan.changes:
            return None
        image = engine.image(release.spec.image)
        if image is None or image.id != release.image_id:
            return None
        tasks = engine.tasks(release.service)
        running = {task.slot for task in tasks if task.state == task.wanted == "running"}
        if len(running) < (release.spec.replicas if kept.replicas is None else kept.replicas):
            return None
        brought = store.find(app, ("serving",), limit=LOOKED_AT)
        return next((one.id for one in brought if one.release == kept.serving), None)
