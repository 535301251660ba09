"""What a code host says when somebody pushes: whether it is who it says, and whether it concerns the
app."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

WebhookKind = Literal["github", "gitlab", "gitea", "plain"]
KINDS: tuple[WebhookKind, ...] = ("github", "gitlab", "gitea", "plain")
NAMES: Mapping[WebhookKind, str] = {
    "github": "GitHub",
    "gitlab": "GitLab",
    "gitea": "Gitea",
    "plain": "webhook",
}
BRANCH = "refs/heads/"
# Where a push says how many commits it has, told or not.
_COUNTS: Mapping[str, str] = {"gitlab": "total_commits_count", "gitea": "total_commits"}
NOBODY = "0" * 40

# Why a delivery deploys nothing.
Skipped = Literal["not-a-push", "no-branch", "other-branch", "other-paths"]


@dataclass(frozen=True, slots=True)
class Push:
    """A branch has moved. ``paths``: what changed, None where it is not told; ``default_branch``: of
    the repository, "" where it is not told; ``image``: one that was pushed, of a plain one."""

    branch: str = ""
    commit: str = ""
    by: str = ""
    paths: tuple[str, ...] | None = None
    default_branch: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which pushes concern an app: of a branch (a pattern; "" is the one that is built), that change
    any of these paths (patterns; none: all)."""

    branch: str = ""
    paths: tuple[str, ...] = ()


def is_signed(kind: WebhookKind, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether this was sent by somebody who has the secret. ``headers`` by names in small letters.

    In a time that says nothing of the secret.
    """
    key = secret.encode()
    if kind in ("gitlab", "plain"):
        name = "x-gitlab-token" if kind == "gitlab" else "x-cloudbang-token"
        if shown := headers.get(name, ""):
            return hmac.compare_digest(shown.encode("utf-8", "replace"), key)
    wanted = hmac.new(key, body, "sha256").hexdigest()
    header = {
        "github": "x-hub-signature-256",
        "gitea": "x-gitea-signature",
        "plain": "x-cloudbang-signature",
    }.get(kind, "")
    shown = headers.get(header, "").removeprefix("sha256=").lower()
    return bool(shown) and hmac.compare_digest(shown.encode("utf-8", "replace"), wanted.encode())


def delivery_of(kind: WebhookKind, headers: Mapping[str, str]) -> str:
    """What names a delivery, also when it is sent again; "" where nothing does."""
    names = {
        "github": ("x-github-delivery",),
        "gitlab": ("idempotency-key", "x-gitlab-event-uuid"),
        "gitea": ("x-gitea-delivery",),
        "plain": ("idempotency-key",),
    }[kind]
    return next((headers[name][:200] for name in names if headers.get(name)), "")


def push_of(kind: WebhookKind, headers: Mapping[str, str], told: Mapping[str, Any]) -> Push | None:
    """The push that a delivery tells of; None where it tells of something else."""
    if kind == "plain":
        return Push(
            branch=_text(told.get("branch")) or _branch(told.get("ref")),
            commit=_text(told.get("commit")),
            by=_name(told.get("by")),
            paths=_paths_given(told.get("paths")),
            image=_text(told.get("image")),
        )
    event = {
        "github": headers.get("x-github-event", ""),
        "gitea": headers.get("x-gitea-event", ""),
        "gitlab": headers.get("x-gitlab-event", ""),
    }[kind]
    if event not in ("push", "Push Hook"):
        return None
    commit = _text(told.get("after"))
    if told.get("deleted") is True or commit == NOBODY:
        return None  # a branch has gone
    repository = _mapping(told.get("project" if kind == "gitlab" else "repository"))
    pusher = _mapping(told.get("pusher"))
    by = told.get("user_username") or pusher.get("login") or pusher.get("name")
    return Push(
        branch=_branch(told.get("ref")),
        commit=commit,
        by=_name(by),
        paths=_paths_of(kind, told),
        default_branch=_text(repository.get("default_branch")),
    )


def skipped(push: Push, wanted: Filter, built: str) -> Skipped | None:
    """Why a push deploys nothing; None where it does. ``built``: the branch that the app is built
    from, "" for the repository's own. One that says nothing of branches or paths is for everybody."""
    branch = wanted.branch or built or push.default_branch
    if not push.branch and push.commit:
        return "no-branch"  # a tag
    if push.branch and branch and not fnmatchcase(push.branch, branch):
        return "other-branch"
    if wanted.paths and push.paths is not None and not matching(push.paths, wanted.paths):
        return "other-paths"
    return None


def matching(paths: Iterable[str], patterns: Sequence[str]) -> bool:
    """Whether any path fits any pattern: ``docs/`` is all below a folder, ``**`` any folders, ``*``
    what has no slash; ``!docs/`` takes away what those before it have taken."""
    compiled = [(p.startswith("!"), re.compile(_regex(p.removeprefix("!")))) for p in patterns]
    only_away = all(away for away, _ in compiled)
    for path in paths:
        taken = only_away
        for away, pattern in compiled:
            if pattern.fullmatch(path):
                taken = not away
        if taken:
            return True
    return False


def _regex(pattern: str) -> str:
    pattern = pattern.strip("/") + ("/**" if pattern.endswith("/") else "")
    made = ""
    for part in re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", pattern):
        made += {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(
            part, re.escape(part)
        )
    return made


def _paths_of(kind: WebhookKind, told: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What the commits of a push have changed; None where not all of them are told.

    Every host cuts the list off somewhere: GitLab after 20, Gitea after 5 (both say how many there
    were, Gitea since 1.16), GitHub after some thousands, the oldest first, and does not say so.
    """
    commits = told.get("commits")
    if not isinstance(commits, list) or not commits:
        return None
    count = told.get(_COUNTS[kind]) if kind in _COUNTS else len(commits)
    if not isinstance(count, int) or count > len(commits):
        return None
    if told.get("after") not in [_mapping(commit).get("id") for commit in commits]:
        return None
    found: set[str] = set()
    for commit in commits:
        for key in ("added", "modified", "removed"):
            names = _mapping(commit).get(key)
            if not isinstance(names, list):
                return None
            found.update(name for name in names if isinstance(name, str))
    return tuple(sorted(found))


def _paths_given(paths: object) -> tuple[str, ...] | None:
    if not isinstance(paths, list):
        return None
    return tuple(path for path in paths if isinstance(path, str))


def _branch(ref: object) -> str:
    text = _text(ref)
    return text.removeprefix(BRANCH) if text.startswith(BRANCH) else ""


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""


def _name(found: object) -> str:
    """Who pushed, as it can be shown: of what somebody else says."""
    return "".join(char for char in _text(found) if char.isprintable())[:64].strip()
