"""A release: one immutable, numbered specification of an app, and what it is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal

from cloudbang.domain.deploy.spec import Spec, read_spec

KEPT = 10  # releases of an app that one can go back to

ImageIs = Literal["here", "pulled", "gone"]
"""Whether the image of a release that is kept is on the machine; was removed from it, and is pulled
by its digest; or is nowhere."""

_LONGEST = 63  # characters of a Swarm service's name
_UNFIT = re.compile(r"[^a-z0-9-]+")  # two names that differ in capitals are one to a resolver


@dataclass(frozen=True, slots=True)
class Release:
    """``secrets``: by name the version of its value. ``image_id`` is what runs; ``digest`` where a
    registry told one."""

    app: str
    number: int
    spec: Spec
    image_id: str = ""  # "sha256:…"; "" until it was pulled or built
    digest: str = ""  # "nginx@sha256:…"
    commit: str = ""  # of a Git source
    secrets: Mapping[str, int] = field(default_factory=dict)

    @property
    def service(self) -> str:
        """The name of its Swarm service, and under which the gateway finds it."""
        return service_name(self.app, self.number)

    @property
    def tag(self) -> str:
        """The tag that keeps its image from being cleaned up."""
        return image_tag(self.app, self.number)

    def as_json(self) -> dict[str, object]:
        return {
            "app": self.app,
            "number": self.number,
            "spec": self.spec.as_json(),
            "image_id": self.image_id,
            "digest": self.digest,
            "commit": self.commit,
            "secrets": dict(self.secrets),
        }

    @classmethod
    def of(cls, told: Mapping[str, object]) -> Release:
        """From what ``as_json`` gave. Raises SpecInvalid."""
        spec, _ = read_spec(told["spec"])
        secrets = told.get("secrets") or {}
        assert isinstance(secrets, Mapping)
        return cls(
            app=str(told["app"]),
            number=int(str(told["number"])),
            spec=spec,
            image_id=str(told.get("image_id") or ""),
            digest=str(told.get("digest") or ""),
            commit=str(told.get("commit") or ""),
            secrets={str(name): int(version) for name, version in secrets.items()},
        )

    def with_image(self, image_id: str, digest: str = "", commit: str = "") -> Release:
        """The same, now that its image is there."""
        return replace(self, image_id=image_id, digest=digest, commit=commit or self.commit)


def ways_back(releases: Iterable[Release]) -> list[Release]:
    """Of an app's releases, the newest first, those that are kept to go back to."""
    return [release for release in releases if release.image_id][:KEPT]


def service_name(app: str, number: int) -> str:
    """The service of a release: ``web-r3``. Of a name that may be no service's, what may be and a
    sum of the whole, so that two apps never share one."""
    end = f"-r{number}"
    plain = _UNFIT.sub("-", app.lower()).strip("-")
    if plain == app and len(plain) + len(end) <= _LONGEST:
        return plain + end
    check = sha256(app.encode()).hexdigest()[:8]
    room = _LONGEST - len(end) - len(check) - 1
    return f"{(plain or 'app')[:room].rstrip('-')}-{check}{end}"


def image_tag(app: str, number: int) -> str:
    """``cloudbang/web:r3``."""
    name = service_name(app, number).rsplit("-r", 1)[0]
    return f"cloudbang/{name}:r{number}"
