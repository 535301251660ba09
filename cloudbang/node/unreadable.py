"""Why the logs of some containers are not read: said with the container, and where something is
refused as a notice, too."""

from __future__ import annotations

from typing import Literal

from cloudbang.core.notices import Notices
from cloudbang.errors import EngineRefused

Call = Literal["inspect", "logs"]  # what has to be allowed to read a log


class Unreadable:
    """By container (its full id), for as long as that is there."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._reasons: dict[str, dict[Call, str]] = {}

    def reason(self, container: str) -> str | None:
        """What stands with the container; None while its log is read."""
        return next(iter(self._reasons.get(container, {}).values()), None)

    def says(self, container: str, call: Call, reason: str) -> None:
        """The engine itself says that this log cannot be read."""
        self._reasons.setdefault(container, {})[call] = reason

    def refused(self, container: str, app: str, call: Call, error: EngineRefused) -> None:
        """It may not be asked for, or failed."""
        self.says(container, call, str(error))
        self._notices.begin(f"refused-{call}", str(error), app=app, container=container[:12])

    def well(self, container: str, call: Call) -> bool:
        """It could be asked for; whether it could not before."""
        if self._reasons.get(container, {}).pop(call, None) is None:
            return False
        said = f"container {container[:12]} can be asked about again ({call})"
        self._notices.end(f"refused-{call}", said, container=container[:12])
        return True

    def forget(self, container: str) -> None:
        """The engine has it no more."""
        for call in self._reasons.pop(container, ()):
            self._notices.end(f"refused-{call}", container=container[:12])
