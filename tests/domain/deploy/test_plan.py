"""What is said of a deployment before it happens."""

from __future__ import annotations

import pytest

from cloudbang.domain.deploy.plan import HIDDEN, plan
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import read_spec

WEB = {"image": "web:1", "port": 80, "route": {"host": "a.example.com"}}
VOLUME = {"volumes": [{"name": "data", "path": "/data"}]}


def between(before: dict[str, object] | None, after: dict[str, object], secrets=()):
    old = None if before is None else Release("web", 1, read_spec(before)[0])
    return plan(old, read_spec(after)[0], secrets)


def told(one) -> dict[str, tuple[object, object]]:
    return {change.field: (change.before, change.after) for change in one.changes}


def test_the_first_one():
    one = between(None, WEB)
    assert one.first
    assert not one.replaces_instances
    assert told(one)["image"] == (None, "web:1")


def test_what_changes_is_told_field_by_field():
    after = {**WEB, "image": "web:2", "env": {"B": "2", "C": "3"}, "replicas": 2}
    one = between({**WEB, "env": {"A": "1", "B": "1"}}, after)
    assert told(one) == {
        "image": ("web:1", "web:2"),
        "env.A": ("1", None),
        "env.B": ("1", "2"),
        "env.C": (None, "3"),
        "replicas": (None, 2),
    }
    assert one.interruption == ""
    assert one.replaces_instances


def test_a_route_without_anything_in_it_is_a_change():
    assert told(between({"image": "a", "port": 80}, {"image": "a", "port": 80, "route": {}})) == {
        "route": (None, {})
    }


def test_of_secrets_only_that_they_change():
    before = {**WEB, "secrets": {"OLD": None, "KEPT": None, "SET": None}}
    after = {**WEB, "secrets": {"NEW": "canary", "KEPT": None, "SET": "canary"}}
    one = between(before, after, ["NEW", "SET"])
    assert told(one) == {
        "secrets.OLD": (HIDDEN, None),
        "secrets.NEW": (None, HIDDEN),
        "secrets.SET": (HIDDEN, HIDDEN),
    }
    assert "canary" not in str(one.as_json())


@pytest.mark.parametrize(
    ("before", "after", "interruption", "because"),
    [
        (WEB, {**WEB, **VOLUME}, "", ()),  # nobody has it yet
        ({**WEB, **VOLUME}, {**WEB, **VOLUME}, "held", ("data",)),
        ({**WEB, **VOLUME}, WEB, "", ()),
        ({"image": "a", **VOLUME}, {"image": "a", **VOLUME}, "moment", ("data",)),
        ({**WEB, **VOLUME, "replicas": 0}, {**WEB, **VOLUME}, "", ()),  # it is stopped
        (
            {"image": "a", "ports": [{"target": 53, "protocol": "udp"}]},
            {"image": "b", "ports": [{"target": 53, "protocol": "udp"}, {"target": 53}]},
            "moment",
            ("53/udp",),
        ),
    ],
)
def test_whether_there_is_a_moment_without_service_and_why(before, after, interruption, because):
    one = between(before, after)
    assert (one.interruption, one.because, one.stop_first) == (
        interruption,
        because,
        bool(because),
    )


def test_ports_that_will_be_open_are_said():
    """On all addresses: the ones that are new."""
    ports = {"ports": [{"target": 5432}]}
    assert between({"image": "a"}, {"image": "a", **ports}).published == ("5432/tcp",)
    assert between({"image": "a", **ports}, {"image": "a", **ports}).published == ()
