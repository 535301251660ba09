"""A sign of life to an address of one's choice, so that somebody notices when CloudBang is gone.

It is given only while alerts are looked at: a process that still answers and looks at nothing any
more is as good as gone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import orjson
from gevent.event import Event as Flag

from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.notices import Notices
from cloudbang.core.supervise import Supervisor
from cloudbang.errors import CloudBangError
from cloudbang.monitoring.alerts.http_client import NotSent, Resolve, post, resolved
from cloudbang.monitoring.alerts.senders import shown_of
from cloudbang.storage.database.alert_settings import AlertSettings

log = logging.getLogger(__name__)

PLACE = "@sign-of-life"
ADDRESS = "address"
SETTING = "sign-of-life"
LOOKED_WITHIN = 120.0  # seconds
FAILURES = 3  # in a row, after which it is said
NOTICE = "sign-of-life-failed"


class Secrets(Protocol):
    """What is asked of the store of secrets."""

    def get(self, app: str, versions: dict[str, int]) -> dict[str, str]: ...
    def newest(self, app: str) -> dict[str, int]: ...
    def replace(self, app: str, values: dict[str, str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Sign:
    """``minutes`` between two; 0: none is given. ``shown``: of the address what is no secret."""

    minutes: float = 0.0
    private: bool = False
    shown: str = ""


class SignOfLife:
    """GET, again and again."""

    def __init__(
        self,
        settings: AlertSettings,
        secrets: Secrets,
        notices: Notices,
        looked_at: Callable[[], float | None],
        resolve: Resolve = resolved,
    ) -> None:
        self._settings, self._secrets, self._notices = settings, secrets, notices
        self._looked_at, self._resolve = looked_at, resolve
        self._changed = Flag()
        self._supervisor = Supervisor("sign-of-life")
        self.last: float | None = None  # seconds since 1970, of the last that was taken
        self.why = ""  # the last one failed

    def start(self) -> None:
        self._supervisor.run("give", self._run)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)

    def read(self) -> Sign:
        """Raises StorageFailed."""
        kept = self._settings.value(SETTING)
        return Sign(**orjson.loads(kept)) if kept else Sign()

    def save(self, minutes: float, private: bool, address: str | None) -> Sign:
        """``address`` None: as it is. Raises StorageFailed, StorageFull."""
        if address:
            self._secrets.replace(PLACE, {ADDRESS: address})
        shown = shown_of("webhook", address) if address else self.read().shown
        sign = Sign(minutes if shown else 0.0, private, shown)
        kept = {"minutes": sign.minutes, "private": sign.private, "shown": sign.shown}
        self._settings.set_value(SETTING, orjson.dumps(kept).decode())
        self._notices.end(NOTICE)
        self._changed.set()
        return sign

    def _run(self) -> None:
        failures = 0
        while True:
            self._changed.clear()
            try:
                sign = self.read()
            except CloudBangError as e:
                log.warning("whether a sign of life is wanted is not known: %s", e)
                self._changed.wait(60.0)
                continue
            if not sign.minutes:
                self._changed.wait()
                failures = 0
                continue
            looked = self._looked_at()
            if looked is not None and time.monotonic() - looked < LOOKED_WITHIN:
                self.why = self._give(sign)
                failures = failures + 1 if self.why else 0
                if failures >= FAILURES:
                    text = f"{sign.shown}: {self.why}"
                    self._notices.begin(NOTICE, text, setting="alerts", severity="warning")
                elif not failures:
                    self._notices.end(NOTICE, "the sign of life is taken again")
            self._changed.wait(sign.minutes * 60.0)

    def _give(self, sign: Sign) -> str:
        """Why it was not taken; "" when it was."""
        try:
            known = self._secrets.get(PLACE, self._secrets.newest(PLACE))
            address = known.get(ADDRESS, "")
            reply = post(
                *(address, b"", {}), private=sign.private, method="GET", resolve=self._resolve
            )
        except (NotSent, CloudBangError) as e:
            return str(e)
        if not 200 <= reply.status < 300:
            return f"it answered {reply.status}"
        self.last = time.time()
        return ""
