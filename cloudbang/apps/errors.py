"""What stands against removing an app."""

from __future__ import annotations

from cloudbang.errors import CloudBangError
from cloudbang.storage.logs.log_store import Deleted


class AppInUse(CloudBangError):
    """An app that has containers cannot be deleted: what the platform did not create, it leaves.

    ``deleted``: the lines of it that were, before a container came.
    """

    code = "app-in-use"
    status = 409
    title = "The app is in use"
    sentence = (
        "{app} still has {count} containers: remove them on the engine first, "
        "CloudBang does not touch them"
    )

    def __init__(self, app: str, count: int, deleted: Deleted | None = None) -> None:
        self.app, self.count, self.deleted = app, count, deleted
        super().__init__(app, count, deleted)


class NotGone(CloudBangError):
    """Only an app without containers can be put away."""

    code = "app-not-gone"
    status = 409
    title = "The app is not gone"
    sentence = "{app} still has {count} containers: only an app that is gone can be put away"

    def __init__(self, app: str, count: int) -> None:
        self.app, self.count = app, count
        super().__init__(app, count)
