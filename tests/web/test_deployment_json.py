"""What is said of a deployment that did not come to serve."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cloudbang.domain.deploy.deployment import Deployment, steps_of
from cloudbang.domain.deploy.failure import SENTENCES, Failure
from cloudbang.web.deployment_json import sentence_of
from cloudbang.web.pages.i18n import say_in

WHEN = "2026-01-01T00:00:00.000000000Z"
BEGUN = Deployment(7, "web", 3, 3, 2, "ann", WHEN, steps_of("image")).begin().enter("pull", WHEN)


def said(failure: Failure, language: str = "en") -> str:
    return sentence_of(BEGUN.fail(failure, WHEN), say_in(language)) or ""


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", SENTENCES)
def test_each_class_is_a_whole_sentence(kind: str, language: str) -> None:
    """With all that is known, and with nothing."""
    whole = Failure(kind, "its own words.", 3, 12.34, "nginx:1")  # type: ignore[arg-type]
    for failure in (whole, Failure(kind)):  # type: ignore[arg-type]
        text = said(failure, language)
        assert not re.search(r"[{}]|None|: *\.|：。|  |\.\.", text), text
        assert text.endswith("。" if language == "zh" else "."), text
        assert bool(re.search("[一-龥]", text)) == (language == "zh"), text


def test_facts_are_in_it() -> None:
    """The code, the time that it ran, the words of whoever knows."""
    assert said(Failure("exited", "", 3, 3.04)).startswith("it exited with 3 after 3.0 s.")
    assert said(Failure("exited", "", 3)).startswith("it exited with 3.")
    assert said(Failure("exited", "", 0, 3.04)).startswith("it ended by itself after 3.0 s, with 0")
    assert "job: true" in said(Failure("exited", "", 0))
    assert "12 秒" in said(Failure("out-of-memory", "", 137, 12.34), "zh")
    assert said(Failure("timed-out", "120 s")).startswith("pull took longer than it may: 120 s.")
    assert said(Failure("timed-out", "no", broke_off=True)) == "pull could not be done: no."
    assert said(Failure("exited", "its spec is odd")) == "it does not run: its spec is odd."
    long = said(Failure("build-failed", "x" * 1000, what="step 4"))
    assert "step 4" in long
    assert len(long) < 300


def test_braces_of_others_are_no_facts() -> None:
    """What a program said is shown as it is."""
    assert "{app} {0}" in said(Failure("build-failed", "{app} {0}"))


def test_who_ended_it() -> None:
    """Somebody, or one that came after it."""
    waiting = replace(BEGUN, state="queued")
    assert sentence_of(waiting.cancel("eve", WHEN), say_in("en")) == "eve cancelled it."
    replaced = replace(waiting, state="cancelled", cancelled_by="")
    assert "newer" in (sentence_of(replaced, say_in("en")) or "")
    assert sentence_of(BEGUN, say_in("en")) is None
    assert sentence_of(replace(BEGUN, state="serving"), say_in("en")) is None
