"""An alert that began, until it is over; and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from cloudbang.domain.alerts.machine import Change
from cloudbang.domain.alerts.rules import Severity

Said = Change | Literal["reminder"]
"""What a message tells of an alert."""

IncidentState = Literal["firing", "flapping", "resolved"]
STATE_AFTER: dict[Change, IncidentState] = {
    "began": "firing",
    "flapping": "flapping",
    "ended": "resolved",
}


@dataclass(frozen=True, slots=True)
class Incident:
    """``subject``: what it is about where that is no app: a host, a path. ``what``: the occurrence,
    or "metric", "log". ``change``: what nobody was told of yet, "" when all was; ``reminded``: when it
    was last told again. Times RFC 3339."""

    id: int
    rule: int
    rule_name: str
    what: str
    app: str
    team: str
    subject: str
    severity: Severity
    state: IncidentState
    began: str
    ended: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    receivers: tuple[int, ...] = ()
    acknowledged_by: str = ""
    acknowledged: str | None = None
    change: Change | Literal[""] = ""
    reminded: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """What a message says of one incident, as it was when it changed."""

    incident: int
    change: Said
    time: str
    app: str
    rule: str
    severity: Severity
    template: str
    facts: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def item_of(incident: Incident, change: Said) -> Item:
    """Of what it changed to, or that it is still so."""
    template = template_of(incident, change)
    time = incident.ended if change == "ended" and incident.ended else incident.began
    facts = {
        "signal": "",
        **incident.facts,
        "app": incident.app or incident.subject,
        "subject": incident.subject,
        "rule": incident.rule_name,
    }
    return Item(
        *(incident.id, change, time, incident.app or incident.subject),
        *(incident.rule_name, incident.severity, template, facts),
    )


BEGAN: dict[str, tuple[str, ...]] = {
    # The first whose facts are all there.
    "died": ("{app} died, exit code {exit_code}", "{app} died"),
    "oom": ("{app} ran out of memory: the kernel killed a process",),
    "crash-loop": (
        "{app} ended {count} times within {minutes} minutes",
        "{app} ends again and again",
    ),
    "unhealthy": ("{app} is unhealthy: its health check fails",),
    "deployment-failed": (
        "deployment {number} of {app} failed: {class}",
        "a deployment of {app} failed",
    ),
    "certificate": ("the certificate of {subject} ends in {value} days",),
    "disk": (
        "the disk of {subject} is full to {value} %, and will be full in {days} days",
        "the disk of {subject} is full to {value} %",
    ),
    "metric": ("{metric} of {app} is {value} ({rule})",),
    "response-time": (
        "{app} takes {value} s to answer {address} ({measure})",
        "{app} takes {value} s to answer ({measure})",
    ),
    "failed-requests": (
        "failed requests to {app} for {address}: {value} %",
        "failed requests to {app}: {value} %",
    ),
    "requests": (
        "{app} is asked {value} times a second for {address}",
        "{app} is asked {value} times a second",
    ),
    "log": ("{count} lines of {app} with “{text}” within {minutes} minutes",),
}
ENDED: dict[str, tuple[str, ...]] = {
    "died": ("{app} runs again",),
    "oom": ("{app} ran out of memory no more since",),
    "crash-loop": ("{app} has run steadily since",),
    "unhealthy": ("the health check of {app} passes again",),
    "deployment-failed": ("{app} serves a newer deployment",),
    "certificate": ("the certificate of {subject} was renewed",),
    "disk": ("the disk of {subject} has room again",),
    "metric": ("{metric} of {app} is {value}: over ({rule})",),
    "response-time": (
        "{app} takes {value} s again to answer {address} ({measure})",
        "{app} takes {value} s again to answer ({measure})",
    ),
    "failed-requests": (
        "failed requests to {app} for {address} are down to {value} %",
        "failed requests to {app} are down to {value} %",
    ),
    "requests": (
        "{app} is asked {value} times a second again for {address}",
        "{app} is asked {value} times a second again",
    ),
    "log": ("no more lines of {app} with “{text}” than allowed",),
}
FLAPPING = (
    "{app}: “{rule}” begins and ends again and again; nothing more is said until it is steady"
)
SILENT = (
    "{app}: “{rule}” is over without an answer: for {minutes} minutes too few have asked to know how "
    "it is now"
)
GONE = "{app}: “{rule}” is over: there is nothing left to look at"


def reminder_of(incident: Incident, hours: float) -> Item:
    """That it is still so after so many hours."""
    item = item_of(incident, "reminder")
    shown = round(hours) if hours >= 1 else round(hours, 1)
    return replace(item, facts={**item.facts, "hours": shown})


def template_of(incident: Incident, change: Said) -> str:
    """The sentence, with the names of facts in braces."""
    if change == "flapping" or (change == "reminder" and incident.state == "flapping"):
        return FLAPPING
    if change == "ended":
        if incident.facts.get("gone"):
            return GONE
        if incident.facts.get("silent"):
            return SILENT
        return _first_that_fits(ENDED.get(incident.what, ()), incident) or GONE
    return _first_that_fits(BEGAN.get(incident.what, ()), incident) or "{app}: {rule}"


def _first_that_fits(templates: Iterable[str], incident: Incident) -> str:
    """The first whose facts are all there, "" where none's are."""
    known = {"app", "subject", "rule", *incident.facts}
    for template in templates:
        names = {part.split("}")[0] for part in template.split("{")[1:]}
        if names <= known:
            return template
    return ""
