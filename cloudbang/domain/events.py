"""Something that happened at a moment, to an app; and every kind of it, in one table.

A new kind is one entry of ``KINDS`` (with its words in Chinese in the catalogue ``events.po``):
the recorder, the API and the pages take it from here. A kind that is not in the table, from a
newer CloudBang or an older one, is kept and shown all the same, under its own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Tone = Literal["ok", "info", "warning", "error"]

INSPECTION = "inspection"
"""``data["source"]`` of what was found out by inspecting the container, and not told by the engine
as it happened; its time may be a little off."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``time`` in RFC 3339 with nanoseconds, UTC; ``container`` a short id or ``""``."""

    app: str
    time: str
    kind: str
    container: str = ""
    data: dict[str, object] = field(default_factory=dict)
    id: int = 0  # given by the store; 0 until then

    @property
    def found_out(self) -> bool:
        """Whether an inspection told of it."""
        return self.data.get("source") == INSPECTION

    def as_json(self) -> dict[str, object]:
        """What the bus, the socket and the API show."""
        return {
            "id": self.id,
            "app": self.app,
            "time": self.time,
            "kind": self.kind,
            "container": self.container,
            "data": self.data,
        }


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a page says of an event, and how.

    ``words`` is the English text, with ``{field}`` for a value of ``data``. It is said when each
    field of ``when`` has one of the values given there; None is a field that is not there.
    """

    words: str
    tone: Tone = "info"
    sign: str = "●"  # a character in front, for whom the colour says nothing
    when: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    def fits(self, data: Mapping[str, object]) -> bool:
        return all(data.get(name) in values for name, values in self.when.items())

    def as_json(self) -> dict[str, object]:
        return {
            "words": self.words,
            "tone": self.tone,
            "sign": self.sign,
            "when": {name: list(values) for name, values in self.when.items()},
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """``fields``: what ``data`` may hold. Of ``phrases`` the first that fits is said."""

    fields: Mapping[str, type]
    phrases: tuple[Phrase, ...]


# The names of values that are numbers, by field. Signals as Linux counts them, wherever this runs.
NAMES: dict[str, dict[object, str]] = {
    "signal": {
        1: "SIGHUP",
        2: "SIGINT",
        3: "SIGQUIT",
        4: "SIGILL",
        6: "SIGABRT",
        7: "SIGBUS",
        8: "SIGFPE",
        9: "SIGKILL",
        11: "SIGSEGV",
        13: "SIGPIPE",
        15: "SIGTERM",
    }
}

# The fields that count something, and how they are written.
AMOUNTS: dict[str, Literal["number", "bytes"]] = {"lines": "number", "bytes": "bytes"}

KINDS: dict[str, Kind] = {
    "create": Kind({}, (Phrase("created", sign="○"),)),
    "start": Kind({}, (Phrase("started up", "ok", "▶"),)),
    "restart": Kind({}, (Phrase("restarted", "warning", "↻"),)),
    "die": Kind(
        {"exit_code": int, "signal": int, "asked": bool},
        (
            Phrase("ended", "warning", "■", {"exit_code": (None,)}),
            Phrase("ended, exit code 0", "info", "■", {"exit_code": (0,)}),
            Phrase(
                "killed: it did not stop in its time when it was told to",
                "warning",
                "■",
                {"asked": (True,), "exit_code": (137,)},
            ),
            Phrase(
                "stopped as it was told to, exit code {exit_code}", "info", "■", {"asked": (True,)}
            ),
            Phrase(
                "died, exit code {exit_code} ({signal})",
                "error",
                "✕",
                {"signal": tuple(NAMES["signal"])},
            ),
            Phrase("died, exit code {exit_code}", "error", "✕"),
        ),
    ),
    # What was measured of it just before, in bytes: see domain/metrics/oom.
    "oom": Kind(
        {
            **dict.fromkeys(("limit", "used", "peak", "anon", "shared", "file"), int),
            **dict.fromkeys(("machine", "machine_used"), int),
            "filled": str,
        },
        (Phrase("ran out of memory: the kernel killed a process", "error", "✕"),),
    ),
    "health": Kind(
        {"status": str},
        (
            Phrase("health check passes", "ok", "✓", {"status": ("healthy",)}),
            Phrase("health check fails", "error", "✕", {"status": ("unhealthy",)}),
            Phrase("health check is starting", "warning", "○"),
        ),
    ),
    "pause": Kind({}, (Phrase("paused", "warning", "❙❙"),)),
    "unpause": Kind({}, (Phrase("resumed", "ok", "▶"),)),
    "remove": Kind({}, (Phrase("removed", sign="−"),)),
    "deployment": Kind(
        {
            "outcome": str,
            "deployment": int,
            "number": int,
            "release": int,
            "who": str,
            "class": str,
        },
        (
            Phrase(
                "{who} deploys release {release} (deployment {number})",
                sign="⇡",
                when={"outcome": ("began",)},
            ),
            Phrase(
                "release {release} serves (deployment {number})",
                "ok",
                "✓",
                {"outcome": ("serving",)},
            ),
            Phrase(
                "deployment {number} failed: {class}",
                "error",
                "✕",
                {"outcome": ("failed",)},
            ),
            Phrase(
                "deployment {number} was cancelled by {who}",
                "warning",
                "■",
                {"outcome": ("cancelled",)},
            ),
            Phrase("deployment {number}: {outcome}"),
        ),
    ),
    "alert": Kind(
        {"change": str, "rule": str, "incident": int},
        (
            Phrase("alert: {rule}", "error", "!", {"change": ("began",)}),
            Phrase("alert over: {rule}", "ok", "✓", {"change": ("ended",)}),
            Phrase("alert begins and ends again and again: {rule}", "warning", "!"),
        ),
    ),
    # What a person did; "what" is a word for programs.
    "action": Kind(
        {"who": str, "what": str, "lines": int, "bytes": int, "replicas": int},
        (
            Phrase("{who} opened a terminal", when={"what": ("terminal-open",)}),
            Phrase("a terminal of {who} ended", when={"what": ("terminal-end",)}),
            Phrase("{who} put a file into the container", when={"what": ("file-put",)}),
            Phrase("{who} took a file from the container", when={"what": ("file-get",)}),
            Phrase(
                "a file of {who} broke off, its beginning may be left",
                when={"what": ("file-broken",)},
            ),
            Phrase(
                "{who} deleted the log: 1 line, {bytes}",
                "warning",
                "−",
                {"what": ("log-delete",), "lines": (1,)},
            ),
            Phrase(
                "{who} deleted the log: {lines} lines, {bytes}",
                "warning",
                "−",
                {"what": ("log-delete",)},
            ),
            Phrase("{who} changed how long the log is kept", when={"what": ("log-keep",)}),
            Phrase("{who} put the app away", when={"what": ("put-away",)}),
            Phrase("{who} brought the app back", when={"what": ("bring-back",)}),
            Phrase("{who} started it", "ok", "▶", {"what": ("start",)}),
            Phrase("{who} stopped it", "warning", "■", {"what": ("stop",)}),
            Phrase("{who} restarted it", "warning", "↻", {"what": ("restart",)}),
            Phrase("{who} killed it", "warning", "✕", {"what": ("kill",)}),
            Phrase("{who} paused it", "warning", "❙❙", {"what": ("pause",)}),
            Phrase("{who} resumed it", "ok", "▶", {"what": ("unpause",)}),
            Phrase("{who} removed the container", "warning", "−", {"what": ("remove",)}),
            Phrase("{who} set the number of instances to {replicas}", when={"what": ("scale",)}),
            Phrase("{who} deleted the app", "warning", "−", {"what": ("delete",)}),
            Phrase("{who} takes the container over as an app", when={"what": ("take-over",)}),
            Phrase("{who} brought the stack up", "ok", "▶", {"what": ("stack-up",)}),
            Phrase("{who} brought the stack down", "warning", "■", {"what": ("stack-down",)}),
            Phrase("{who}: {what}"),
        ),
    ),
}


def phrase_of(event: Event) -> Phrase:
    """What to say of it. Of a kind, or with a content, that nobody has words for: its own name."""
    kind = KINDS.get(event.kind)
    if kind is not None:
        for phrase in kind.phrases:
            if phrase.fits(event.data):
                return phrase
    return Phrase(event.kind)
