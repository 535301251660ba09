"""What an app may name of the engine's own: its team's, and what nobody has yet."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from cloudbang.deploy.errors import OthersHaveIt
from cloudbang.deploy.reach import check_reach
from cloudbang.domain.deploy.disk import Use
from cloudbang.domain.deploy.spec import Spec, read_spec
from cloudbang.storage.database.deployments import Named

TEAMS = {"blog": "blue", "shop.web": "red", "shop.db": "red"}
KEPT = [
    Named("blog", volumes=("posts",), networks=("mesh",)),
    Named("shop.db", volumes=("orders",), stack="shop"),
]


@dataclass
class World:
    """Two teams' releases, and what is on the engine."""

    uses: dict[str, list[Use]] = field(default_factory=dict)

    def owner(self, name: str) -> str | None:
        return TEAMS.get(name)

    def named(self) -> list[Named]:
        return KEPT

    def volume_uses(self) -> dict[str, list[Use]]:
        return self.uses


def spec(**told: object) -> Spec:
    return read_spec({"image": "web", **told})[0]


def used(*apps: str) -> list[Use]:
    return [Use("container", f"{app}-1", app, True) for app in apps]


WORLD = World(
    {
        "posts": used("blog"),
        "orders": [],
        "cache": used("shop.web"),
        "shared": used("blog", "shop.web"),
        "dumps": used("backup-by-hand"),
        "left-over": [],
    }
)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("posts", ""),  # of the team's app
        ("new", ""),  # nobody's yet
        ("orders", "volumes[0].name"),  # of another team's releases
        ("cache", "volumes[0].name"),  # used by another team's containers
        ("shared", "volumes[0].name"),
        ("dumps", "volumes[0].name"),  # used by what nobody here made
        ("left-over", "volumes[0].name"),  # of nobody knows whom
    ],
)
def test_a_volume_is_the_teams_or_new(name: str, field: str) -> None:
    wanted = spec(volumes=[{"name": name, "path": "/x"}])
    if not field:
        check_reach(wanted, "blue", WORLD, WORLD, WORLD)
        return
    with pytest.raises(OthersHaveIt) as e:
        check_reach(wanted, "blue", WORLD, WORLD, WORLD)
    assert (e.value.field, e.value.name) == (field, name)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"stack": "shop"}, "stack"),
        ({"stack": "mine"}, ""),
        ({"networks": ["mesh"]}, ""),  # which an admin gave the team's app
        ({"networks": ["cloudbang_blue"]}, ""),
        ({"networks": ["cloudbang_red"]}, "networks[0]"),
        ({"networks": ["cloudbang"]}, "networks[0]"),  # on which the team "default" is
        ({"networks": ["cloudbang-shop"]}, "networks[0]"),
        ({"networks": ["mesh", "elsewhere"]}, "networks[1]"),
    ],
)
def test_a_network_is_the_teams(told: dict[str, object], field: str) -> None:
    """On it somebody's apps answer, whoever asks."""
    if not field:
        check_reach(spec(**told), "blue", WORLD, WORLD, WORLD)
        return
    with pytest.raises(OthersHaveIt) as e:
        check_reach(spec(**told), "blue", WORLD, WORLD, WORLD)
    assert e.value.field == field


def test_the_other_team_has_its_own() -> None:
    wanted = spec(stack="shop", volumes=[{"name": "orders", "path": "/x"}])
    check_reach(wanted, "red", WORLD, WORLD, WORLD)
