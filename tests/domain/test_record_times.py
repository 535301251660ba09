"""The time of a record, which is asked for thousands of times: quickly the same as the slow way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.lines import format_time, parse_time, record_ns

RECORD = b" 0123456789ab stdout text\n"


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_it_is_the_moment_that_was_written(ns: int) -> None:
    text = format_time(ns)
    assert record_ns(text.encode() + RECORD) == parse_time(text) == ns


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z"],
)
def test_what_nobody_can_write_is_no_time(text: str) -> None:
    """Within a minute of the first and the last that there are."""
    for ends in ("0001-01-01T00:00:00.000000000Z", "9999-12-31T23:59:59.999999999Z"):
        assert format_time(parse_time(ends)) == ends
    with pytest.raises(ValueError, match="not an RFC 3339 time"):
        parse_time(text)


@pytest.mark.parametrize(
    "time",
    [
        b"2016-12-31T23:59:60.000000001Z",  # a leap second
        b"2026-02-29T10:00:00.000000000Z",  # no such day
        b"2026-11-30T10:00:00.00000000xZ",
        b"2026-11-30T10:00:00.12345678\xb2Z",
        b"2026-11-30T10:00:00,123456789Z",
        b"2026-11-30T10:00:00.1234+02:00",
        b"\x00" * 30,
        b"",
        b"2026-11-30",
    ],
)
def test_what_is_odd_is_what_it_was(time: bytes) -> None:
    """Damaged is 0, and what may be written otherwise is read."""
    try:
        slow = parse_time(time[:30].decode("ascii"))
    except ValueError:
        slow = 0
    assert record_ns(time + (RECORD if len(time) == 30 else b"")) == slow
