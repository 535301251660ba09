"""A tally as bytes, and back: JSON with its histograms packed, in zstd."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import orjson
import zstandard

from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.tally import Entry, Tally

_VERSION = 1
_LARGEST = 16 * 1024 * 1024  # bytes that one may have


def pack(tally: Tally) -> bytes:
    body = orjson.dumps(
        {
            "v": _VERSION,
            "n": [tally.requests, tally.errors, tally.left, tally.sent, tally.streams],
            "open": tally.stream_seconds,
            "status": list(tally.statuses.items()),
            "method": tally.methods,
            "took": _histogram(tally.latency),
            "missed": tally.entries.missed,
            "rest": _entry(tally.entries.rest),
            "top": [[*key, *_entry(entry)] for key, entry in tally.entries],
        }
    )
    return zstandard.ZstdCompressor(level=1).compress(body)


def unpack(packed: bytes) -> Tally:
    """Raises ValueError for what ``pack`` cannot have given."""
    try:
        body = zstandard.ZstdDecompressor().decompress(packed, max_output_size=_LARGEST)
        found = orjson.loads(body)
        if found["v"] != _VERSION:
            raise ValueError("a tally of a newer version")
        made = Tally()
        made.requests, made.errors, made.left, made.sent, made.streams = found["n"]
        made.stream_seconds = found["open"]
        made.statuses = {int(status): int(n) for status, n in found["status"]}
        made.methods = dict(found["method"])
        made.latency = Histogram.unpack(b64decode(found["took"]))
        made.entries.missed = found["missed"]
        made.entries.rest = _read_entry(found["rest"])
        made.entries.values = {
            (method, template): _read_entry(entry) for method, template, *entry in found["top"]
        }
    except (zstandard.ZstdError, KeyError, TypeError, AttributeError) as e:
        raise ValueError(f"a packed tally that is damaged: {e}") from e
    return made


def _entry(entry: Entry) -> list[Any]:
    took = _histogram(entry.latency)
    return [entry.count, entry.errors, entry.most, entry.example, took]


def _read_entry(found: list[Any]) -> Entry:
    made = Entry()
    made.count, made.errors, made.most, made.example, took = found
    made.latency = Histogram.unpack(b64decode(took))
    return made


def _histogram(histogram: Histogram) -> str:
    return b64encode(histogram.pack()).decode()
