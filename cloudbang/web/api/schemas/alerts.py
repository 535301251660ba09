"""Alerts: rules, receivers, what began, and what was told of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from cloudbang.domain.alerts.receivers import Kind, Language, Security
from cloudbang.domain.alerts.rules import Severity
from cloudbang.web.api.schemas.shapes import Body, Time

Name = Annotated[str, Field(min_length=1, max_length=100)]
Address = Annotated[str, Field(max_length=4_000)]
Secret = Annotated[str, Field(max_length=4_000)]
Id = Annotated[int, Field(ge=0, le=2**53 - 1)]
Ids = Annotated[list[Id], Field(max_length=50)]
RuleKind = Literal["metric", "traffic", "log", "event"]


class NewAlertRule(Body):
    """``team``: whose apps it is about, "" for all; ``app``: the one, "" for each of them.
    ``condition`` as its kind has it. ``wait``: seconds for which it has to be so, ``clear``: and for
    which it has to be over; ``remind``: after which it is told again while it is still so, 0 for never,
    left out 4 hours for what is critical. ``receivers``: none for those that take everything."""

    team: Annotated[str, Field(max_length=64)] = ""
    app: Annotated[str, Field(max_length=128)] = ""
    name: Name
    kind: RuleKind
    condition: dict[str, Any]
    severity: Severity = "critical"
    wait: float = 0.0
    clear: float = 60.0
    remind: float | None = None
    receivers: Annotated[Ids, Field(default_factory=list)]
    enabled: bool = True


class AlertRuleChange(Body):
    """What is left out stays as it is."""

    name: Name | None = None
    condition: dict[str, Any] | None = None
    severity: Severity | None = None
    wait: float | None = None
    clear: float | None = None
    remind: float | None = None
    receivers: Ids | None = None
    enabled: bool | None = None


class AlertRuleTry(Body):
    """A rule that may be made, of which it is asked how often it would have been an alert."""

    team: Annotated[str, Field(max_length=64)] = ""
    app: Annotated[str, Field(max_length=128)] = ""
    kind: RuleKind
    condition: dict[str, Any]
    wait: float = 0.0
    clear: float = 60.0


class BeganOf(TypedDict):
    """``app``: or the path of a disk, or the domain of a certificate."""

    app: str
    began: list[Time]


class IsNow(TypedDict):
    """Of an app, a path or a domain the number that the rule looks at, in its unit: a share for a disk,
    with the ``days`` until it is full as it grows, and the days that are left for a certificate."""

    what: str
    value: float
    days: float | None


class AlertRulePreview(TypedDict):
    """``known``: for how much of the time since ``since`` there is something to judge by, null where
    nothing can be said beforehand. ``looked_at`` apps, ``of`` so many: it takes 3 s at most. ``now``:
    those that are nearest to an alert."""

    since: Time | None
    known: float | None
    apps: list[BeganOf]
    looked_at: int
    of: int
    now: list[IsNow]


class AlertRule(TypedDict):
    """``may_change``: whether who asks may."""

    id: int
    team: str
    app: str
    name: str
    kind: RuleKind
    condition: dict[str, Any]
    severity: Severity
    wait: float
    clear: float
    remind: float
    receivers: list[int]
    enabled: bool
    by: str
    created: Time
    may_change: bool


class AlertRules(TypedDict):
    rules: list[AlertRule]


class ReceiverOptions(Body):
    """What is left out stays as it is, or is as usual. ``everything``: takes what a rule names
    nobody for. ``second``: another one of the team, who is told when this one does not take it; 0 for
    none. ``quiet``: hours such as 22:00-07:00 in which only what is critical comes; with
    ``quiet_all`` nothing. ``cap``: messages in ten minutes. ``private``: may be on a private network
    or this machine, which an administrator of the installation alone may say. ``address``, ``secret``
    and ``password`` are never shown again."""

    language: Language | None = None
    everything: bool | None = None
    second: Id | None = None
    quiet: Annotated[str, Field(max_length=11)] | None = None
    quiet_all: bool | None = None
    cap: int | None = None
    private: bool | None = None
    host: Annotated[str, Field(max_length=253)] | None = None
    port: Annotated[int, Field(ge=0, le=65535)] | None = None
    security: Security | None = None
    user: Annotated[str, Field(max_length=320)] | None = None
    sender: Annotated[str, Field(max_length=320, pattern=r"^[^\s@]+@[^\s@]+$")] | None = None
    to: (
        Annotated[
            list[Annotated[str, Field(max_length=320, pattern=r"^[^\s@,]+@[^\s@,]+$")]],
            Field(min_length=1, max_length=20),
        ]
        | None
    ) = None
    address: Address | None = None
    secret: Secret | None = None
    password: Secret | None = None


class NewReceiver(ReceiverOptions):
    team: Annotated[str, Field(max_length=64)] = "default"
    name: Name
    kind: Kind
    enabled: bool = True


class ReceiverChange(ReceiverOptions):
    name: Name | None = None
    enabled: bool | None = None


class Receiver(TypedDict):
    """``shown``: where its address is; ``secrets``: which of them are kept. ``failures`` in a row,
    and why the last one failed."""

    id: int
    team: str
    name: str
    kind: Kind
    enabled: bool
    language: Language
    everything: bool
    second: int | None
    quiet: str
    quiet_all: bool
    cap: int
    private: bool
    shown: str
    host: str
    port: int
    security: Security
    user: str
    sender: str
    to: list[str]
    by: str
    created: Time
    failures: int
    why: str
    may_change: bool


class Receivers(TypedDict):
    receivers: list[Receiver]


class TestOutcome(TypedDict):
    """What the service said: its code, its words."""

    accepted: bool
    code: str
    text: str


class Alert(TypedDict):
    """``text`` in the reader's language. ``told``: how many messages tell of it, by their state."""

    id: int
    rule: int
    rule_name: str
    what: str
    app: str
    team: str
    subject: str
    severity: Severity
    state: Literal["firing", "flapping", "resolved"]
    began: Time
    ended: Time | None
    reminded: Time | None
    text: str
    acknowledged_by: str
    acknowledged: Time | None
    told: dict[str, int]
    may_acknowledge: bool


class AlertList(TypedDict):
    alerts: list[Alert]


class AlertAttempt(TypedDict):
    time: Time
    accepted: bool
    code: str
    text: str


class AlertMessage(TypedDict):
    """``state``: sent, failed, pending, held (back) or merged (into a digest), and why. ``uid`` is the
    same however often it is sent, and to whom. ``due``: when it is tried again."""

    id: int
    uid: str
    receiver: int
    receiver_name: str
    kind: Literal["alert", "digest", "test"]
    state: Literal["pending", "sent", "failed", "held", "merged"]
    why: str
    created: Time
    due: Time | None
    finished: Time | None
    tries: int
    title: str
    lines: list[str]
    attempts: list[AlertAttempt]


class AlertMessages(TypedDict):
    """``next``: ``before`` of the older ones, None where there are none."""

    messages: list[AlertMessage]
    next: int | None


class SignOfLifeChange(Body):
    """``minutes`` between two, 0 for none. ``address`` is not shown again."""

    minutes: Annotated[float, Field(ge=0, le=24 * 60)]
    private: bool = False
    address: Address | None = None


class SignOfLife(TypedDict):
    """``last``: when it was taken; ``why``: the last one was not."""

    minutes: float
    private: bool
    shown: str
    last: Time | None
    why: str
