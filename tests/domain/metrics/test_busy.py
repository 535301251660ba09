"""Who holds an app up: the right one is named, and nobody where nothing says so."""

from __future__ import annotations

import pytest

from cloudbang.domain.metrics.busy import Busy, NodeUse, Use, busy

FOUR = NodeUse(cpu=3.8, cores=4.0, steal=0.0, memory=3.8e9, memory_limit=4e9, io=50e6)


@pytest.mark.parametrize("share", [0.55, 0.7, 0.95])
def test_a_neighbour_that_takes_the_processors_is_named(share: float) -> None:
    web = Use(cpu=0.2, throttled=0.0, waits_cpu=0.4)
    uses = {"web": web, "job": Use(cpu=3.8 * share), "db": Use(cpu=0.1)}
    assert busy("web", uses, FOUR) == [Busy("cpu", "neighbour", 0.4, pytest.approx(share), "job")]


@pytest.mark.parametrize("held", [0.05, 0.3, 1.5])
def test_who_is_held_back_by_its_own_limit_blames_nobody(held: float) -> None:
    """Its pressure is high for that alone, however busy somebody else is."""
    uses = {"web": Use(cpu=0.2, throttled=held, waits_cpu=0.6), "job": Use(cpu=3.5)}
    (found,) = busy("web", uses, FOUR)
    assert (found.cause, found.by, found.share) == ("limit", None, held)


def test_what_the_host_takes_is_the_hosts() -> None:
    uses = {"web": Use(cpu=0.2, waits_cpu=0.3), "job": Use(cpu=2.0)}
    (found,) = busy("web", uses, FOUR._replace(steal=1.0))
    assert (found.cause, found.share) == ("hypervisor", 0.25)


def test_itself_what_is_no_app_and_several() -> None:
    waiting = Use(cpu=3.0, waits_cpu=0.3)
    assert busy("web", {"web": waiting, "job": Use(cpu=0.5)}, FOUR)[0].cause == "itself"
    little = waiting._replace(cpu=0.2)
    assert busy("web", {"web": little, "job": Use(cpu=0.5)}, FOUR)[0].cause == "outside"
    some = {"web": little, "a": Use(cpu=1.7), "b": Use(cpu=1.7)}
    assert busy("web", some, FOUR)[0].cause == "several"


def test_on_an_idle_machine_and_of_what_is_not_measured_nothing_is_said() -> None:
    uses = {"web": Use(cpu=0.2, waits_cpu=0.3), "job": Use(cpu=2.0)}
    assert busy("web", uses, FOUR._replace(cpu=2.2)) == []
    assert busy("web", uses, NodeUse()) == []
    assert busy("web", {"web": Use()}, FOUR) == []
    assert busy("web", {"web": Use(cpu=0.2, waits_cpu=0.05), "job": Use(cpu=3.5)}, FOUR) == []


def test_the_disk_and_memory_have_their_neighbours() -> None:
    uses = {"web": Use(io=1e6, waits_io=0.5), "dump": Use(io=45e6)}
    assert busy("web", uses, FOUR) == [Busy("io", "neighbour", 0.5, 0.9, "dump")]
    assert busy("web", uses, FOUR._replace(io=None))[0].by == "dump"
    idle = {"web": Use(io=1e3, waits_io=0.5), "dump": Use(io=2e3)}
    assert busy("web", idle, FOUR._replace(io=3e3)) == []
    uses = {"web": Use(memory=1e8, waits_memory=0.2), "cache": Use(memory=3e9)}
    assert busy("web", uses, FOUR)[0].by == "cache"
    full = {**uses, "web": Use(memory=0.95e8, memory_limit=1e8, waits_memory=0.2)}
    assert busy("web", full, FOUR)[0].cause == "limit"
