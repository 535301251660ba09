"""Where the image of a release comes from: fetched, built, pulled."""

from __future__ import annotations

from dataclasses import replace

from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.sources import Fetched, Image
from cloudbang.deploy.work import Work
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.spec_parts import Build


def fetch(work: Work) -> None:
    """The source of a Git address."""
    work.fetched = _fetch(work)
    if work.fetched.commit:
        work.set_release(replace(work.release, commit=work.fetched.commit))


def build(work: Work) -> None:
    source = work.fetched or _source(work)
    deployment = work.record.now
    image = work.parts.sources.build(deployment, work.release, source, work.log, work.tell)
    _take(work, image)


def pull(work: Work) -> None:
    """An image that is on the machine is taken as it is; that of a release that is kept is the same
    again, or none."""
    pull = work.parts.sources.pull_again if work.release.image_id else work.parts.sources.pull
    _take(work, pull(work.release, work.log, work.tell))


def _fetch(work: Work) -> Fetched:
    asked = work.release.spec.build or Build()
    return work.parts.sources.fetch(work.record.now, asked, work.log, work.tell)


def _source(work: Work) -> Fetched:
    """After a restart: what was fetched is fetched again, what was sent has been kept."""
    asked = work.release.spec.build
    if asked is not None and asked.git:
        return _fetch(work)
    found = work.parts.sources.uploaded(work.record.now.id)
    if found is None:
        raise StepFailed(Failure("build-failed", "the folder that was sent is gone", what="upload"))
    return found


def _take(work: Work, image: Image) -> None:
    release = work.release.with_image(image.id, image.digest)
    asked = release.spec.build
    if image.recipe and asked is not None and not asked.recipe:
        asked = replace(asked, recipe=image.recipe)
        release = replace(release, spec=replace(release.spec, build=asked))
    work.set_release(release)
    work.parts.sources.keep(release)
    work.log.say(f"the image is {image.digest or image.id}")
