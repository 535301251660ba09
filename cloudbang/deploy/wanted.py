"""What somebody wants deployed, read and checked against what is kept, before anything is begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from cloudbang.deploy.errors import ForAdmins, NoSuchRelease
from cloudbang.deploy.git import without_credentials
from cloudbang.deploy.parts import Parts
from cloudbang.domain.deploy.deployment import Deployment, Source, steps_of
from cloudbang.domain.deploy.fields import SpecInvalid
from cloudbang.domain.deploy.plan import Plan, left_aside, plan
from cloudbang.domain.deploy.release import ImageIs, Release, ways_back
from cloudbang.domain.deploy.spec import Spec, check_together, read_spec
from cloudbang.domain.deploy.spec_parts import Build
from cloudbang.domain.deploy.swarm_spec import APP
from cloudbang.domain.names import RELEASE, is_app_name
from cloudbang.domain.text import Text
from cloudbang.errors import EngineRefused, EngineUnreachable

APP_ALLOWED = "1 to 128 letters, digits, _, . and -; neither . nor - first"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One of ``spec`` (SPEC) and ``release`` (a number to go back to); ``upload``: the id of a
    folder that was sent, of which ``spec`` is built; ``asked``: what names who asked for it, where
    they may ask again; ``team``: whose the app is or is to be, "" for its own, or `default`."""

    spec: Mapping[str, object] | None = None
    release: int | None = None
    upload: str = ""
    asked: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class PlanMade:
    """``image``: of a release to go back to; ``left``: the fields that are not honoured, and why. What
    cannot be is refused instead."""

    plan: Plan
    spec: Spec
    image: ImageIs | None = None
    left: tuple[tuple[str, Text], ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """``values``: secrets that are written anew; ``told``: from what it is made, for people."""

    release: Release
    source: Source
    told: Mapping[str, object]
    values: Mapping[str, str] = field(default_factory=dict)


class WantedReader:
    """Reads what is wanted of one app after another."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def plan(self, app: str, wanted: Wanted, serving: Release | None, *, admin: bool) -> PlanMade:
        """What it would change. Raises as :meth:`read`, RouteTaken, NoFreePort."""
        read = self.read(app, wanted, serving, admin=admin)
        self._parts.gateway.check(app, read.release.spec, wanted.team)
        newest = self._parts.secrets.newest(app)
        known = {name: newest[name] for name in read.values if name in newest}
        before = self._parts.secrets.get(app, known)
        new = [name for name, value in read.values.items() if before.get(name) != value]
        if wanted.release is not None and serving is not None:
            was = serving.secrets
            new = [n for n, v in read.release.secrets.items() if was.get(n, v) != v]
        kept = None if wanted.release is None else self.image_is(read.release)
        spec = read.release.spec
        return PlanMade(plan(serving, spec, new), spec, kept, left_aside(spec))

    def read(self, app: str, wanted: Wanted, serving: Release | None, *, admin: bool) -> Read:
        """Raises SpecInvalid, ForAdmins, NoSuchRelease, EngineUnreachable, StorageFailed."""
        if not is_app_name(app):
            raise SpecInvalid("app", APP_ALLOWED, app)
        if wanted.release is not None:
            read = self._kept(app, wanted.release, serving)
        else:
            read = self._new(app, wanted, serving)
        beyond = read.release.spec.for_admins
        if beyond and not admin:
            raise ForAdmins(beyond[0])
        return read

    def ways_back(self, app: str) -> dict[int, ImageIs | None]:
        """The releases that one can go back to, by number; None while the engine is away. Raises
        StorageFailed."""
        kept = ways_back(release for _, release in self._parts.store.releases(app))
        try:
            return {release.number: self.image_is(release) for release in kept}
        except (EngineUnreachable, EngineRefused):
            return dict.fromkeys(release.number for release in kept)

    def image_is(self, release: Release) -> ImageIs:
        """Raises EngineUnreachable, EngineRefused."""
        if self._parts.engine.image(release.image_id) is not None:
            return "here"
        return "pulled" if release.digest else "gone"

    def keep(self, app: str, read: Read) -> Release:
        """The release, with the versions of its secrets, which are kept by then. Raises
        StorageFailed, StorageFull."""
        if not read.values:
            return read.release
        versions = self._parts.secrets.put(app, read.values)
        return replace(read.release, secrets={**read.release.secrets, **versions})

    def lowest_number(self, app: str, release: Release) -> int:
        """Of a new release: above those of which the engine has services that nobody here knows,
        as after a data folder was lost. Raises EngineUnreachable, EngineRefused."""
        if release.number:
            return 0
        found = self._parts.engine.services(f"{APP}={app}")
        numbers = [its.labels.get(RELEASE, "") for its in found]
        return max((int(number) for number in numbers if number.isdecimal()), default=0) + 1

    def _kept(self, app: str, number: int, serving: Release | None) -> Read:
        kept = self._parts.store.release(app, number)
        if kept is None or not kept.image_id:
            raise NoSuchRelease(app, number)
        told: dict[str, object] = {"kind": "kept", "release": number}
        source: Source = "kept"
        if (its := self.image_is(kept)) != "here":
            # Where it is nowhere, the first step says so, and nothing of what serves is touched.
            source, told = "kept-away", {**told, "image": its}
        if serving is not None and serving.number == number:
            kept = replace(kept, number=0)  # beside itself it needs another name
        return Read(kept, source, told)

    def _new(self, app: str, wanted: Wanted, serving: Release | None) -> Read:
        spec, secrets = read_spec(wanted.spec)
        check_together(spec)
        if wanted.upload and spec.build is None:
            spec = replace(spec, build=Build())
        built = None
        if spec.build is not None and not (spec.build.git or wanted.upload):
            built = self._built(app, spec.build, serving)
            spec = replace(spec, build=built.spec.build)
        newest = self._parts.secrets.newest(app) if secrets else {}
        for name, value in secrets.items():
            if value is None and name not in newest:
                raise SpecInvalid(f"secrets.{name}", rule="missing")
        versions = {name: newest[name] for name in secrets if name in newest}
        values = {name: value for name, value in secrets.items() if value is not None}
        release = Release(app, 0, spec, secrets=versions)
        if wanted.upload:
            return Read(release, "upload", {"kind": "upload", "upload": wanted.upload}, values)
        if built is not None:
            release = release.with_image(built.image_id, built.digest)
            return Read(release, "built", {"kind": "built", "release": built.number}, values)
        if spec.build is not None:
            url = without_credentials(spec.build.git)
            told = {"kind": "git", "git": url, "branch": spec.build.branch}
            return Read(release, "git", told, values)
        return Read(release, "image", {"kind": "image", "image": spec.image}, values)

    def _built(self, app: str, build: Build, serving: Release | None) -> Release:
        """The release whose image runs on where the folder that it was built of is not sent again: of
        what serves, else the newest that has one."""
        made = serving or next(
            (one for _, one in self._parts.store.releases(app) if one.image_id), None
        )
        if made is None or made.spec.build is None or made.spec.build.git or not made.image_id:
            raise SpecInvalid("build.git", rule="source")
        was = made.spec.build
        if not build.recipe:  # one that CloudBang wrote
            build = replace(build, recipe=was.recipe)
        for name in (one.name for one in fields(Build)):
            if getattr(build, name) != getattr(was, name):
                raise SpecInvalid(f"build.{name}", rule="folder")
        if self.image_is(made) != "here":
            raise SpecInvalid("build", rule="gone")
        return made


def planned(
    deployment: Deployment, release: Release, source: Source, serving: Release | None
) -> Deployment:
    """With the steps that lead from what serves now to a release."""
    made = plan(serving, release.spec)
    routed = release.spec.route is not None
    was_routed = serving is not None and serving.spec.route is not None
    return replace(
        deployment,
        previous=serving.number if serving else None,
        stop_first=made.stop_first,
        steps=steps_of(
            source,
            release_command=bool(release.spec.release_command),
            routed=routed or was_routed,
            replaces=serving is not None,
            stop_first=made.stop_first,
        ),
    )
