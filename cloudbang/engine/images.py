"""Images: what the engine has, fetching one, building one, the tags that keep one."""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from cloudbang.engine.http import EngineHttp
from cloudbang.engine.stream import EngineStream
from cloudbang.errors import EngineRefused, EngineUnreachable

CONNECT = 120.0  # seconds a registry gets for its first word
SILENT = 120.0  # seconds without a byte after which a pull is given up
LOOK = 0.5  # seconds between looks at whether a pull is still wanted
ENDS = 10.0  # seconds in which the engine ends what is given up


@dataclass(frozen=True, slots=True)
class EngineImage:
    """An image that the engine has. ``digests`` as "name@sha256:…", where a registry told them."""

    id: str  # "sha256:…"
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    size: int = 0  # bytes
    created: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """Who asks a registry. Never shown: it is in no text that is made of this."""

    registry: str  # its host; "" for the engine's own one
    user: str
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        """As the engine takes it."""
        told = {
            "username": self.user,
            "password": self.password,
            "serveraddress": self.registry or "https://index.docker.io/v1/",
        }
        return urlsafe_b64encode(orjson.dumps(told)).decode()


@dataclass(frozen=True, slots=True)
class PullStep:
    """One line of the engine's progress."""

    layer: str  # "" when it is about the whole image
    status: str  # "Downloading", "Pull complete", …
    done: int = 0  # bytes, of
    total: int = 0  # 0 when that is not known


@dataclass(frozen=True, slots=True)
class BuildWanted:
    """How an image is to be built. ``memory`` in bytes, ``cpus`` in processors, 0 for no limit: the
    classic builder keeps to them, BuildKit's answer over HTTP knows of no limits."""

    id: str  # by which it can be cancelled
    tag: str
    dockerfile: str = "Dockerfile"
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    buildkit: bool = True
    memory: int = 0
    cpus: float = 0.0


class ImageCalls(EngineHttp):
    """The engine's calls about images."""

    def data_root(self) -> str:
        """The folder, on its machine, in which the engine keeps images."""
        told = self._json("/info", what="where it keeps images", call="info")
        return str(told.get("DockerRootDir") or "/var/lib/docker")

    def cgroup_driver(self) -> str:
        """Who makes the control groups of what it runs: "cgroupfs" for itself, or "systemd"."""
        told = self._json("/info", what="who makes its control groups", call="info")
        return str(told.get("CgroupDriver") or "")

    def has_image(self, image: str) -> bool:
        return self.image(image) is not None

    def image(self, name: str) -> EngineImage | None:
        """The image of that name, digest or id; None where there is none."""
        try:
            path = f"/images/{quote(name, safe='/:@')}/json"
            told = self._json(path, what=f"the image {name}", call="images")
        except EngineRefused as e:
            if e.engine_status == 404:
                return None
            raise
        return EngineImage(
            id=str(told["Id"]),
            tags=tuple(map(str, told.get("RepoTags") or ())),
            digests=tuple(map(str, told.get("RepoDigests") or ())),
            size=int(told.get("Size") or 0),
            created=str(told.get("Created") or ""),
            config=dict(told.get("Config") or {}),
        )

    def tag_image(self, image: str, tag: str) -> None:
        """Give an image a further name, "name:tag", which is taken from whichever has it."""
        repo, _, name = tag.rpartition(":")
        path = f"/images/{quote(image, safe='/:@')}/tag"
        query = {"repo": repo, "tag": name}
        self._json(path, query, method="POST", what=f"to tag an image {tag}", call="tag")

    def remove_image(self, name: str) -> bool:
        """Take away a name, and with its last one the image; whether there was one. What runs
        keeps its image: the engine refuses."""
        path = f"/images/{quote(name, safe='/:@')}"
        try:
            self._json(path, method="DELETE", what=f"to remove the image {name}", call="tag")
        except EngineRefused as e:
            if e.engine_status == 404:
                return False
            raise
        return True

    # --- fetching -------------------------------------------------------------------------------

    def pull(
        self,
        image: str,
        wanted: Callable[[], bool] = lambda: True,
        *,
        login: RegistryLogin | None = None,
        silent: float = 0.0,
    ) -> Iterator[PullStep]:
        """Fetch an image, step by step; stops soon after it is not ``wanted`` any more. Who closes
        it, or is ended meanwhile, comes back when the engine has ended it, which some cannot before
        the registry answers, or ``ENDS`` later. ``silent``: seconds without a word of the registry's
        after which it is given up, 0 for as many as ever.

        Raises EngineRefused with what the registry says, or when it says nothing for long.
        """
        # Without a tag the engine would fetch all there are.
        name = image.rpartition("/")[2]
        full = image if ":" in name or "@" in name else f"{image}:latest"
        what = f"the image {image}"
        patience = silent or SILENT
        stream = self._open(
            "/images/create",
            {"fromImage": full},
            method="POST",
            timeout=silent or CONNECT,
            what=what,
            call="pull",
            headers=None if login is None else {"X-Registry-Auth": login.header},
        )
        rest, heard, ended = b"", time.monotonic(), False
        try:
            while wanted():
                if time.monotonic() - heard > patience:
                    raise EngineRefused(what, 504, f"nothing came for {patience:.0f} s")
                if not stream.wait(min(LOOK, patience)):
                    continue
                data = stream.read_now()
                if data == b"":
                    ended = True
                    if rest.strip():
                        yield _step(rest, what)
                    return
                *lines, rest = (rest + (data or b"")).split(b"\n")
                for line in lines:
                    if line.strip():
                        step = _step(line, what)
                        # That it counts the seconds until it asks again is no word of a registry's.
                        if not step.status.startswith("Retrying in"):
                            heard = time.monotonic()
                        yield step
        finally:
            if ended:
                stream.close()
            else:
                stream.abandon(ENDS)

    # --- building -------------------------------------------------------------------------------

    def build(self, wanted: BuildWanted, context: Callable[[], Iterable[bytes]]) -> EngineBuild:
        """Begin to build; ``context`` makes the pieces of a tar, again where it has to be sent
        again. Close it. Raises EngineRefused."""
        query = {
            "version": "2" if wanted.buildkit else "1",
            "buildid": wanted.id,
            "t": wanted.tag,
            "dockerfile": wanted.dockerfile,
            "buildargs": orjson.dumps(dict(wanted.args)).decode(),
            "rm": "1",
            "forcerm": "1",
        }
        if wanted.target:
            query["target"] = wanted.target
        if not wanted.buildkit and wanted.memory:
            query |= {"memory": str(wanted.memory), "memswap": str(wanted.memory)}
        if not wanted.buildkit and wanted.cpus:
            query |= {"cpuperiod": "100000", "cpuquota": str(int(wanted.cpus * 100_000))}
        stream = self._open(
            "/build",
            query,
            method="POST",
            timeout=CONNECT,
            what="to build an image",
            call="build",
            headers={"Content-Type": "application/x-tar"},
            pieces=context,
        )
        return EngineBuild(self, wanted.id, stream)

    def cancel_build(self, id: str) -> None:
        """Of one that there is not, the engine says nothing."""
        what = "to cancel a build"
        self._json("/build/cancel", {"id": id}, method="POST", what=what, call="build")


class EngineBuild:
    """A build that is under way: the lines that the engine tells of it."""

    def __init__(self, engine: ImageCalls, id: str, stream: EngineStream) -> None:
        self._engine, self._id, self._stream = engine, id, stream
        self._ended = False

    def lines(self) -> Iterator[list[bytes]]:
        """The lines, those together that came together, to the end."""
        rest = b""
        while data := self._stream.read():
            *lines, rest = (rest + data).split(b"\n")
            yield [line for line in lines if line.strip()]
        self._ended = True
        if rest.strip():
            yield [rest]

    def close(self) -> bool:
        """End it, where it has not ended: whether the engine has ended it by now."""
        if self._ended:
            self._stream.close()
            return True
        told = False
        with suppress(EngineRefused, EngineUnreachable):  # without BuildKit nobody can be told
            self._engine.cancel_build(self._id)
            told = True
        return self._stream.abandon(ENDS, told)


def _step(line: bytes, what: str) -> PullStep:
    """Raises EngineRefused: what it says is an error, or cannot be understood."""
    try:
        told = orjson.loads(line)
        error = told.get("error")
        detail = told.get("progressDetail") or {}
        step = PullStep(
            layer=str(told.get("id") or ""),
            status=str(told.get("status") or ""),
            done=int(detail.get("current") or 0),
            total=int(detail.get("total") or 0),
        )
    except (AttributeError, TypeError, ValueError):
        said = line[:200].decode("utf-8", "replace").strip()
        raise EngineRefused(what, 502, f"it is told what nobody understands: {said}") from None
    if error:
        raise EngineRefused(what, 500, str(error))
    return step
