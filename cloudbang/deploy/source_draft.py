"""A look into a Git source before anything is deployed: whether it has a Dockerfile, and the one
that would be written for it where it has none."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gevent import get_hub
from gevent.lock import BoundedSemaphore

from cloudbang.core.threads import in_thread
from cloudbang.deploy import git
from cloudbang.domain.deploy import recipes
from cloudbang.domain.deploy.spec_parts import Build
from cloudbang.errors import StorageFailed

WITHIN = 60.0  # seconds
DEPTH, NAMES, TEXT = 3, 5_000, 64 * 1024  # folders, files, bytes of one
_EXPOSE = re.compile(r"^\s*EXPOSE\s+(\d+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SourceDraft:
    """``port``: at which the app answers, 0 where the Dockerfile says none."""

    commit: str
    has_dockerfile: bool
    port: int
    recipe: recipes.Recipe | None


class SourceDrafts:
    """One at a time: it is fetched for a look only."""

    def __init__(
        self,
        storage: Path,
        credentials: Callable[[str, str], git.Credentials | None],
        allowed_hosts: tuple[str, ...],
    ) -> None:
        """``credentials``: those of an address, for a team."""
        self._folder = Path(storage) / ".deploy" / "drafts"
        self._credentials, self._allowed = credentials, allowed_hosts
        self._turn = BoundedSemaphore(1)

    def look(self, build: Build, team: str = "") -> SourceDraft:
        """``team``: whose credentials are used, "" for none. Raises GitFailed, AddressRefused,
        SecretUnreadable, StorageFailed."""
        pool = get_hub().threadpool
        with self._turn:
            try:
                into = in_thread(pool, self._make)
            except OSError as e:
                raise StorageFailed(str(self._folder), e.strerror or str(e)) from e
            try:
                commit = git.fetch(
                    build.git,
                    build.branch,
                    into,
                    credentials=self._credentials(build.git, team) if team else None,
                    allowed_hosts=self._allowed,
                    within=WITHIN,
                )
                return in_thread(pool, _looked_at, into, build, commit)
            finally:
                in_thread(pool, shutil.rmtree, into, True)

    def _make(self) -> Path:
        shutil.rmtree(self._folder, True)  # what one that was killed left
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=self._folder))


def _looked_at(into: Path, build: Build, commit: str) -> SourceDraft:
    folder = (into / build.folder).resolve()
    if not folder.is_relative_to(into.resolve()) or not folder.is_dir():
        raise git.GitFailed(git.without_credentials(build.git), f"it has no folder {build.folder}")
    text = _text(folder, build.dockerfile)
    if text is not None:
        ports = _EXPOSE.findall(text)
        return SourceDraft(commit, True, int(ports[-1]) if ports else 0, None)
    names: list[str] = []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if len(parts) <= DEPTH and ".git" not in parts and path.is_file():
            names.append("/".join(parts))
        if len(names) >= NAMES:
            break
    texts: Mapping[str, str] = {
        name: its for name in recipes.READ if (its := _text(folder, name)) is not None
    }
    recipe = recipes.recipe_for(names, texts)
    return SourceDraft(commit, False, recipe.port if recipe else 0, recipe)


def _text(folder: Path, name: str) -> str | None:
    """Of a file that is within the folder itself: a source may hold links to anywhere."""
    path = folder / name
    try:
        if not path.resolve().is_relative_to(folder) or not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(TEXT).decode("utf-8", "replace")
    except OSError:
        return None
