"""Which releases something of the engine's may belong to."""

from __future__ import annotations

from cloudbang.domain.deploy.claims import claims_of
from cloudbang.domain.deploy.deployment import Deployment, steps_of
from cloudbang.domain.deploy.release import KEPT, Release
from cloudbang.domain.deploy.spec import Spec


def releases(app: str, *numbers: int, image: str = "sha256:1") -> list[Release]:
    """The newest first."""
    return [Release(app, n, Spec(image="x"), image_id=image) for n in sorted(numbers)[::-1]]


def numbers(found: tuple[Release, ...]) -> list[int]:
    return [release.number for release in found]


def test_the_last_ten_are_kept_and_what_serves_or_is_deployed() -> None:
    """The first serves, the second is what a deployment replaces; the third may go."""
    begun = Deployment(1, "web", 1, 13, 2, "ada", "", steps_of("image"), state="running")
    found = claims_of(releases("web", *range(1, 14)), {"web": 1}, [begun])
    assert numbers(found.old) == [3]
    assert len(found.kept) == KEPT + 2
    assert found.wanted == {("web", 1), ("web", 2), ("web", 13)}
    assert found.busy == {"web"}
    assert ("web", 3) in found.known


def test_each_app_has_its_own_ten() -> None:
    every = releases("shop", *range(1, 11)) + releases("web", *range(1, 11))
    assert claims_of(every, {}, []).old == ()


def test_what_never_had_an_image_pushes_none_out_that_one_could_go_back_to() -> None:
    failed = releases("web", *range(11, 31), image="")
    found = claims_of(failed + releases("web", *range(1, 11)), {"web": 10}, [])
    assert found.old == ()
