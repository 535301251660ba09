"""Samples that programs put: whole messages that parse, of apps that there are."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest

from cloudbang.bus import Malformed, Message
from cloudbang.domain.apps import App
from cloudbang.intake.metrics import MOST_SAMPLES, MetricIntake, read_put

SAMPLE = {"name": "orders", "value": 1}


class Apps:
    def get(self, name: str) -> App | None:
        return App(name) if name == "web" else None


class Taken:
    def __init__(self) -> None:
        self.taken: list[tuple[str, list[object]]] = []

    def own(self, app: str, samples: Sequence[object]) -> None:
        self.taken.append((app, list(samples)))


def put(app: str = "web", header: bytes = b'{"v":1}', body: bytes | None = None) -> Message:
    return Message(f"put/metric/{app}/", header, orjson.dumps(SAMPLE) if body is None else body)


@pytest.mark.parametrize("body", [SAMPLE, [SAMPLE], [SAMPLE] * 3, []])
def test_one_sample_or_several(body: object) -> None:
    samples = body if isinstance(body, list) else [body]
    assert read_put(put(body=orjson.dumps(body))) == ("web", samples)


@pytest.mark.parametrize(
    "bad",
    [
        put(".."),
        put("a b"),
        put(header=b"{}"),
        put(header=b"1"),
        put(body=b"{"),
        put(body=b'"orders"'),
        put(body=b"[1]"),
        put(body=b'{"name":"a","value":NaN}'),
        put(body=orjson.dumps([SAMPLE] * (MOST_SAMPLES + 1))),
    ],
)
def test_what_does_not_parse_is_dropped_whole(bad: Message) -> None:
    with pytest.raises(Malformed):
        read_put(bad)


def test_a_program_makes_no_app_by_a_metric() -> None:
    taken = Taken()
    intake = MetricIntake(Apps(), taken)
    assert intake.take(put("web"))
    assert not intake.take(put("nobody"))
    assert taken.taken == [("web", [SAMPLE])]
