"""Containers that deploys rename: one app with its history, each line once."""

from __future__ import annotations

import time

from cloudbang.domain.lines import format_time
from tests.node.collector.rig import Rig
from tests.support import wait_until


def now() -> str:
    return format_time(time.time_ns())


def named(one: Rig, container: str, name: str) -> None:
    """Wait until it is seen by its new name."""

    def has_it() -> bool:
        known = one.inventory.instance(container)
        return known is not None and known.name == name

    wait_until(has_it, what=name)


def test_what_is_renamed_at_a_deploy_and_made_anew_is_one_app(rig, scripted):
    """``till`` becomes ``till-old``, a new ``till`` starts, the old one goes: also when the server
    is started anew in between."""
    one: Rig = rig(scripted.host)
    wait_until(one.inventory.ready.is_set)
    before, wanted = "", []
    for deploy in range(3):
        container = f"{deploy:02x}" * 32
        if before:
            scripted.rename(before, "till-old")
            named(one, before, "till-old")
        if deploy == 1:
            one.close()
            one = rig(scripted.host)
            wait_until(one.inventory.ready.is_set)
        scripted.add(container, "till")
        for n in range(5):
            scripted.log(container, now(), f"{deploy}.{n}")
        scripted.tell("start", container, time.time_ns())
        wanted += [f"{deploy}.{n}" for n in range(5)]
        assert one.wait_for("till", len(wanted)) == wanted
        if before:
            scripted.remove(before)
            wait_until(lambda rig=one, gone=before: rig.inventory.instance(gone) is None)
        before = container
    assert [app.name for app in one.apps.apps({"default"})] == ["till"]
    assert one.apps.apps({"default"}, "gone") == []
    assert one.store.apps() == ["till"]


def test_who_takes_the_place_of_an_app_is_of_it_with_what_it_logged_before(rig, scripted):
    """``till.new`` is started beside ``till``, then each is given the other's name: no app stays
    that nobody deployed, and no line is there twice."""
    one: Rig = rig(scripted.host)
    wait_until(one.inventory.ready.is_set)
    running = "aa" * 32
    scripted.add(running, "till")
    scripted.log(running, now(), "first")
    scripted.tell("start", running, time.time_ns())
    wanted = ["first"]
    one.wait_for("till", 1)
    for deploy in range(2):
        fresh = f"{deploy:02x}" * 32
        scripted.add(fresh, "till.new")
        scripted.log(fresh, now(), f"{deploy} begins")
        scripted.tell("start", fresh, time.time_ns())
        wait_until(lambda: one.store.has_lines("till.new"))
        scripted.rename(running, f"till.{deploy}")
        named(one, running, f"till.{deploy}")
        scripted.rename(fresh, "till")
        wanted.append(f"{deploy} begins")
        assert one.wait_for("till", len(wanted)) == wanted
        scripted.log(fresh, now(), f"{deploy} serves")
        wanted.append(f"{deploy} serves")
        assert one.wait_for("till", len(wanted)) == wanted
        scripted.remove(running)
        running = fresh
        wait_until(lambda: not one.store.has_lines("till.new"))
    one.close()
    two: Rig = rig(scripted.host)
    scripted.log(running, now(), "after a restart")
    assert two.wait_for("till", len(wanted) + 1) == [*wanted, "after a restart"]
    assert {app.name for app in two.apps.apps({"default"})} == {"till"}
    assert two.apps.apps({"default"}, "gone") == []


def test_a_name_that_was_given_back_changes_nothing(rig, scripted):
    """Renamed and renamed back: one app, one history."""
    one: Rig = rig(scripted.host)
    wait_until(one.inventory.ready.is_set)
    scripted.add("aa" * 32, "web")
    scripted.tell("start", "aa" * 32, time.time_ns())
    for name in ("web-old", "web"):
        scripted.rename("aa" * 32, name)
        named(one, "aa" * 32, name)
        scripted.log("aa" * 32, now(), name)
    assert one.wait_for("web", 2) == ["web-old", "web"]
    assert one.store.apps() == ["web"]


def test_an_app_with_a_long_log_keeps_it(rig, scripted, monkeypatch):
    """Who has logged much under its own name is an app of its own, whatever it is called later."""
    monkeypatch.setattr("cloudbang.apps.container_names.MOVED", 10)
    one: Rig = rig(scripted.host)
    wait_until(one.inventory.ready.is_set)
    for container, name in (("aa" * 32, "web"), ("bb" * 32, "shop")):
        scripted.add(container, name)
        scripted.log(container, now(), name)
        scripted.tell("start", container, time.time_ns())
        one.wait_for(name, 1)
    scripted.remove("aa" * 32)
    wait_until(lambda: one.inventory.instance("aa" * 32) is None)
    scripted.rename("bb" * 32, "web")
    named(one, "bb" * 32, "web")
    scripted.log("bb" * 32, now(), "more")
    assert one.wait_for("shop", 2) == ["shop", "more"]
    assert one.texts("web") == ["web"]
