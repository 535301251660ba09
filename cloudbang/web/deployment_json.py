"""DEPLOYMENT: a deployment as calls, sockets and pages tell of it, in a reader's language."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.deploy.failure import Failure, template_of
from cloudbang.errors import shortened

Say = Callable[[str], str]
"""Gives a text of ours in the reader's language."""

SECONDS = "{seconds} s"
CANCELLED = "{by} cancelled it."
REPLACED = "A newer one took its place before its turn had come."


def deployment_json(deployment: Deployment, say: Say) -> dict[str, Any]:
    """DEPLOYMENT, as docs/protocols/deployments.md has it."""
    return {**deployment.as_json(), "sentence": sentence_of(deployment, say)}


def sentence_of(deployment: Deployment, say: Say) -> str | None:
    """Why it failed, or who cancelled it; None where there is nothing to explain."""
    if deployment.failure is not None:
        return _of_failure(deployment, deployment.failure, say)
    if deployment.state == "cancelled":
        who = deployment.cancelled_by
        return say(CANCELLED).format(by=who) if who else say(REPLACED)
    return None


def _of_failure(deployment: Deployment, failure: Failure, say: Say) -> str:
    template = say(template_of(failure))
    said = str(shortened(say(failure.said).rstrip(".。 ")))
    if not said:
        template = re.sub(r"[:：]\s*\{said\}", "", template)
    facts = {
        "app": deployment.app,
        "said": said,
        "exit_code": "?" if failure.exit_code is None else failure.exit_code,
        "after": say(SECONDS).format(seconds=_seconds(failure.after or 0.0)),
        "what": failure.what or _step(deployment),
    }
    return " ".join(template.format(**facts).split(" "))


def _step(deployment: Deployment) -> str:
    """The step at which it ended: what a sentence is about where nothing else is named."""
    ended = [step.name for step in deployment.steps if step.state == "failed"]
    return ended[-1] if ended else deployment.app


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"
