"""Compose projects that were found on the engine: shown as stacks, brought up and down by Docker's own
Compose, where the file that they were made from can be read.

The file is the machine's owner's, and named by the labels of containers: so it is an admin who has it
run, and never one that a container of ours names, whose labels somebody else may have written.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import gevent
from gevent.lock import BoundedSemaphore
from gevent.os import nb_read
from gevent.subprocess import DEVNULL, PIPE, STDOUT, Popen, TimeoutExpired

from cloudbang.core.threads import in_thread
from cloudbang.deploy.compose_errors import ComposeMissing
from cloudbang.deploy.compose_file import PROGRAM, SUMS
from cloudbang.domain.names import RELEASE, app_name
from cloudbang.errors import CloudBangError
from cloudbang.storage.database.found import FoundStore, ProjectFiles

log = logging.getLogger(__name__)

PROJECT = "com.docker.compose.project"
FILES, FOLDER = f"{PROJECT}.config_files", f"{PROJECT}.working_dir"
WITHIN = {"up": 900.0, "down": 180.0}  # seconds: what comes up may be pulled or built first
GRACE = 5.0  # from SIGTERM to SIGKILL of a Compose that takes longer
PRINTED = 64 * 1024  # bytes of what it says that are kept: the last ones
_PASSED = ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "HOME", "LANG")


class Engine(Protocol):
    """What is asked of it."""

    host: str
    app_label: str

    def labels_of(self, *labels: str) -> dict[str, dict[str, str]]: ...


class NoSuchProject(CloudBangError):
    """No Compose project of that name was seen."""

    code = "no-such-stack"
    status = 404
    title = "No such stack"
    sentence = (
        "there is no Compose project named {project}: GET /api/v1/stacks lists those there are"
    )

    def __init__(self, project: str) -> None:
        self.project = project
        super().__init__(project)


class ProjectUnreadable(CloudBangError):
    """The file that a project was made from cannot be read here."""

    code = "stack-unreadable"
    status = 409
    title = "The Compose file cannot be read"
    sentence = (
        "the Compose file {path} of {project} cannot be read here: start and stop its containers"
    )

    def __init__(self, project: str, path: str) -> None:
        self.project, self.path = project, path
        super().__init__(project, path)


class ProjectBusy(CloudBangError):
    """Somebody brings it up or down at this moment."""

    code = "stack-busy"
    status = 409
    title = "The stack is being brought up or down"
    sentence = "{project} is being brought up or down at this moment: wait for that"

    def __init__(self, project: str) -> None:
        self.project = project
        super().__init__(project)


class ComposeFailed(CloudBangError):
    """Compose did not do it. ``said``: its last line."""

    code = "compose-failed"
    status = 409
    title = "Compose failed"
    sentence = "Compose did not bring {project} {way}: {said}"
    variants = {  # noqa: RUF012
        ("said", "time"): "Compose did not bring {project} {way} in time, and was ended",
    }

    def __init__(self, project: str, way: str, said: str, printed: str = "") -> None:
        self.project, self.way, self.said, self.printed = project, way, said, printed
        super().__init__(project, way, said)


@dataclass(frozen=True, slots=True)
class Project:
    """``unreadable``: the first of its files that cannot be read; "" where all can."""

    name: str
    folder: str
    files: tuple[str, ...]
    apps: tuple[str, ...] = ()
    containers: int = 0
    unreadable: str = ""


class Projects:
    """See the module. ``record_action(app, container, who, what)`` is told of each."""

    def __init__(
        self,
        engine: Engine,
        store: FoundStore,
        record_action: Callable[..., None],
        environ: Mapping[str, str] = os.environ,
        program: Path = Path(sys.executable).parent / PROGRAM,
    ) -> None:
        self._engine, self._store, self._act = engine, store, record_action
        self._environ, self._program = environ, program
        self._known: dict[str, ProjectFiles] | None = None
        self._busy: set[str] = set()
        self._checking = BoundedSemaphore(1)
        self._checked = False

    def all(self) -> list[Project]:
        """Those on the engine, and those that are down and were seen, by name. Raises what the
        engine does, StorageFailed."""
        if self._known is None:
            self._known = {one.name: one for one in self._store.projects()}
        apps: dict[str, set[str]] = {}
        count: dict[str, int] = {}
        for id, labels in self._engine.labels_of(PROJECT).items():
            name = labels.get(PROJECT, "")
            if not name or labels.get(RELEASE):
                continue
            count[name] = count.get(name, 0) + 1
            apps.setdefault(name, set()).add(app_name(labels, id[:12], self._engine.app_label))
            files = tuple(part for part in labels.get(FILES, "").split(",") if part)
            found = ProjectFiles(name, labels.get(FOLDER, ""), files)
            if files and self._known.get(name) != found:
                self._store.save_project(found)
                self._known[name] = found
        names = {*self._known, *count}
        return [
            self._project(name, apps.get(name, set()), count.get(name, 0)) for name in sorted(names)
        ]

    def up(self, name: str, by: str) -> str:
        """All of its services, as its file says now; gives what Compose said.

        Raises NoSuchProject, ProjectUnreadable, ProjectBusy, ComposeFailed, ComposeMissing.
        """
        return self._bring(name, "up", ["up", "--detach", "--quiet-pull"], by)

    def down(self, name: str, by: str) -> str:
        """Its containers and networks away; its volumes stay. Raises as :meth:`up`."""
        return self._bring(name, "down", ["down"], by)

    def forget(self, name: str) -> None:
        """One that is down is not shown any more. Raises NoSuchProject, ProjectBusy (it is up)."""
        project = self._find(name)
        if project.containers:
            raise ProjectBusy(name)
        self._store.forget_project(name)
        if self._known is not None:
            self._known.pop(name, None)

    def _project(self, name: str, apps: set[str], containers: int) -> Project:
        assert self._known is not None
        its = self._known.get(name) or ProjectFiles(name, "", ())
        bad = next((path for path in its.files if not _readable(path)), "")
        if not its.files:
            bad = its.folder or "compose.yaml"
        return Project(name, its.folder, its.files, tuple(sorted(apps)), containers, bad)

    def _find(self, name: str) -> Project:
        for project in self.all():
            if project.name == name:
                return project
        raise NoSuchProject(name[:128])

    def _bring(self, name: str, way: str, arguments: Sequence[str], by: str) -> str:
        project = self._find(name)
        if project.unreadable:
            raise ProjectUnreadable(name, project.unreadable)
        if name in self._busy:
            raise ProjectBusy(name)
        self._busy.add(name)
        try:
            self._check_program()
            code, printed = self._run(project, arguments, WITHIN[way])
        finally:
            self._busy.discard(name)
        log.warning("%s brought the Compose project %s %s: exit code %s", by, name, way, code)
        if code is None:
            raise ComposeFailed(name, way, "time", printed)
        if code:
            lines = [line.strip() for line in printed.splitlines() if line.strip()]
            raise ComposeFailed(name, way, lines[-1][:500] if lines else str(code), printed)
        for app in project.apps or [one.name for one in self.all() if one.name == name]:
            self._act(app, "", by, f"stack-{way}")
        return printed

    def _check_program(self) -> None:
        """Raises ComposeMissing: it is not there, or another than ours."""
        with self._checking:
            if self._checked:
                return
            pool = gevent.get_hub().threadpool
            try:
                found = in_thread(
                    pool, lambda: hashlib.sha256(self._program.read_bytes()).hexdigest()
                )
            except OSError:
                raise ComposeMissing from None
            if found != SUMS.get(platform.machine()):
                raise ComposeMissing
            self._checked = True

    def _run(
        self, project: Project, arguments: Sequence[str], within: float
    ) -> tuple[int | None, str]:
        """Its exit code, None when it took too long, and the end of what it said. Nothing of it is
        left running."""
        files = [part for path in project.files for part in ("--file", path)]
        where = ["--project-directory", project.folder] if project.folder else []
        command = [
            *(str(self._program), "--ansi", "never", "--progress", "plain"),
            *("--project-name", project.name, *where, *files, *arguments),
        ]
        env = {name: self._environ[name] for name in _PASSED if name in self._environ}
        process = Popen(
            command,
            env={"PATH": os.defpath, **env, "DOCKER_HOST": self._engine.host},
            cwd=project.folder if os.path.isdir(project.folder) else "/",
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            start_new_session=True,
        )
        printed = b""
        try:
            with gevent.Timeout(within, False):
                while data := nb_read(process.stdout.fileno(), 64 * 1024):
                    printed = (printed + data)[-PRINTED:]
                return process.wait(), printed.decode("utf-8", "replace")
            return None, printed.decode("utf-8", "replace")
        finally:
            _end(process)


def _readable(path: str) -> bool:
    return os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.R_OK)


def _end(process: Popen) -> None:
    """The whole of its session, gently first."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        with suppress(TimeoutExpired):
            process.wait(GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()
    process.stdout.close()
