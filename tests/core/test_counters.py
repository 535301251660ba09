"""What a part exports is read from it, for as long as it is there."""

from __future__ import annotations

import gc

from cloudbang.core.counters import export, exported


class Owner:
    def __init__(self, count: int) -> None:
        self.count = count
        self.by_kind = {("a",): count, ("b",): 1}


def values(name: str) -> dict[tuple[str, ...], float]:
    return {family.name: family.values for family in exported()}.get(name, {})


def test_owners_are_added_up_for_as_long_as_they_are_there() -> None:
    """Two parts of one kind are one metric; one that is gone is no longer in it."""
    one, two = Owner(2), Owner(3)
    for owner in (one, two):
        export(owner, "tested", counters={"count": "Tested."})
        export(owner, "tested", counters={"by_kind": "By kind."}, labels=("kind",))
    assert values("tested_count") == {(): 5}
    one.count += 1
    assert values("tested_count") == {(): 6}
    assert values("tested_by_kind") == {("a",): 5, ("b",): 2}
    del owner, two
    gc.collect()
    assert values("tested_count") == {(): 3}
    assert values("tested_by_kind") == {("a",): 2, ("b",): 1}
