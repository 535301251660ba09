"""The app of a container: its name, and the stack it stands in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

MAX_NAME = 128
HIDDEN = "cloudbang.hidden"  # the label of what is no app: a helper of our own, "true"

_FITS = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")
_MISFIT = re.compile(r"[^A-Za-z0-9_.-]+")


def app_name(labels: Mapping[str, str], name: str) -> str:
    """The app's name: its label, its Swarm service, ``project.service`` of Compose, its own name.

    ``name`` is the container's, with or without the slash that the engine puts before it.
    """
    project = labels.get("com.docker.compose.project", "")
    service = labels.get("com.docker.compose.service", "")
    return fitting(
        labels.get("cloudbang.app", "").strip()
        or labels.get("com.docker.swarm.service.name", "")
        or (f"{project}.{service}" if project and service else "")
        or name.lstrip("/")
    )


def is_hidden(labels: Mapping[str, str]) -> bool:
    """Whether a container is no app of anybody's."""
    return labels.get(HIDDEN) == "true"


def fitting(name: str) -> str:
    """``name`` itself where it fits, else a name of its own: what does not fit is replaced, and a
    hash of the whole keeps two such names apart.

    A name is also a folder: it never starts with a dot.
    """
    if _FITS.fullmatch(name):
        return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    readable = _MISFIT.sub("_", name).lstrip(".")[: MAX_NAME - 9]
    return f"{readable or 'app'}-{mark}"


def stack_name(labels: Mapping[str, str]) -> str | None:
    """What groups apps: the Swarm stack or the Compose project."""
    return (
        labels.get("com.docker.stack.namespace") or labels.get("com.docker.compose.project") or None
    )
