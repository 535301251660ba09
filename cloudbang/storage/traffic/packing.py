"""A tally as bytes, and back: JSON with its histograms packed, in zstd."""

from __future__ import annotations

from base64 import b64decode, b64encode
from math import isfinite
from typing import Any

import orjson
import zstandard

from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.tally import Entry, Tally

_VERSION = 1
_LARGEST = 16 * 1024 * 1024  # bytes that one may have
_MOST, _LONGEST = 2**53, 1e300  # that are added up; JSON has nothing beyond


def pack(tally: Tally) -> bytes:
    body = orjson.dumps(
        {
            "v": _VERSION,
            "n": [tally.requests, tally.errors, tally.left, min(tally.sent, _MOST), tally.streams],
            "open": min(tally.stream_seconds, _LONGEST),
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
        made.requests, made.errors, made.left, made.sent, made.streams = map(_count, found["n"])
        made.stream_seconds = _seconds(found["open"])
        made.statuses = {_count(status): _count(n) for status, n in found["status"]}
        made.methods = {str(method): _count(n) for method, n in found["method"].items()}
        made.latency = Histogram.unpack(b64decode(found["took"]))
        made.entries.missed = _count(found["missed"])
        made.entries.rest = _read_entry(found["rest"])
        made.entries.values = {
            (str(method), str(template)): _read_entry(entry)
            for method, template, *entry in found["top"]
        }
    except (zstandard.ZstdError, KeyError, TypeError, AttributeError) as e:
        raise ValueError(f"a packed tally that is damaged: {e}") from e
    return made


def _entry(entry: Entry) -> list[Any]:
    took = _histogram(entry.latency)
    return [entry.count, entry.errors, entry.most, entry.example, took]


def _read_entry(found: list[Any]) -> Entry:
    made = Entry()
    count, errors, most, example, took = found
    made.count, made.errors, made.most = _count(count), _count(errors), _seconds(most)
    made.example = str(example)
    made.latency = Histogram.unpack(b64decode(took))
    return made


def _count(found: Any) -> int:
    if type(found) is not int or found < 0:
        raise ValueError(f"a packed tally that counts {found!r}")
    return found


def _seconds(found: Any) -> float:
    """JSON has no infinity: it would come back as nothing, with which nothing can be added up."""
    if type(found) not in (int, float) or not isfinite(found) or found < 0:
        raise ValueError(f"a packed tally that took {found!r}")
    return float(found)


def _histogram(histogram: Histogram) -> str:
    return b64encode(histogram.pack()).decode()
