"""The patterns that somebody gave an app's addresses: a label of the release that serves."""

from __future__ import annotations

from typing import Protocol

from cloudbang.domain.deploy.release import Release
from cloudbang.errors import CloudBangError
from cloudbang.storage.database.deployments import DeployedApp

LABEL = "traffic.addresses"
MOST = 50  # patterns of one app


class Releases(Protocol):
    """What is asked of the deployments."""

    def app(self, app: str) -> DeployedApp | None: ...
    def release(self, app: str, number: int) -> Release | None: ...


class AddressRules:
    """``/blog/* /docs/**`` in the label: separated by blanks, each from its slash on."""

    def __init__(self, releases: Releases) -> None:
        self._releases = releases

    def __call__(self, app: str) -> tuple[str, ...]:
        """Those of an app; none where the database cannot be asked. Waits for it."""
        try:
            its = self._releases.app(app)
            if its is None or its.serving is None:
                return ()
            release = self._releases.release(app, its.serving)
        except CloudBangError:
            return ()
        if release is None:
            return ()
        written = dict(release.spec.labels).get(LABEL, "").split()
        return tuple(one for one in written if one.startswith("/"))[:MOST]
