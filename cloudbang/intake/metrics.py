"""Samples that other programs want kept and shown: ``put/metric/<app>/`` in, fact out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import orjson

from cloudbang.bus import Malformed, Message, read_header
from cloudbang.domain.apps import App
from cloudbang.domain.names import is_app_name

TOPIC = "put/metric/"
MOST_SAMPLES = 5_000  # in one message


class Apps(Protocol):
    """What is asked of the registry."""

    def get(self, name: str) -> App | None: ...


class Own(Protocol):
    """Who takes samples; what is refused it counts, and says when it is asked."""

    def own(self, app: str, samples: Sequence[object]) -> object: ...


class MetricIntake:
    """Takes what is put, of apps that there are."""

    def __init__(self, apps: Apps, series: Own) -> None:
        self._apps, self._series = apps, series

    def take(self, message: Message) -> bool:
        """Whether there is such an app. Raises Malformed."""
        app, samples = read_put(message)
        if self._apps.get(app) is None:
            return False
        self._series.own(app, samples)
        return True


def read_put(message: Message) -> tuple[str, list[object]]:
    """The app and the samples, as they came. Raises Malformed."""
    app = message.topic.removeprefix(TOPIC).removesuffix("/")
    if not is_app_name(app):
        raise Malformed("the topic names no app")
    read_header(message.header)
    try:
        body = orjson.loads(message.body)
    except orjson.JSONDecodeError as e:
        raise Malformed(f"the body is not JSON: {e}") from None
    samples = body if isinstance(body, list) else [body]
    if len(samples) > MOST_SAMPLES:
        raise Malformed(f"more than {MOST_SAMPLES} samples in one message")
    if not all(isinstance(one, dict) for one in samples):
        raise Malformed("a sample is no object")
    return app, samples
