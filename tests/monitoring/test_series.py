"""What is measured comes in, is kept, written down and told; what was not measured never is."""

from __future__ import annotations

import pytest

from cloudbang.domain.lines import format_time, record
from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import Aggregate, SeriesKey
from tests.monitoring.monitoring_support import A, B, House, KeptStore, T, sweep

CPU = SeriesKey("web", "cpu")


def of_ten(value: float, samples: int = 10) -> Aggregate:
    return Aggregate(samples, value * samples, value, value)


# --- an app's value from its instances' -----------------------------------------------------------


def test_instances_add_up_and_pressure_is_the_largest() -> None:
    house = House()
    both = {A: {"cpu": 0.25, "pressure.cpu": 0.1}, B: {"cpu": 0.5, "pressure.cpu": 0.4}}
    house.second(T, sweep(T, {"web": [A, B]}, both))
    assert house.series.latest("web", "cpu") == (T, 0.75)
    at, most = house.series.latest("web", "pressure.cpu") or (0, 0.0)
    assert (at, most) == (T, pytest.approx(0.4))
    assert house.series.latest("web", "cpu", (("container", "a" * 12),)) == (T, 0.25)


def test_an_instance_that_is_missing_makes_a_gap_and_no_dip() -> None:
    house = House()
    for at in (T, T + 1, T + 2):
        found = {A: {"cpu": 0.25}, B: {"cpu": 0.5}} if at != T + 1 else {A: {"cpu": 0.25}}
        house.second(at, sweep(at, {"web": [A, B]}, found))
    assert house.series.window(CPU, 3) == [0.75, None, 0.75]
    key = SeriesKey("web", "cpu", (("container", "a" * 12),))
    assert house.series.window(key, 3) == [0.25, 0.25, 0.25]


def test_series_of_single_instances_are_there_only_while_there_are_several() -> None:
    house = House()
    house.second(T, sweep(T, {"web": [A]}, {A: {"cpu": 0.25, "memory.peak": 4096.0}}))
    assert house.series.latest("web", "cpu", (("container", "a" * 12),)) is None
    assert house.series.latest("web", "memory.peak") == (T, 4096.0)
    found = {A: {"cpu": 0.25, "memory.peak": 1.0}, B: {"cpu": 0.5, "memory.peak": 2.0}}
    house.second(T + 5, sweep(T + 5, {"web": [A, B]}, found))
    assert house.series.latest("web", "memory.peak") == (T, 4096.0), "only of one instance"
    house.series.take(sweep(T + 2_000, {"web": [A]}, {A: {"cpu": 0.25}}))
    house.series.tidy()
    assert house.series.latest("web", "cpu", (("container", "a" * 12),)) is None


def test_a_limit_that_one_instance_lacks_is_none_of_the_app() -> None:
    house = House()
    found = {A: {"cpu": 0.1, "memory.limit": 1e9}, B: {"cpu": 0.1}}
    house.second(T, sweep(T, {"web": [A, B]}, found))
    assert house.series.latest("web", "memory.limit") is None


def test_one_that_ended_meanwhile_does_not_count() -> None:
    house = House()
    house.second(T, sweep(T, {"web": [A]}, {A: {"cpu": 0.25}, B: {"cpu": 9.0}}))
    assert house.series.latest("web", "cpu") == (T, 0.25)


def test_a_name_that_nobody_knows_stops_nothing() -> None:
    house, two = House(), {"cpu": 0.25, "cpu.of_tomorrow": 1.0}
    house.second(T, sweep(T, {"web": [A]}, {A: two}, node={("new", ()): 1.0, ("cpu", ()): 1.5}))
    house.second(T + 1, sweep(T + 1, {"web": [A, B]}, {A: two, B: two}))
    assert house.series.window(CPU, 2) == [0.25, 0.5]
    assert house.series.latest(NODE, "cpu") == (T, 1.5)
    assert house.series.latest("web", "cpu.of_tomorrow") is None


def test_the_node_is_measured_as_well() -> None:
    house = House()
    node = {("cpu", ()): 1.5, ("disk.used", (("path", "/"),)): 1e9}
    house.second(T, sweep(T, {}, {}, node=node))
    assert house.series.latest(NODE, "cpu") == (T, 1.5)
    assert house.series.latest(NODE, "disk.used", (("path", "/"),)) == (T, 1e9)


# --- written down ---------------------------------------------------------------------------------


def test_each_ten_seconds_become_a_slab_that_begins_at_ten() -> None:
    house = House()
    house.run(T + 3, T + 24)
    assert sorted(house.store.slabs) == [T, T + 10]
    assert house.store.slabs[T][0][CPU] == of_ten(0.5, 7)
    assert house.store.slabs[T + 10][0][CPU] == of_ten(0.5)


def test_a_kill_costs_ten_seconds_at_most() -> None:
    """At whatever second: all that is older than 10 s is on the disk."""
    house = House()
    for at in range(T, T + 40):
        house.run(at, at + 1)
        written = sum(slab[0][CPU].samples for slab in house.store.slabs.values())
        assert at - (T + written - 1) <= 10


def test_what_was_missed_is_missing_on_the_disk() -> None:
    house = House()
    house.run(T, T + 10)
    for at in range(T + 10, T + 20):
        house.second(at, sweep(at, {"web": [A]}, {}))
    house.run(T + 20, T + 34)
    assert CPU not in house.store.slabs[T + 10][0]
    assert house.store.slabs[T + 20][0][CPU] == of_ten(0.5)


def test_nothing_is_lost_while_the_store_is_away() -> None:
    house = House()
    house.run(T, T + 14)
    house.store.away = True
    house.run(T + 14, T + 300)
    assert house.series.trouble_of() is not None
    assert "database is locked" in str(house.series.slabs.queue.trouble)
    house.store.away = False
    house.run(T + 300, T + 314)
    assert house.series.trouble_of() is None
    assert all(house.store.slabs[at][0][CPU] == of_ten(0.5) for at in range(T, T + 300, 10))


def test_what_waits_for_the_store_is_bounded() -> None:
    house = House()
    house.store.away = True
    house.run(T, T + 1_200)
    assert house.series.slabs.queue.waiting == 90
    assert house.series.slabs.queue.dropped > 0


def test_a_stop_loses_nothing_and_the_next_process_doubles_nothing() -> None:
    house = House()
    house.run(T, T + 16)
    house.series.record_histogram("web", T + 10, "http.latency", (), seconds(0.1))
    house.series.stop()
    again = House(house.store, T + 17)
    again.run(T + 17, T + 34)
    again.series.record_histogram("web", T + 30, "http.latency", (), seconds(0.3))
    again.series.stop()
    assert house.store.slabs[T][0][CPU] == of_ten(0.5)
    assert house.store.slabs[T + 10][0][CPU] == of_ten(0.5, 9)  # 16 was measured by nobody
    latency = SeriesKey("web", "http.latency")
    assert house.store.slabs[T + 10][1][latency].count == 1
    assert house.store.slabs[T + 30][1][latency].count == 1


def test_a_clock_that_was_set_back_measures_again() -> None:
    house = House()
    house.run(T, T + 40)
    house.run(T + 5, T + 24)
    assert house.series.window(CPU, 5) == [0.5] * 5
    assert house.series.of("web").rings["cpu", ()].end == T + 24  # type: ignore[union-attr]


def test_a_clock_that_was_set_ahead_leaves_a_gap() -> None:
    house = House()
    house.run(T, T + 5)
    house.run(T + 3_600, T + 3_620)
    assert house.series.window(CPU, 25) == [None] * 5 + [0.5] * 20
    assert sum(CPU in slab[0] for slab in house.store.slabs.values()) == 2


def test_what_is_distributed_is_written_as_counts_and_shown_as_quantiles() -> None:
    house = House()
    house.run(T, T + 11)
    house.series.record_histogram("web", T, "http.latency", (), seconds(*[0.1] * 99, 2.0))
    house.run(T + 11, T + 14)
    (found,) = house.store.slabs[T][1].values()
    assert found.count == 100
    at, p95 = house.series.latest("web", "http.latency", (("quantile", "0.95"),)) or (0, 0.0)
    assert (at, p95) == (T, pytest.approx(0.1, rel=0.011))
    told = [samples for at, samples in house.bus.sent["metric/web/"] if samples[0][0][0] == "h"]
    assert [labels["quantile"] for _, labels, _ in told[0]] == ["0.5", "0.95", "0.99"]
    assert not any("quantile" in str(key) for key in house.store.slabs[T][0])


def test_what_comes_late_is_put_where_it_belongs() -> None:
    house = House()
    house.run(T, T + 60)
    house.series.record_histogram("web", T + 20, "http.latency", (), seconds(0.1, 0.2))
    house.run(T + 60, T + 62)
    points, histograms = house.store.slabs[T + 20]
    assert points[CPU] == of_ten(0.5)
    assert histograms[SeriesKey("web", "http.latency")].count == 2


def test_an_app_that_is_deleted_is_forgotten_at_once() -> None:
    house = House()
    house.run(T, T + 14)
    house.series.own("web", [{"name": "orders", "value": 1}])
    house.series.forget("web")
    assert house.series.latest("web", "cpu") is None
    assert house.store.series_of("web") == []
    house.second(T + 15, sweep(T + 15, {}, {}))
    house.second(T + 25, sweep(T + 25, {}, {}))
    assert house.store.series_of("web") == []


def seconds(*values: float) -> Histogram:
    made = Histogram()
    for value in values:
        made.add(value)
    return made


# --- told -----------------------------------------------------------------------------------------


def test_each_second_is_told_with_what_is_missing() -> None:
    house = House()
    house.second(T, sweep(T, {"web": [A]}, {A: {"cpu": 0.5, "memory.anon": 4096.0}}))
    house.second(T + 1, sweep(T + 1, {"web": [A]}, {A: {"cpu": 0.25}}))
    house.second(T + 2, sweep(T + 2, {"web": [A]}, {}))
    house.second(T + 5, sweep(T + 5, {"web": [A]}, {A: {"cpu": 0.25}}))
    told = [
        (at, [s for s in samples if not s[0].startswith("log.")])
        for at, samples in house.bus.sent["metric/web/"]
    ]
    assert told == [
        (T, [["cpu", {}, 0.5], ["memory.anon", {}, 4096.0]]),
        (T + 1, [["cpu", {}, 0.25]]),
        (T + 2, [["cpu", {}, None]]),
        (T + 5, [["cpu", {}, 0.25], ["memory.anon", {}, None]]),
    ]
    assert house.bus.sent["overview/"][2] == (T + 2, {"apps": {"web": [None, None]}, "node": []})


def test_nothing_is_made_for_nobody() -> None:
    house = House()
    house.bus.is_wanted = False
    house.run(T, T + 3)
    assert house.bus.sent == {}


def test_who_listens_is_called_after_each_second() -> None:
    house, seen = House(), []
    house.series.listen(lambda at: seen.append((at, house.series.latest("web", "cpu"))))
    house.series.listen(lambda at: 1 / 0)
    house.run(T, T + 2)
    assert seen == [(T, (T, 0.5)), (T + 1, (T + 1, 0.5))]


def test_numbers_that_are_behind_are_said() -> None:
    house = House()
    assert house.series.trouble_of() is None
    house.run(T, T + 2)
    assert house.series.trouble_of() is None
    house.clock.now = T + 20
    assert "behind" in (house.series.trouble_of() or "")


# --- logs -----------------------------------------------------------------------------------------


def lines(at: float, *texts: str) -> list[bytes]:
    moment = format_time(int(at * 1e9)).encode()
    return [record(moment, b"a" * 12, b"stdout", text.encode()) for text in texts]


def test_lines_and_errors_are_counted_by_the_second() -> None:
    house = House()
    house.run(T, T + 1)
    said = lines(T, "INFO started", "ERROR no room", "level=error msg=x", "something")
    house.logs.stored([("web", 1, said), ("@deployment-1", 1, said)])
    house.run(T + 1, T + 2)
    house.run(T + 2, T + 3)
    assert house.series.window(SeriesKey("web", "log.lines"), 2) == [4.0, 0.0]
    assert house.series.window(SeriesKey("web", "log.errors"), 2) == [2.0, 0.0]
    assert house.series.of("@deployment-1") is None


def test_lines_that_were_read_late_are_no_rate_of_now() -> None:
    house = House()
    house.run(T, T + 1)
    house.logs.stored([("web", 1, [*lines(T - 3_600, "old", "old"), *lines(T, "new")])])
    house.logs.stored([("web", 4, lines(T - 3_600, "old"))])
    house.run(T + 1, T + 2)
    assert house.series.latest("web", "log.lines") == (T + 1, 1.0)


def test_of_a_flood_as_many_are_looked_at_as_there_is_time_for() -> None:
    house = House()
    house.run(T, T + 1)
    for _ in range(20):
        house.logs.stored([("web", 1, lines(T, *(["ERROR x", "INFO x"] * 500)))])
    house.run(T + 1, T + 2)
    assert house.series.latest("web", "log.lines") == (T + 1, 20_000.0)
    _, errors = house.series.latest("web", "log.errors") or (0, 0.0)
    assert errors == pytest.approx(10_000, rel=0.01)


def test_an_app_without_containers_that_logs_is_kept_until_it_is_silent() -> None:
    house = House()
    house.run(T, T + 1)
    house.logs.stored([("cron", 1, lines(T, "done"))])
    house.run(T + 1, T + 3)
    assert house.series.window(SeriesKey("cron", "log.lines"), 2) == [1.0, 0.0]
    house.series.take(sweep(T + 1_000, {"web": [A]}, {A: {"cpu": 0.5}}))
    house.series.tidy()
    assert house.series.of("cron") is None


def test_what_is_not_measured_is_said_with_the_reason() -> None:
    house = House(KeptStore())
    house.series.say("web", A, {"network.received": "it has no network"})
    series = house.series.of("web")
    assert series is not None
    expected = {"name": "network.received", "container": "a" * 12, "why": "it has no network"}
    assert series.not_measured(str) == [expected]
    house.series.say("web", A, {})
    assert series.not_measured(str) == []
