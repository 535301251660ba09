"""Which lines of a log that is read again are new."""

from __future__ import annotations

from collections import Counter

from cloudbang.domain.lines import record
from cloudbang.node.collector.resume import Resume, take_stored


def _lines(first: int, last: int) -> list[bytes]:
    """Lines ``first`` to ``last``, a second apart."""
    return [
        record(
            b"2026-01-01T00:%02d:%02d.000000000Z" % divmod(n, 60), b"a" * 12, b"stdout", b"%d" % n
        )
        for n in range(first, last + 1)
    ]


def _resume(stored: list[bytes]) -> Resume:
    return Resume(Counter(stored), stored[-1])


def test_what_was_skipped_is_new_and_what_came_after_it_is_not() -> None:
    """The engine skipped 11 to 90 while 91 to 100 were stored: 11 to 90 come late, nothing twice."""
    resume = _resume(_lines(1, 10) + _lines(91, 100))
    assert resume.new(_lines(1, 120)) == _lines(11, 90) + _lines(101, 120)
    assert resume.hole
    assert resume.gap_after is None


def test_a_stop_while_skipped_lines_are_read_doubles_nothing() -> None:
    """Of the skipped lines some are stored, after younger ones: these are recognised all the same."""
    resume = _resume(_lines(1, 10) + _lines(91, 95) + _lines(11, 50))
    assert resume.new(_lines(1, 60)) == _lines(51, 60)
    assert resume.new(_lines(61, 120)) == _lines(61, 90) + _lines(96, 120)
    assert resume.done


def test_a_log_that_begins_after_what_is_stored_has_a_gap() -> None:
    """When even the newest line stored is gone, the first new one comes after a gap."""
    resume = _resume(_lines(1, 10))
    assert resume.new(_lines(15, 20)) == _lines(15, 20)
    assert (resume.gap_after, resume.gap_at) == (_lines(10, 10)[0], 0)


def test_a_gap_after_lines_that_were_skipped() -> None:
    """Skipped lines are new, and the gap is where the dropped ones were."""
    resume = _resume(_lines(1, 3) + _lines(8, 10))
    assert resume.new(_lines(1, 7) + _lines(15, 16)) == _lines(4, 7) + _lines(15, 16)
    assert (resume.gap_after, resume.gap_at) == (_lines(10, 10)[0], 4)


def test_a_log_that_is_known_to_be_another_is_new_as_a_whole() -> None:
    """After the clock was set back times say nothing: all is new, after a gap."""
    stored = _lines(100, 100)
    resume = Resume(Counter(stored), stored[0], gone=True)
    assert resume.new(_lines(1, 5)) == _lines(1, 5)
    assert (resume.gap_after, resume.gap_at) == (stored[0], 0)


def test_what_is_stored_is_left_out_as_often_as_it_is() -> None:
    one, two = (
        record(b"2026-07-01T12:00:00.000000000Z", b"a" * 12, b"stdout", t) for t in (b"1", b"2")
    )
    stored = Counter({one: 1})
    assert take_stored([one, two, one], stored) == [two, one]
    assert take_stored([two, one], stored) == [two, one]
