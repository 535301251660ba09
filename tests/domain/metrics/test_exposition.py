"""What programs expose: each line by itself, so that a bad one loses that one alone."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Enum,
    Gauge,
    Histogram,
    Info,
    Summary,
    generate_latest,
)
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_latest

from cloudbang.domain.metrics.exposition import LONGEST, MOST, Exposition, Reading, TooMany
from cloudbang.domain.metrics.own_samples import Counts


def read(text: str | bytes, *, openmetrics: bool = False) -> Reading:
    raw = text.encode() if isinstance(text, str) else text
    made = Exposition(openmetrics=openmetrics)
    for line in raw.split(b"\n"):
        made.line(line)
    return made.done()


def told(reading: Reading) -> dict[tuple[str, ...], object]:
    """By name and labels what it is and how much."""
    return {
        (one.name, *(f"{name}={value}" for name, value in one.labels)): (one.kind, one.value)
        for one in reading.points
    }


def test_types_units_and_labels() -> None:
    found = read(
        "# HELP jobs_total Done \\n so far.\n"
        "# TYPE jobs_total counter\n"
        'jobs_total{queue="mail",host="a"} 1027 1395066363000\n'
        "# TYPE temperature gauge\n"
        "temperature -3.5e1\n"
        "process_cpu_seconds_total 4\n"
        "\n"
        "# a comment\n"
        "untold_bytes\t7\r\n"
        '  spaced { a = "b" , } 1  \n'
    )
    assert found.bad == 0
    assert told(found) == {
        ("jobs_total", "host=a", "queue=mail"): ("counter", 1027.0),
        ("temperature",): ("gauge", -35.0),
        ("process_cpu_seconds_total",): ("counter", 4.0),
        ("untold_bytes",): ("gauge", 7.0),
        ("spaced", "a=b"): ("gauge", 1.0),
    }
    assert [one.unit for one in found.points] == ["1", "1", "s", "bytes", "1"]
    assert [one.time for one in found.points] == [1395066363.0, None, None, None, None]


def test_what_is_escaped_is_what_was_meant() -> None:
    found = read('a{path="C:\\\\DIR\\\\x",said="\\"}\\n{,=",odd="\\d"} 1')
    (point,) = found.points
    assert dict(point.labels) == {"path": "C:\\DIR\\x", "said": '"}\n{,=', "odd": "\\d"}


@pytest.mark.parametrize(
    "bad",
    [
        "b",
        "b one",
        "b 1 2 3",
        "b 1_000",
        "b ١",
        "b 0x10",
        "b 1 soon",
        "b 1 NaN",
        "1b 2",
        "b{ 1",
        'b{x="1} 2',
        "b{x=1} 2",
        'b{x="1" y="2"} 2',
        'b{x="1",x="2"} 2',
        'b{1x="1"} 2',
        'b{x="1"}',
        "{} 1",
        '{x="1"} 1',
        "a 2",
        "# TYPE b kind",
        "b" * (LONGEST + 1),
    ],
)
def test_a_line_that_cannot_be_read_loses_that_line(bad: str) -> None:
    found = read(f"a 1\n{bad}\nc 3")
    assert told(found) == {("a",): ("gauge", 1.0), ("c",): ("gauge", 3.0)}
    assert found.bad == 1
    assert found.first is not None
    line, text = found.first
    assert line == 2
    assert bad.startswith(text)
    assert len(text) <= 80


def test_bytes_that_are_no_text_lose_their_line_alone() -> None:
    found = read(b'a 1\nb{x="\xff"} 2\nc 3')
    assert (len(found.points), found.bad) == (2, 1)


def test_what_is_nan_or_infinite_was_not_measured() -> None:
    found = read("a NaN\nb +Inf\nc -Inf\nd 1\n# TYPE e_total counter\ne_total NaN")
    assert told(found) == {("d",): ("gauge", 1.0)}
    assert (found.samples, found.bad) == (5, 0)


HISTOGRAM = (
    "# TYPE took_seconds histogram\n"
    'took_seconds_bucket{le="0.1",page="x"} 2\n'
    'took_seconds_bucket{le="+Inf",page="x"} 5\n'
    'took_seconds_bucket{page="x",le="0.5"} 4\n'
    'took_seconds_sum{page="x"} 1.5\n'
    'took_seconds_count{page="x"} 5\n'
)


def test_a_histogram_is_one_thing_in_whatever_order_its_lines_come() -> None:
    (point,) = read(HISTOGRAM).points
    assert (point.name, point.labels, point.unit) == ("took_seconds", (("page", "x"),), "s")
    assert point.value == Counts((0.1, 0.5, inf), (2.0, 4.0, 5.0), 0.0)


@pytest.mark.parametrize(
    ("line", "points", "bad"),
    [
        ('took_seconds_bucket{page="x"} 1', 1, 1),
        ('took_seconds_bucket{page="x",le="much"} 1', 1, 1),
        ('took_seconds_bucket{page="x",le="0.5"} 1', 1, 1),
        ('took_seconds_bucket{page="x",le="0.7"} NaN', 0, 0),
        ('took_seconds_bucket{page="x",le="0.7"} 1', 0, 1),  # fewer than those that are smaller
        ('took_seconds_bucket{page="x",le="-1"} 0', 0, 1),
    ],
)
def test_a_bucket_that_is_none(line: str, points: int, bad: int) -> None:
    found = read(HISTOGRAM + line)
    assert (len(found.points), found.bad) == (points, bad)


def test_a_summary_has_quantiles_that_nobody_adds_up() -> None:
    found = read(
        "# TYPE rpc_seconds summary\n"
        'rpc_seconds{quantile="0.5",container="x"} 0.2\n'
        "rpc_seconds_sum 17\n"
        "rpc_seconds_count 2693\n"
    )
    assert told(found) == {
        ("rpc_seconds", "exported_container=x", "exported_quantile=0.5"): ("gauge", 0.2),
        ("rpc_seconds_sum",): ("counter", 17.0),
        ("rpc_seconds_count",): ("counter", 2693.0),
    }
    assert [one.unit for one in found.points] == ["s", "s", "1"]


def test_openmetrics_where_it_differs() -> None:
    found = read(
        "# TYPE sent counter\n# UNIT sent bytes\n"
        'sent_total{to="x"} 17 1520879607.789 # {trace_id="a } # b"} 0.67 1520879607\n'
        "sent_created 1520872607.123\n"
        "# TYPE build info\n"
        'build_info{version="1"} 1\n'
        "# TYPE size gaugehistogram\n"
        'size_bucket{le="1"} 3\nsize_gcount 3\nsize_gsum 2\n'
        "# EOF\nafter 1\n",
        openmetrics=True,
    )
    assert told(found) == {
        ("sent_total", "to=x"): ("counter", 17.0),
        ("build_info", "version=1"): ("gauge", 1.0),
        ("size_gcount",): ("gauge", 3.0),
        ("size_gsum",): ("gauge", 2.0),
    }
    assert found.points[0].unit == "bytes"
    assert found.points[0].time == 1520879607.789
    assert found.bad == 0


def test_names_in_quotes_and_labels_that_are_empty() -> None:
    found = read('{"my.name",a="b",none=""} 1\n{"other.name"} 2\nplain{none=""} 3')
    assert told(found) == {
        ("my.name", "a=b"): ("gauge", 1.0),
        ("other.name",): ("gauge", 2.0),
        ("plain",): ("gauge", 3.0),
    }


def test_the_first_of_two_is_kept() -> None:
    found = read('a{x="1",y="2"} 1\na{y="2",x="1"} 2')
    assert (told(found), found.bad) == ({("a", "x=1", "y=2"): ("gauge", 1.0)}, 1)


def test_there_is_an_end_to_samples() -> None:
    lines = "\n".join(f"a{n} 1" for n in range(MOST))
    assert read(lines).samples == MOST
    with pytest.raises(TooMany):
        read(f"{lines}\none_more 1")


@given(st.binary(max_size=300))
def test_whatever_comes_is_read_or_lost(raw: bytes) -> None:
    found = read(b"a 1\n" + raw.replace(b"a", b"b") + b"\nc_last 3")
    assert told(found)["a",] == ("gauge", 1.0)


@given(st.text(alphabet='ab{}",=\\ 1#\t', max_size=60))
def test_so_is_what_is_nearly_right(text: str) -> None:
    found = read(f"first 1\n{text}\nlast 3")
    assert ("first",) in told(found)
    assert ("last",) in told(found)


def library() -> CollectorRegistry:
    """What the usual library of programs in Python has counted."""
    registry = CollectorRegistry()
    jobs = Counter("jobs", 'Done "so" far\n\\', ["queue"], registry=registry)
    jobs.labels('a"b\\c\nd').inc(3)
    jobs.labels("").inc(4)
    Gauge("depth_bytes", "How deep", registry=registry).set(1e21)
    took = Histogram("took_seconds", "How long", ["page"], buckets=(0.1, 1), registry=registry)
    for seconds in (0.05, 0.5, 5):
        took.labels("x").observe(seconds)
    Summary("rpc_seconds", "How long", registry=registry).observe(2)
    Info("build", "Which", registry=registry).info({"version": "1"})
    Enum("mood", "How", states=["well", "ill"], registry=registry).state("ill")
    return registry


@pytest.mark.parametrize("openmetrics", [False, True])
def test_what_the_usual_library_writes_is_read_whole(openmetrics: bool) -> None:
    write = openmetrics_latest if openmetrics else generate_latest
    found = read(write(library()), openmetrics=openmetrics)
    assert found.bad == 0
    assert told(found) == {
        ("jobs_total", 'queue=a"b\\c\nd'): ("counter", 3.0),
        ("jobs_total",): ("counter", 4.0),
        ("depth_bytes",): ("gauge", 1e21),
        ("took_seconds", "page=x"): ("histogram", Counts((0.1, 1.0, inf), (1.0, 2.0, 3.0), 0.0)),
        ("rpc_seconds_sum",): ("counter", 2.0),
        ("rpc_seconds_count",): ("counter", 1.0),
        ("build_info", "version=1"): ("gauge", 1.0),
        ("mood", "mood=well"): ("gauge", 0.0),
        ("mood", "mood=ill"): ("gauge", 1.0),
    }


def test_a_histogram_without_its_last_bound_has_all_that_it_counted() -> None:
    """Some write no ``+Inf``: what took longer than the last bound is in their number alone."""
    text = (
        "# TYPE took histogram\n"
        'took_bucket{le="0.1",a="b"} 3\ntook_bucket{le="1",a="b"} 5\n'
        'took_sum{a="b"} 40\ntook_count{a="b"} 9\n'
    )
    (point,) = read(text).points
    assert point.labels == (("a", "b"),)
    assert isinstance(point.value, Counts)
    assert (point.value.bounds, point.value.counts) == ((0.1, 1.0, inf), (3.0, 5.0, 9.0))
    assert read("# TYPE took histogram\ntook_sum 0\ntook_count 0\n").points == []


def test_labels_that_are_ours_take_no_others_place() -> None:
    text = 'x{container="a",exported_container="b",exported_exported_container="c"} 1'
    (point,) = read(text).points
    assert dict(point.labels) == {
        "exported_container": "b",
        "exported_exported_container": "c",
        "exported_exported_exported_container": "a",
    }


def test_a_mark_of_the_order_of_bytes_is_no_part_of_the_first_line() -> None:
    found = read("\ufeff# TYPE a counter\na 1")
    assert (found.bad, found.points[0].kind) == (0, "counter")
