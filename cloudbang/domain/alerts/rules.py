"""Rules: what is looked at, from when it is an alert, and when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import isfinite
from typing import Any, Literal, get_args

Severity = Literal["critical", "warning"]
Occurrence = Literal[
    "died", "oom", "crash-loop", "unhealthy", "deployment-failed", "certificate", "disk"
]
OCCURRENCES: tuple[Occurrence, ...] = get_args(Occurrence)
MEASURED: tuple[Occurrence, ...] = ("certificate", "disk")  # of which no event tells
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

LONGEST = 24 * 3600.0  # seconds of what is waited for
REMIND = 4 * 3600.0  # seconds after which what is harm is told again, unless a rule says otherwise
REMIND_LEAST, REMIND_MOST = 600.0, 7 * 24 * 3600.0
PATTERN = 500  # characters of what is looked for in a log
NAME = 128  # characters of a metric's
ADDRESS = 1_100  # of an address that is asked for, with its method
LOOK_BACK = 900.0  # seconds of requests that are looked at together, at most

NUMBERS = frozenset(("begin", "end", "within", "least", "days"))  # of a condition

Measure = Literal["p50", "p95", "p99", "errors", "requests"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class NoRule(ValueError):
    """A rule that cannot be followed. ``field`` of it, and what that may be."""

    def __init__(self, field: str, allowed: str) -> None:
        self.field, self.allowed = field, allowed
        super().__init__(field, allowed)


@dataclass(frozen=True, slots=True)
class MetricCondition:
    """The metric is over ``begin``; it is over with when it is under ``end``. ``of``: another
    metric, of which both are a share, such as ``memory.limit``. ``below``: under ``begin`` is bad."""

    metric: str
    begin: float
    end: float
    of: str = ""
    below: bool = False

    def check(self) -> None:
        """Raises NoRule."""
        for name, value in (("metric", self.metric), ("of", self.of)):
            if len(value) > NAME or (name == "metric" and not value):
                raise NoRule(name, "the name of a metric")
        _ordered(self.begin, self.end, self.below)


@dataclass(frozen=True, slots=True)
class TrafficCondition:
    """What people got of an app in the last ``within`` seconds, of all requests together: a
    percentile of the response time in seconds, the share (0 to 1) of requests that it failed, or
    requests a second. ``address``: of those alone that asked for it, a template as it was learned, with
    its method in front or of any. Of fewer than ``least`` a percentile or a share says nothing: then
    nobody knows. ``below``: under ``begin`` is bad."""

    measure: Measure
    begin: float
    end: float
    address: str = ""
    within: float = 300.0
    least: float = 20.0
    below: bool = False

    def check(self) -> None:
        """Raises NoRule."""
        if self.measure not in MEASURES:
            raise NoRule("measure", ", ".join(MEASURES))
        if self.address and (
            len(self.address) > ADDRESS
            or not self.address.isprintable()
            or not self.template.startswith(("/", "(", "*"))
        ):
            raise NoRule("address", "an address as the traffic lists it, such as GET /users/:id")
        _ordered(self.begin, self.end, self.below)
        _between("within", self.within, 60, LOOK_BACK)
        _between("least", self.least, 1, 1_000_000)
        most = 1 if self.measure == "errors" else 1e9
        _between("begin", self.begin, 0, most)
        _between("end", self.end, 0, most)

    @property
    def method(self) -> str:
        """ "" for any."""
        return self.address.partition(" ")[0] if self._has_method else ""

    @property
    def template(self) -> str:
        return self.address.partition(" ")[2] if self._has_method else self.address

    @property
    def _has_method(self) -> bool:
        first, blank, _ = self.address.partition(" ")
        return bool(blank) and (first == "(other)" or first.isalpha())


@dataclass(frozen=True, slots=True)
class LogCondition:
    """``begin`` lines with ``text`` in them within so many seconds; over with ``end`` or fewer.
    ``*`` in it stands for anything; capitals make no difference."""

    text: str
    begin: float
    end: float
    within: float = 300.0

    def check(self) -> None:
        """Raises NoRule."""
        if not 1 <= len(self.text) <= PATTERN or not self.text.strip("* "):
            raise NoRule("text", f"1 to {PATTERN} characters")
        _ordered(self.begin, self.end, False)
        _between("within", self.within, 1, 3600)
        if self.begin < 1:
            raise NoRule("begin", "1 or more")


@dataclass(frozen=True, slots=True)
class EventCondition:
    """Something that happened. ``begin`` and ``end`` where it is counted or measured: ends within
    ``within`` seconds of a crash loop, days until a certificate ends, the share of a disk that is
    used; ``days``: or fewer days until that disk is full, where that many are known (0: not asked)."""

    occurrence: Occurrence
    begin: float = 0.0
    end: float = 0.0
    within: float = 600.0
    days: float = 0.0

    def check(self) -> None:
        """Raises NoRule."""
        if self.occurrence not in OCCURRENCES:
            raise NoRule("occurrence", ", ".join(OCCURRENCES))
        if self.occurrence in ("crash-loop", "certificate", "disk"):
            _ordered(self.begin, self.end, self.occurrence == "certificate")
        _between("within", self.within, 10, 3600)
        _between("days", self.days, 0, 365)


Condition = MetricCondition | TrafficCondition | LogCondition | EventCondition
KINDS: dict[str, type[Condition]] = {
    "metric": MetricCondition,
    "traffic": TrafficCondition,
    "log": LogCondition,
    "event": EventCondition,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """``team``: whose apps it is about, "" for those of all teams; ``app``: the one, "" for each of
    them. ``wait``: seconds for which it has to be so; ``clear``: and for which it has to be over;
    ``remind``: after which it is told again while it is still so, 0: never. ``receivers``: ids; none: those of the app's team that take everything."""

    id: int
    team: str
    app: str
    name: str
    condition: Condition
    severity: Severity = "critical"
    wait: float = 0.0
    clear: float = 60.0
    remind: float = 0.0
    receivers: tuple[int, ...] = ()
    enabled: bool = True
    by: str = ""
    created: str = ""

    @property
    def kind(self) -> str:
        return next(name for name, kind in KINDS.items() if isinstance(self.condition, kind))

    def check(self) -> None:
        """Raises NoRule."""
        if not 1 <= len(self.name) <= 100 or not self.name.isprintable():
            raise NoRule("name", "1 to 100 printable characters")
        if self.severity not in SEVERITIES:
            raise NoRule("severity", ", ".join(SEVERITIES))
        _between("wait", self.wait, 0, LONGEST)
        _between("clear", self.clear, 0, LONGEST)
        if self.remind:
            _between("remind", self.remind, REMIND_LEAST, REMIND_MOST)
        if isinstance(self.condition, LogCondition) and not self.app:
            # All logs read again for each rule would cost more than what they tell.
            raise NoRule("app", "the name of an app: a log is looked at for one")
        if isinstance(self.condition, TrafficCondition) and self.condition.address and not self.app:
            raise NoRule("app", "the name of an app: an address is one app's")
        self.condition.check()

    @property
    def is_measured(self) -> bool:
        """Whether it is about what is measured or counted, and told by no event."""
        its = self.condition
        return not isinstance(its, EventCondition) or its.occurrence in MEASURED

    @property
    def what(self) -> str:
        """What an alert of it tells: a key of the sentences."""
        its = self.condition
        if isinstance(its, EventCondition):
            return its.occurrence
        if isinstance(its, TrafficCondition):
            named = {"errors": "failed-requests", "requests": "requests"}
            return named.get(its.measure, "response-time")
        return self.kind

    def looks_at_what(self, other: Rule) -> bool:
        """Whether it looks at what the other one does, whatever numbers make it an alert: then an alert of
        the one is one of the other."""
        return _looked_at(self.condition) == _looked_at(other.condition)

    def is_about(self, app: str, team: str) -> bool:
        return self.app in ("", app) and self.team in ("", team)


def _looked_at(condition: Condition) -> tuple[object, ...]:
    its = asdict(condition)
    return type(condition), {name: its[name] for name in its.keys() - NUMBERS}


def condition_of(kind: str, told: Mapping[str, Any]) -> Condition:
    """Of JSON. Raises NoRule."""
    made = KINDS.get(kind)
    if made is None:
        raise NoRule("kind", ", ".join(KINDS))
    for field in fields(made):
        if field.name in told:
            _typed(field.name, str(field.type), told[field.name])
    try:
        return made(**told)
    except TypeError:
        names = ", ".join(made.__dataclass_fields__)
        raise NoRule("condition", f"an object with {names}") from None


def _typed(name: str, type_: str, value: object) -> None:
    """Of JSON: what is compared is a number, and what is looked for a text. Raises NoRule."""
    if type_ == "float":
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
            raise NoRule(name, "a number")
    elif type_ == "bool":
        if not isinstance(value, bool):
            raise NoRule(name, "true or false")
    elif not isinstance(value, str):
        raise NoRule(name, "a text")


def condition_json(condition: Condition) -> dict[str, Any]:
    return asdict(condition)


def contains(text: str, pattern: str) -> bool:
    """Whether the parts of the pattern stand in it, in their order. Both in small letters. Takes no
    longer than reading the text."""
    at = 0
    for part in pattern.split("*"):
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _ordered(begin: float, end: float, below: bool) -> None:
    for name, value in (("begin", begin), ("end", end)):
        if not isfinite(value):
            raise NoRule(name, "a number")
    if below and end < begin:
        raise NoRule("end", "no less than where it begins")
    if not below and end > begin:
        raise NoRule("end", "no more than where it begins")


def _between(name: str, value: float, low: float, high: float) -> None:
    if not (isfinite(value) and low <= value <= high):
        raise NoRule(name, f"{low:g} to {high:g}")


def usual_remind(severity: Severity) -> float:
    """What is no harm yet is told once."""
    return REMIND if severity == "critical" else 0.0


def _default(
    name: str,
    condition: EventCondition,
    severity: Severity = "critical",
    *,
    wait: float = 0.0,
    clear: float = 60.0,
    lasts: bool = True,
) -> Rule:
    """``lasts``: it does harm for as long as it is so."""
    remind = usual_remind(severity) if lasts else 0.0
    return Rule(0, "", "", name, condition, severity, wait, clear, remind)


DEFAULTS: tuple[Rule, ...] = (
    _default("An app died", EventCondition("died")),
    _default("Out of memory", EventCondition("oom"), clear=300),
    _default("Crash loop", EventCondition("crash-loop", 3, 0)),
    _default("Unhealthy", EventCondition("unhealthy"), wait=60),
    # The release before it serves on.
    _default("A deployment failed", EventCondition("deployment-failed"), clear=0, lasts=False),
    _default("A certificate ends", EventCondition("certificate", 14, 15), "warning"),
    _default("The disk fills up", EventCondition("disk", 0.9, 0.87, days=3), clear=300),
)
"""What a new installation has: about harm, and nothing else."""
