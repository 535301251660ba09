"""The table of kinds: every one has words, and what has none is shown under its own name."""

from __future__ import annotations

import re

import orjson
import pytest

from cloudbang.domain.events import AMOUNTS, KINDS, NAMES, Event, phrase_of

WHEN = "2026-07-01T12:00:00.000000000Z"


@pytest.mark.parametrize(
    ("kind", "data", "words", "tone"),
    [
        ("create", {}, "created", "info"),
        ("start", {}, "started up", "ok"),
        ("die", {}, "ended", "warning"),
        ("die", {"exit_code": 0}, "ended, exit code 0", "info"),
        ("die", {"exit_code": 1}, "died, exit code {exit_code}", "error"),
        (
            "die",
            {"exit_code": 137, "signal": 9},
            "died, exit code {exit_code} ({signal})",
            "error",
        ),
        (
            "die",
            {"exit_code": 143, "signal": 15, "asked": True},
            "stopped as it was told to, exit code {exit_code}",
            "info",
        ),
        (
            "die",
            {"exit_code": 137, "signal": 9, "asked": True},
            "killed: it did not stop in its time when it was told to",
            "warning",
        ),
        ("die", {"exit_code": 0, "asked": True}, "ended, exit code 0", "info"),
        ("die", {"exit_code": 192, "signal": 64}, "died, exit code {exit_code}", "error"),
        ("die", {"exit_code": 1, "source": "inspection"}, "died, exit code {exit_code}", "error"),
        ("health", {"status": "healthy"}, "health check passes", "ok"),
        ("health", {"status": "unhealthy"}, "health check fails", "error"),
        ("health", {"status": "starting"}, "health check is starting", "warning"),
        (
            "action",
            {"who": "ada", "what": "file-put"},
            "{who} put a file into the container",
            "info",
        ),
        ("action", {"who": "ada", "what": "dance"}, "{who}: {what}", "info"),
        (
            "action",
            {"who": "ada", "what": "log-delete", "lines": 1, "bytes": 60},
            "{who} deleted the log: 1 line, {bytes}",
            "warning",
        ),
        (
            "action",
            {"who": "ada", "what": "log-delete", "lines": 2, "bytes": 120},
            "{who} deleted the log: {lines} lines, {bytes}",
            "warning",
        ),
        ("action", {"who": "ada", "what": "put-away"}, "{who} put the app away", "info"),
        ("action", {"who": "ada", "what": "bring-back"}, "{who} brought the app back", "info"),
        (
            "deployment",
            {"outcome": "failed", "number": 3, "class": "exited", "who": "ada"},
            "deployment {number} failed: {class}",
            "error",
        ),
        (
            "deployment",
            {"outcome": "serving"},
            "release {release} serves (deployment {number})",
            "ok",
        ),
        ("alert.fired", {"rule": "cpu"}, "alert.fired", "info"),
    ],
)
def test_what_is_said_of_an_event(kind: str, data: dict, words: str, tone: str) -> None:
    """The first phrase that fits; a kind that nobody knows has its own name."""
    phrase = phrase_of(Event("web", WHEN, kind, data=data))
    assert (phrase.words, phrase.tone) == (words, tone)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_whole(kind: str) -> None:
    """Its last phrase fits whatever is not said before, and words fill in only its fields."""
    fields = set(KINDS[kind].fields)
    phrases = KINDS[kind].phrases
    assert phrases[-1].when == {}
    for phrase in phrases:
        assert set(re.findall(r"\{(\w+)\}", phrase.words)) | set(phrase.when) <= fields
        assert orjson.dumps(phrase.as_json())


def test_named_values_are_values_of_fields() -> None:
    """What has names, or is an amount, is a field of some kind."""
    assert {*NAMES, *AMOUNTS} <= {name for kind in KINDS.values() for name in kind.fields}
