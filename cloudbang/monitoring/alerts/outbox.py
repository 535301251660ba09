"""Messages on their way to who is to be told. Each is kept before it is sent, and sent until it is
taken, for a day; what ends this process in between loses none of them.

A receiver that cannot be reached is tried again and again, a while longer each time, and nothing
else is sent to it meanwhile; after some failures the one that was named as its second is told as
well. One message that a service does not want stands in the way of no other.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, Protocol

import gevent
from gevent.event import Event as Flag

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.notices import Notices
from cloudbang.core.supervise import Supervisor
from cloudbang.core.wall_clock import WallClock, passed
from cloudbang.domain.alerts.delivery import (
    CAP_WITHIN,
    LONGEST_WAIT,
    SECOND,
    is_given_up,
    quiet_hours,
    wait_after,
)
from cloudbang.domain.alerts.receivers import Kind, Receiver
from cloudbang.errors import CloudBangError, StorageFailed, StorageFull
from cloudbang.monitoring.alerts.news import News
from cloudbang.monitoring.alerts.senders import PORTAL, Letter, Outcome, send
from cloudbang.monitoring.alerts.texts import SayIn
from cloudbang.storage.database.alert_rows import Attempt, Message
from cloudbang.storage.database.alert_settings import AlertSettings
from cloudbang.storage.database.alerts import AlertStore

log = logging.getLogger(__name__)

EVERY = 30.0  # seconds between two looks, if nobody wakes it
AGAIN = 2.0  # seconds until the next look while the database is away
WHYS = (
    "quiet hours",
    "more than it takes in ten minutes",
    "somebody looks at it",
    "the receiver is off",
    "the receiver was deleted",
    "it is over",
    "it redirects: give the address that it leads to",
    PORTAL,
    "a fault in CloudBang",
)
"""What of ours may stand in the history as the reason; pages have words for each."""

UNDELIVERED = "alerts-undelivered"

Send = Callable[[Kind, Letter], Outcome]


class Secrets(Protocol):
    """What is asked of the store of secrets."""

    def get(self, app: str, versions: Mapping[str, int]) -> dict[str, str]: ...
    def newest(self, app: str) -> dict[str, int]: ...


class Next(NamedTuple):
    """What to do for a receiver: send the one, or put these together first, or wait until then."""

    send: Message | None = None
    merge: tuple[Message, ...] = ()
    postpone: tuple[Message, ...] = ()
    until: float | None = None


def place_of(receiver: int) -> str:
    """Where the secrets have a receiver's: no app is called so."""
    return f"@receiver-{receiver}"


def new_uid() -> str:
    return secrets.token_hex(8)


class Outbox:
    """One for all receivers. Everybody who puts something in calls :meth:`wake`."""

    def __init__(
        self,
        store: AlertStore,
        settings: AlertSettings,
        secrets: Secrets,
        notices: Notices,
        say_in: SayIn,
        *,
        link: str = "",
        news: News | None = None,
        send: Send = send,
        clock: Callable[[], float] = time.time,
        passes: Callable[[], float] | None = None,
    ) -> None:
        """``link``: the address of the page of alerts, as it is known from outside."""
        self.sent = self.failures = self.given_up = self.pending = 0
        self._store, self._settings, self._secrets = store, settings, secrets
        self._notices, self._say_in, self._link, self._send = notices, say_in, link, send
        self._news = news or News()
        self._moved = 0.0  # seconds by which the clock was set since the last look
        self._clock = WallClock(clock, passes or passed, on_jump=self._jumped)
        self._busy: set[int] = set()
        # Who of several has a message already, by its name. A restart forgets it: then it comes again.
        self._taken: dict[str, frozenset[str]] = {}
        self._wake = Flag()
        self._supervisor = Supervisor("outbox")
        counters = {
            "sent": "Messages of alerts that were taken.",
            "failures": "Tries to send one that failed.",
            "given_up": "Messages that nobody took for a day.",
        }
        export(self, "alerts", counters=counters)
        export(self, "alerts", gauges={"pending": "Messages of alerts that wait to be taken."})

    def start(self) -> None:
        self._supervisor.run("dispatch", self._dispatch)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    def test(self, receiver: Receiver) -> Outcome:
        """Send something now, once, and say what came of it. Raises StorageFailed, StorageFull."""
        now = self._clock()
        message = self._store.add(
            Message(
                *(0, new_uid(), receiver.id, receiver.team, "test", (), now, now, "held", "test")
            )
        )
        outcome = self._deliver(message, receiver)
        done = replace(
            message,
            state="sent" if outcome.accepted else "failed",
            why="" if outcome.accepted else outcome.text,
            tries=1,
            finished=self._clock(),
        )
        self._store.settle(done, self._attempt(done, outcome))
        if outcome.accepted:
            # What waits for it need not wait any longer.
            if found := self._settings.receiver(receiver.id):
                well = replace(found, failures=0, why="", until=0.0)
                self._store.settle(done, None, well)
                self._end_notice(well)
            self.wake()
        self._news.changed("alerts", receiver.team)
        return outcome

    # -- one look after the other

    def _dispatch(self) -> None:
        while True:
            self._wake.clear()
            try:
                wait = self._look()
            except (StorageFailed, StorageFull) as e:
                log.warning("messages of alerts wait: %s", e)
                wait = AGAIN
            self._wake.wait(wait)

    def _look(self) -> float:
        """Have each receiver served that has something; seconds until the next look."""
        now = self._clock()
        if moved := self._moved:
            self._store.shift(moved)
            self._moved -= moved
        pending = self._store.pending()
        self.pending = len(pending)
        if not pending:
            return EVERY
        receivers = {one.id: one for one in self._settings.receivers()}
        wait = EVERY
        for id in dict.fromkeys(message.receiver for message in pending):
            if id in self._busy:
                continue
            its = [message for message in pending if message.receiver == id]
            receiver = receivers.get(id)
            if receiver is None or not receiver.enabled:
                why = "the receiver is off" if receiver else "the receiver was deleted"
                for message in its:
                    self._store.settle(replace(message, state="held", why=why, finished=now), None)
                self._news.changed("alerts", its[0].team)
                continue
            self._hand_over(receiver, its, receivers, now)
            step = self._next(receiver, its, now)
            if step.postpone or step.merge:
                self._news.changed("alerts", receiver.team)
            for message in step.postpone:
                self._store.settle(message, None)
            if step.merge:
                self._merge(receiver, step.merge, now)
                wait = 0.0
            elif step.send is not None:
                self._busy.add(id)
                self._supervisor.once(f"send-{id}", self._serve, receiver, step.send)
            elif step.until is not None:
                wait = min(wait, max(step.until - now, 0.05))
        return wait

    def _next(self, receiver: Receiver, its: Sequence[Message], now: float) -> Next:
        """``its``: all that wait for it, the oldest first."""
        if now < receiver.until <= now + LONGEST_WAIT:
            return Next(until=receiver.until)
        quiet = quiet_hours(receiver.options.quiet)
        minute = _minute_of(now)
        is_quiet = quiet is not None and minute in quiet
        due: list[Message] = []
        postponed: list[Message] = []
        until: list[float] = []
        waiting: set[int] = set()  # incidents of which something older waits
        for message in its:
            incidents = {item.incident for item in message.items}
            at = message.due
            if message.why != "quiet hours":
                at = at if at <= now + LONGEST_WAIT else now  # a clock was set back
            elif not is_quiet:
                at = now
            if is_quiet and quiet is not None and self._may_wait(receiver, message):
                at = now + quiet.left(minute) * 60.0
                if message.why != "quiet hours":
                    postponed.append(replace(message, due=at, why="quiet hours"))
            if at > now or incidents & waiting:
                waiting |= incidents
                if at > now:
                    until.append(at)
                continue
            due.append(message)
        tried = [message for message in due if message.tries]
        fresh = [message for message in due if not message.tries]
        if tried:
            return Next(send=tried[0], postpone=tuple(postponed))
        if fresh:
            sent = self._store.sent_since(receiver.id, now - CAP_WITHIN)
            if len(sent) >= receiver.options.cap:
                room = sent[-receiver.options.cap] + CAP_WITHIN
                postponed += [
                    replace(one, why="more than it takes in ten minutes", due=room)
                    for one in fresh
                    if one.why != "more than it takes in ten minutes"
                ]
                return Next(postpone=tuple(postponed), until=min([room, *until]))
            if len(fresh) > 1:
                return Next(merge=tuple(fresh), postpone=tuple(postponed))
            return Next(send=fresh[0], postpone=tuple(postponed))
        return Next(postpone=tuple(postponed), until=min(until, default=None))

    @staticmethod
    def _may_wait(receiver: Receiver, message: Message) -> bool:
        if message.tries:
            return False  # it may have arrived already
        if all(item.change == "reminder" for item in message.items):
            return True  # it was told already, and nobody is woken by what they know
        return receiver.options.quiet_all or all(i.severity != "critical" for i in message.items)

    def _merge(self, receiver: Receiver, messages: Sequence[Message], now: float) -> None:
        items = tuple(item for message in messages for item in message.items)
        second = all(message.second for message in messages)
        created = min(message.created for message in messages)
        digest = Message(
            *(0, new_uid(), receiver.id, receiver.team, "digest", items, created, now),
            second=second,
        )
        self._store.merge(messages, digest)

    def _hand_over(
        self,
        receiver: Receiver,
        its: Sequence[Message],
        receivers: Mapping[int, Receiver],
        now: float,
    ) -> None:
        """What this one does not take, the second one gets as well."""
        second = receivers.get(receiver.options.second or 0)
        if second is None or not second.enabled or second.id == receiver.id:
            return
        if second.team != receiver.team:
            return
        failing = receiver.failures >= SECOND
        stuck = [one for one in its if not one.second and (failing or one.failures >= SECOND)]
        if stuck:
            self._store.hand_over(stuck, second, now)
            self.wake()

    # -- one message

    def _serve(self, receiver: Receiver, message: Message) -> None:
        try:
            # Before it is sent: what may have arrived keeps its name.
            message = self._store.begin_try(message)
            outcome = self._deliver(message, receiver)
            self._settle(receiver, message, outcome)
        except (StorageFailed, StorageFull) as e:
            # Nobody knows whether it arrived; it is sent again, under the same name.
            log.warning("what came of a message could not be kept: %s", e)
            gevent.sleep(AGAIN)
        finally:
            self._busy.discard(receiver.id)
            self._news.changed("alerts", receiver.team)
            self.wake()

    def _deliver(self, message: Message, receiver: Receiver) -> Outcome:
        place = place_of(receiver.id)
        try:
            known = self._secrets.get(place, self._secrets.newest(place))
        except CloudBangError as e:
            return Outcome(False, e.code, str(e))
        letter = Letter(
            *(message.uid, message.kind, message.items, receiver.options, known),
            *(self._say_in(receiver.options.language), self._link),
            self._taken.get(message.uid, frozenset()),
        )
        try:
            outcome = self._send(receiver.kind, letter)
        except Exception as e:  # one that cannot be written stops no other
            log.exception("a message of alerts could not be sent")
            return Outcome(False, type(e).__name__, "a fault in CloudBang", None, True)
        if outcome.taken:
            self._taken[message.uid] = outcome.taken
        return outcome

    def _settle(self, receiver: Receiver, message: Message, outcome: Outcome) -> None:
        now = self._clock()
        if outcome.accepted:
            self._taken.pop(message.uid, None)
        attempt = self._attempt(message, outcome)
        # It may have been changed meanwhile.
        receiver = self._settings.receiver(receiver.id) or receiver
        if outcome.accepted:
            self.sent += 1
            well = replace(receiver, failures=0, why="", until=0.0)
            done = replace(message, state="sent", why=outcome.text, finished=now)
            self._store.settle(done, attempt, well)
            self._end_notice(well)
            return
        self.failures += 1
        failures, why = message.failures + 1, outcome.text or outcome.code
        worse = replace(receiver, failures=receiver.failures + 1, why=why)
        if outcome.refused:
            due = now + wait_after(failures, outcome.retry_after)
        else:
            due = now + wait_after(worse.failures, outcome.retry_after)
            worse = replace(worse, until=due)
        failed = replace(message, failures=failures, why=why, due=due)
        if is_given_up(now - message.created, message.tries):
            self.given_up += 1
            self._taken.pop(message.uid, None)
            failed = replace(failed, state="failed", finished=now)
            log.error("a message of alerts to %s is given up: %s", receiver.name, why)
        self._store.settle(failed, attempt, worse)
        if worse.failures >= SECOND:
            self._notices.begin(
                UNDELIVERED,
                f"{receiver.name}: {why}",
                setting=f"alerts.receivers.{receiver.id}",
                team=receiver.team,
            )

    def _end_notice(self, receiver: Receiver) -> None:
        self._notices.end(
            UNDELIVERED,
            f"{receiver.name} takes messages of alerts again",
            setting=f"alerts.receivers.{receiver.id}",
        )

    def forget(self, receiver: int) -> None:
        """It is deleted, or another: what is said of it is true no more."""
        self._notices.end(UNDELIVERED, setting=f"alerts.receivers.{receiver}")
        self.wake()

    def _attempt(self, message: Message, outcome: Outcome) -> Attempt:
        accepted, code, text = outcome.accepted, outcome.code, outcome.text
        return Attempt(message.id, self._clock(), accepted, code, text)

    def _jumped(self, by: float) -> None:
        self._moved += by
        self._wake.set()


def _minute_of(now: float) -> int:
    """Of the day, in the zone of this machine."""
    at = datetime.fromtimestamp(now).astimezone()
    return at.hour * 60 + at.minute
