"""The name of an image, as people write it and as an engine keeps it."""

from __future__ import annotations

from collections.abc import Iterable

HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
_OFFICIAL = "library/"


def registry_of(image: str) -> str:
    """The registry that an image's name leads to, "" for the engine's own one."""
    first, slash, _ = image.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return first if named and first not in HUB else ""


def familiar(image: str) -> str:
    """The shortest name of the same: "docker.io/library/nginx" is "nginx:latest"; with a digest as
    "name@sha256:…", whatever tag stands before it."""
    name, _, digest = image.partition("@")
    first, slash, rest = name.partition("/")
    if slash and first in HUB:
        name = rest
    if "/" in name and name.startswith(_OFFICIAL) and name.count("/") == 1:
        name = name.removeprefix(_OFFICIAL)
    folder, slash, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    if digest:
        return f"{folder}{slash}{base}@{digest}"
    return f"{folder}{slash}{base}:{tag or 'latest'}"


def repository(image: str) -> str:
    """Its name without tag and digest."""
    name = familiar(image)
    return name.partition("@")[0] if "@" in name else name.rpartition(":")[0]


def is_called(image: str, names: Iterable[str], id: str) -> bool:
    """Whether an image with these tags and digests is the one that the name means. An engine takes
    the beginning of an id for a name as well, and so a word for the image of somebody else."""
    if image in (id, id.removeprefix("sha256:")):
        return True
    wanted = familiar(image)
    return any(familiar(name) == wanted for name in names)


def digest_of(image: str, digests: Iterable[str]) -> str:
    """Of an image's digests that of the repository of this name, "" where a registry told none."""
    wanted = repository(image)
    return next((digest for digest in digests if repository(digest) == wanted), "")
