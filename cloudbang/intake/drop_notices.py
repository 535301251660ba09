"""What programs put and is not kept, and they could not know: said, while it goes on."""

from __future__ import annotations

import time

from cloudbang.core.notices import Notices

SAID_FOR = 30.0  # seconds
SAY_EVERY = 1.0  # seconds between two sentences about the same


class DropNotices:
    """Counts what is said: how many messages since it began, at most once a second."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._runs: dict[tuple[str, str], _Run] = {}

    def tell(self, code: str, why: str, *, messages: int = 1, app: str = "") -> None:
        """``messages`` were dropped, on ``app`` or, when it is empty, on many: ``why`` is said with
        how many of them there were since it began."""
        now = time.monotonic()
        run = self._runs.get((code, app))
        if run is None:
            self._runs = {k: r for k, r in self._runs.items() if now - r.said < SAID_FOR}
            run = self._runs[code, app] = _Run()
        elif now - run.said >= SAID_FOR:
            run.messages = 0  # what was said has ended meanwhile
        run.messages += messages
        if now - run.said >= SAY_EVERY:
            run.said = now
            said = f"{run.messages} messages that programs put were dropped: {why}"
            self._notices.begin(code, said, app=app, severity="warning", lasts=SAID_FOR)


class _Run:
    """Messages that were dropped in a row, and when this was said last."""

    __slots__ = ("messages", "said")

    def __init__(self) -> None:
        self.messages, self.said = 0, float("-inf")
