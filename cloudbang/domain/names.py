"""Names of apps and ids of containers: what may be one, and which app a container belongs to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

MAX_NAME = 128
DEFAULT_TEAM = "default"  # which every installation has
IMAGE = "cloudbang.image"  # the label of one that was started by its image's id: as people call it
ONE_OFF = "cloudbang.one-off"  # the label of a release command, "true"
RELEASE = "cloudbang.release"  # the label with the number of the release that it is of
JOB = "cloudbang.job"  # the label of what is done once it has ended with 0, "true"
METRICS_PORT = "cloudbang.metrics.port"  # the label with the port at which it exposes its metrics
METRICS_PATH = "cloudbang.metrics.path"  # the label with the path there
PEOPLES = frozenset({METRICS_PORT, METRICS_PATH})  # those of our labels that people give
HIDDEN = "cloudbang.hidden"  # the label of what is no app: a helper of our own, "true"

APP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""What an app may be called. It is also a folder, so it is never hidden, and no option of a command
that is given ``*`` there."""

TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

CONTAINER_ID = re.compile(r"[0-9a-f]{12}(?:[0-9a-f]{52})?")
"""An engine's id of a container, in full or short."""

LOG = re.compile(r"@[a-z]+-[0-9]{1,18}")
"""What the log of something is called that is no app, such as a deployment: no app can have it."""

_MISFIT = re.compile(r"[^A-Za-z0-9_.-]+")


def is_app_name(text: str) -> bool:
    """Whether an app may be called that: what a container's app can be called, and nothing else."""
    return APP.fullmatch(text) is not None


def is_log_name(text: str) -> bool:
    """Whether lines may be kept under that name: an app's, or that of something that is none."""
    return is_app_name(text) or LOG.fullmatch(text) is not None


def is_team_name(text: str) -> bool:
    """Whether a team may be called that: it is the folder that its apps' are in."""
    return TEAM.fullmatch(text) is not None


def is_container_id(text: object) -> bool:
    """Whether this is the id of a container, 12 or 64 hex digits."""
    return isinstance(text, str) and CONTAINER_ID.fullmatch(text) is not None


def app_name(labels: Mapping[str, str], name: str, label: str = "") -> str:
    """The app's name: its label, its Swarm service, ``project.service`` of Compose, its own name.

    ``name`` is the container's, with or without the slash that the engine puts before it; ``label``
    one more label that names the app: the operator's choice.
    """
    return fitting(_label_name(labels, label) or name.lstrip("/"))


def is_labelled(labels: Mapping[str, str], label: str = "") -> bool:
    """Whether a label names the app, which no rename changes."""
    return bool(_label_name(labels, label))


def is_one_off(labels: Mapping[str, str]) -> bool:
    """Whether it is a task of its own beside its service: of ``docker compose run``, or the command
    of a release."""
    return "true" in (labels.get("com.docker.compose.oneoff", "").lower(), labels.get(ONE_OFF))


def is_job(labels: Mapping[str, str]) -> bool:
    """Whether it is there to end: then it is done, and not started again."""
    return is_one_off(labels) or labels.get(JOB) == "true"


def release_of(labels: Mapping[str, str]) -> int:
    """The number of the release that a container is of, with the app's name; 0 for none."""
    number = labels.get(RELEASE, "")
    return int(number) if number.isdecimal() else 0


def slot_of(labels: Mapping[str, str]) -> str:
    """The place of a Swarm task, which its successors have as well: "web-r1.1"; "" for any other
    container."""
    return labels.get("com.docker.swarm.task.name", "").rpartition(".")[0]


def _label_name(labels: Mapping[str, str], label: str) -> str:
    project = labels.get("com.docker.compose.project", "")
    service = labels.get("com.docker.compose.service", "")
    return (
        labels.get("cloudbang.app", "").strip()
        or labels.get(label, "").strip()
        or labels.get("com.docker.swarm.service.name", "")
        or (f"{project}.{service}" if project and service else "")
    )


def is_hidden(labels: Mapping[str, str]) -> bool:
    """Whether a container is no app of anybody's."""
    return labels.get(HIDDEN) == "true"


def image_name(labels: Mapping[str, str], image: str) -> str:
    """What a container's image is called, which the engine knows as ``image``."""
    return labels.get(IMAGE) or image


def fitting(name: str) -> str:
    """``name`` itself where it fits, else a name of its own: what does not fit is replaced, and a
    hash of the whole keeps two such names apart.

    """
    if is_app_name(name):
        return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    readable = _MISFIT.sub("_", name).lstrip(".-")[: MAX_NAME - 9]
    return f"{readable or 'app'}-{mark}"


def stack_name(labels: Mapping[str, str]) -> str | None:
    """What groups apps: the stack they were deployed with, the Swarm stack, the Compose project."""
    return (
        labels.get("cloudbang.stack")
        or labels.get("com.docker.stack.namespace")
        or labels.get("com.docker.compose.project")
        or None
    )
