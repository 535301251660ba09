"""What of an engine's disk may go: never what is used, kept for going back, or somebody else's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.deploy.disk import (
    KINDS,
    CacheRecord,
    Image,
    Kept,
    Network,
    Stock,
    Use,
    Volume,
    clean_up,
    with_uses,
)

SHOP = (Use("container", "shop", "shop", True),)
R3 = (Use("release", "r3", "web"),)
NOTHING = Kept()


def names(stock: Stock, kept: Kept = NOTHING, *kinds: str, others: bool = False) -> list[str]:
    return [item.name for item in clean_up(stock, kept, kinds or KINDS, others=others)]  # type: ignore[arg-type]


def test_ours_go_and_others_only_when_they_are_asked_for() -> None:
    stock = Stock(
        images=(
            Image("sha256:1", ("cloudbang/web:r1",)),
            Image("sha256:2", ("cloudbang/web:r2", "nginx:latest")),
            Image("sha256:3", ("nginx:1.27",)),
            Image("sha256:4"),
            Image("sha256:5", labels={"cloudbang.app": "web"}),
        ),
        volumes=(
            Volume("data"),
            Volume("old"),
            Volume("labelled", labels={"cloudbang.app": "web"}),
        ),
        networks=(Network("n1", "lan"), Network("n2", "shop", labels={"cloudbang.stack": "shop"})),
    )
    kept = Kept(our_volumes=frozenset({"old"}))
    ours = ["cloudbang/web:r1", "sha256:5", "shop", "old", "labelled"]
    assert names(stock, kept) == ours
    everything = [
        *("cloudbang/web:r1", "cloudbang/web:r2", "nginx:1.27", "sha256:4", "sha256:5"),
        *("lan", "shop", "data", "old", "labelled"),
    ]
    assert names(stock, kept, others=True) == everything
    assert names(stock, kept, "volume") == ["old", "labelled"]


def test_what_is_used_kept_or_named_never_goes() -> None:
    stock = Stock(
        images=(
            Image("sha256:1", ("a:1",), used_by=SHOP),
            Image("sha256:2", ("cloudbang/web:r3",)),
            Image("sha256:3", ("busybox:latest",)),
            Image("sha256:4", ("free:1",)),
        ),
        volumes=(Volume("used", used_by=SHOP), Volume("kept"), Volume("free")),
        networks=(
            *(Network(name, name) for name in ("bridge", "host", "none", "ingress")),
            *(Network("n1", "used", used_by=SHOP), Network("n2", "cloudbang")),
            *(Network("n3", "kept"), Network("n4", "free")),
        ),
    )
    kept = Kept(
        images={"sha256:2": R3},
        volumes={"kept": R3},
        networks={"kept": R3},
        names=frozenset({"busybox", "cloudbang"}),
    )
    assert names(stock, kept, others=True) == ["free:1", "free", "free"]
    shown = with_uses(stock, kept)
    assert [one.used_by for one in shown.images] == [SHOP, R3, (), ()]
    assert [one.used_by for one in shown.volumes] == [SHOP, R3, ()]
    assert shown.networks[6].used_by == R3


def test_an_image_is_taken_exactly_the_names_that_are_shown() -> None:
    stock = Stock(images=(Image("sha256:1", ("cloudbang/a:r1", "cloudbang/a:r2"), size=5),))
    (item,) = clean_up(stock, NOTHING)
    assert (item.id, item.names, item.size) == ("sha256:1", ("cloudbang/a:r1", "cloudbang/a:r2"), 5)


@given(st.lists(st.tuples(st.integers(0, 30), st.sets(st.integers(0, 30))), max_size=30))
def test_each_record_of_the_cache_goes_before_what_it_stands_on(found) -> None:
    """What is used stays, and all that it needs; a circle, which there is none of, hangs nobody."""
    records = {
        n: CacheRecord(
            str(n),
            str(n),
            size=1,
            in_use=n % 7 == 3,
            parents=tuple(str(p) for p in its if p < n),
        )
        for n, its in found
    }
    plan = [item.id for item in clean_up(Stock(cache=tuple(records.values())), NOTHING, ("cache",))]
    assert len(plan) == len(set(plan))
    for record in records.values():
        for parent in record.parents:
            if parent in plan:
                assert record.id in plan
                assert plan.index(record.id) < plan.index(parent)
        assert not (record.in_use and record.id in plan)
