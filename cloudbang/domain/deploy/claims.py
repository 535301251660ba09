"""Which releases something of the engine's may belong to: those that serve, those that deployments
go on with, and those that one can go back to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.deploy.release import KEPT, Release


@dataclass(frozen=True, slots=True)
class Claims:
    """Releases by app and number. ``known``: all there are; ``wanted``: those that a service may
    stand for; ``kept``: these, and those that one can go back to; ``old``: the others. ``busy``: apps
    of which a deployment goes on."""

    known: frozenset[tuple[str, int]]
    wanted: frozenset[tuple[str, int]]
    kept: tuple[Release, ...]
    old: tuple[Release, ...]
    busy: frozenset[str]


def claims_of(
    releases: Collection[Release], serving: Mapping[str, int], unsettled: Collection[Deployment]
) -> Claims:
    """``releases``: of each app the newest first; ``serving``: by app the one that does."""
    begun = {
        (one.app, number)
        for one in unsettled
        for number in (one.release, one.previous)
        if number is not None
    }
    wanted = begun | set(serving.items())
    kept: list[Release] = []
    old: list[Release] = []
    count: dict[str, int] = {}
    for release in releases:
        # One that never had an image is none that one could go back to.
        count[release.app] = count.get(release.app, 0) + bool(release.image_id)
        stays = count[release.app] <= KEPT or (release.app, release.number) in wanted
        (kept if stays else old).append(release)
    return Claims(
        known=frozenset((release.app, release.number) for release in releases),
        wanted=frozenset(wanted),
        kept=tuple(kept),
        old=tuple(old),
        busy=frozenset(one.app for one in unsettled),
    )
