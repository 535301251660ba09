"""Alerts as others see them: rules and receivers made and changed, and all that runs for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.notices import Notices
from cloudbang.domain.alerts.receivers import SECRETS, Receiver
from cloudbang.domain.alerts.rules import DEFAULTS, NoRule, Rule
from cloudbang.domain.lines import format_time
from cloudbang.monitoring.alerts.about import Apps, Containers, Events, Measured, Recorder
from cloudbang.monitoring.alerts.backtest import Backtest
from cloudbang.monitoring.alerts.backtest import Found as Backtested
from cloudbang.monitoring.alerts.engine import AlertEngine
from cloudbang.monitoring.alerts.errors import (
    AlertField,
    NoSuchIncident,
    NoSuchReceiver,
    NoSuchRule,
    TooManyOfThem,
)
from cloudbang.monitoring.alerts.news import News
from cloudbang.monitoring.alerts.outbox import Outbox, place_of
from cloudbang.monitoring.alerts.senders import Outcome, shown_of
from cloudbang.monitoring.alerts.sign_of_life import SignOfLife
from cloudbang.monitoring.alerts.texts import SayIn
from cloudbang.storage.database.alert_settings import AlertSettings
from cloudbang.storage.database.alerts import AlertStore
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.rows import With
from cloudbang.storage.database.secrets import SecretStore

MOST_RULES, MOST_RECEIVERS = 500, 50  # of all; of a team


class Around(NamedTuple):
    """What alerts are about, and who tells of it."""

    apps: Apps
    containers: Containers
    events: Events
    recorder: Recorder
    measured: Sequence[Measured]


class Alerts:
    """The one part that others are handed."""

    def __init__(
        self,
        database: Database,
        secrets: SecretStore,
        around: Around,
        notices: Notices,
        say_in: SayIn,
        *,
        link: str = "",
        news: News | None = None,
        backtest: Backtest | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.store, self.settings = AlertStore(database), AlertSettings(database)
        self._secrets, self._clock = secrets, clock
        self._news = news = news or News()
        self._backtest = backtest
        self.outbox = Outbox(
            self.store, self.settings, secrets, notices, say_in, link=link, news=news
        )
        self.engine = AlertEngine(
            *(self.store, self.settings, around.apps, around.containers, around.events),
            *(around.recorder, self.outbox.wake, around.measured),
            news=news,
        )
        self.sign_of_life = SignOfLife(
            self.settings, secrets, notices, lambda: self.engine.looked_at
        )

    def start(self) -> None:
        """Raises StorageFailed, StorageFull."""
        now = self._now()
        self.settings.make_defaults([replace(rule, created=now) for rule in DEFAULTS])
        self.outbox.start()
        self.engine.start()
        self.sign_of_life.start()

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self.sign_of_life.stop(deadline)
        self.engine.stop(deadline)
        self.outbox.stop(deadline)

    # -- rules

    def rule(self, id: int) -> Rule:
        """Raises NoSuchRule."""
        found = self.settings.rule(id)
        if found is None:
            raise NoSuchRule(id)
        return found

    def add_rule(self, rule: Rule) -> Rule:
        """Raises AlertField, TooManyOfThem."""
        self._check(rule)
        if len(self.settings.rules()) >= MOST_RULES:
            raise TooManyOfThem(MOST_RULES)
        made = self.settings.add_rule(replace(rule, created=self._now()))
        self.engine.reload()
        self._news.changed("settings", rule.team)
        return made

    def save_rule(self, rule: Rule) -> None:
        """Raises AlertField."""
        self._check(rule)
        self.settings.save_rule(rule)
        self.engine.reload()
        self._news.changed("settings", rule.team)

    def delete_rule(self, rule: Rule) -> None:
        self.settings.delete_rule(rule.id)
        self.engine.reload()
        self._news.changed("settings", rule.team)

    def preview(self, rule: Rule, apps: Sequence[str]) -> Backtested | None:
        """How often it would have been an alert of these apps in the last day; None where nobody keeps
        what was. Raises AlertField, StorageFailed."""
        self._check(rule)
        return self._backtest.look(rule, apps) if self._backtest else None

    # -- receivers

    def receiver(self, id: int) -> Receiver:
        """Raises NoSuchReceiver."""
        found = self.settings.receiver(id)
        if found is None:
            raise NoSuchReceiver(id)
        return found

    def add_receiver(self, receiver: Receiver, secrets: Mapping[str, str]) -> Receiver:
        """Raises AlertField, TooManyOfThem."""
        if len(self.settings.receivers({receiver.team})) >= MOST_RECEIVERS:
            raise TooManyOfThem(MOST_RECEIVERS)
        shown = self._checked(receiver, secrets)
        made = self.settings.add_receiver(
            replace(shown, created=self._now()), self._keeps(receiver, secrets)
        )
        self._news.changed("settings", made.team)
        return made

    def save_receiver(self, receiver: Receiver, secrets: Mapping[str, str]) -> Receiver:
        """``secrets``: those that are others now; "" takes one away. What was kept for another place is
        not sent to a new one. Raises NoSuchReceiver, AlertField."""
        before, known = self.receiver(receiver.id), self._known(receiver)
        of_before, of_now = before.options, receiver.options
        if secrets.get("address", known.get("address")) != known.get("address"):
            known.pop("secret", None)
        if (of_before.host, of_before.port) != (of_now.host, of_now.port):
            known.pop("password", None)
        if of_now.security == "none" != of_before.security:
            known.pop("password", None)
        now = {**known, **secrets}
        changed = self._checked(receiver, now)
        # What stood in the way may be gone.
        changed = replace(changed, failures=0, why="", until=0.0)
        self.settings.save_receiver(changed, self._keeps(receiver, now))
        self.outbox.forget(receiver.id)
        self._news.changed("settings", changed.team)
        return changed

    def delete_receiver(self, receiver: Receiver) -> None:
        self.settings.delete_receiver(
            receiver.id, lambda c, id: self._secrets.forget_in(c, place_of(id))
        )
        self.outbox.forget(receiver.id)
        self._news.changed("settings", receiver.team)

    def test(self, receiver: Receiver) -> Outcome:
        """Send a test now."""
        return self.outbox.test(receiver)

    # -- incidents

    def acknowledge(self, id: int, who: str) -> None:
        """Raises NoSuchIncident."""
        found = self.store.incident(id)
        if found is None:
            raise NoSuchIncident(id)
        self.store.acknowledge(id, who, self._now())
        self._news.changed("alerts", found.team)

    # -- what may be written

    @staticmethod
    def _check(rule: Rule) -> None:
        try:
            rule.check()
        except NoRule as e:
            raise AlertField(e.field, e.allowed) from None

    def _checked(self, receiver: Receiver, secrets: Mapping[str, str]) -> Receiver:
        """With what of its address is shown. Raises AlertField."""
        options = receiver.options
        try:
            options.check()
        except NoRule as e:
            raise AlertField(e.field, e.allowed) from None
        if not 1 <= len(receiver.name) <= 100 or not receiver.name.isprintable():
            raise AlertField("name", "1 to 100 printable characters")
        if options.second is not None:
            second = self.settings.receiver(options.second)
            if second is None or second.team != receiver.team or second.id == receiver.id:
                raise AlertField("second", "another receiver of the same team")
        if receiver.kind == "email":
            if not options.host or not options.sender or not options.to:
                raise AlertField(
                    "host", "the name of a mail server, with a sender and who it is to"
                )
            return receiver
        address = secrets.get("address", "")
        if not address.startswith(("https://", "http://")) or not address.isprintable():
            raise AlertField("address", "an address that begins with https:// or http://")
        shown = shown_of(receiver.kind, address)
        return replace(receiver, options=replace(options, shown=shown))

    def _known(self, receiver: Receiver) -> dict[str, str]:
        place = place_of(receiver.id)
        return self._secrets.get(place, self._secrets.newest(place))

    def _keeps(self, receiver: Receiver, secrets: Mapping[str, str]) -> With:
        """With its row what it is told and nobody else: without its address it would take no
        message, for ever, and with the one of before it would send there."""
        kept = {name: secrets[name] for name in SECRETS[receiver.kind] if secrets.get(name)}
        return lambda c, id: self._secrets.put_in(c, place_of(id), kept, alone=True)

    def _now(self) -> str:
        return format_time(self._clock())
