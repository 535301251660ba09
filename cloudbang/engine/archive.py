"""Files in containers, as the engine's archives: what is there, a tar out of it, a tar into it.

The engine looks at a container's disk and volumes. What is mounted in memory inside (``tmpfs``,
``/proc``, …) it does not see: what is put there is on the disk below and nobody finds it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from urllib.parse import quote

import orjson
from gevent import socket

from cloudbang.engine.connection import Address, Connection
from cloudbang.engine.stream import EngineStream
from cloudbang.engine.wire import Wire
from cloudbang.errors import EngineRefused, EngineUnreachable

STALLED = 60.0  # seconds the engine may take for one piece, or for its answer

_STAT = b"x-docker-container-path-stat"
# Bits of Go's os.FileMode, which are not the kernel's.
_DIR, _LINK = 1 << 31, 1 << 27
_OTHER = 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19  # devices, pipes, sockets, what else


@dataclass(frozen=True, slots=True)
class PathStat:
    """What is at a path of a container."""

    name: str
    size: int  # bytes, of a file
    kind: str  # file | folder | link | other
    target: str = ""  # of a link: the full path that it leads to in the end


class ArchiveUpload(Connection):
    """A tar on its way into a container. ``write`` all of it, then ``finish``; ``close`` always.

    Closed before its end, what the engine has unpacked until then stays.
    """

    def __init__(self, address: Address, path: str, size: int) -> None:
        self._address = address
        self._path = path
        self._early, self._watcher = b"", None
        self._sock = address.connect(STALLED)
        self._sock.settimeout(STALLED)
        self.write(
            f"PUT {path} HTTP/1.1\r\nHost: docker\r\nUser-Agent: cloudbang\r\n"
            "Connection: close\r\nContent-Type: application/x-tar\r\n"
            f"Content-Length: {size}\r\n\r\n".encode()
        )

    def write(self, data: bytes) -> None:
        """Hand on the next bytes; waits until the engine takes them, for 60 s at most.

        Raises EngineRefused when it wants no more, EngineUnreachable.
        """
        try:
            self._sock.sendall(data)
        except TimeoutError:
            raise EngineUnreachable(self._address.url, "it takes nothing more") from None
        except OSError:
            # It says what is wrong and hangs up, before it has read everything.
            self.finish()
            raise EngineUnreachable(self._address.url, "it closed the connection") from None

    def finish(self) -> None:
        """Wait until all is unpacked. Raises EngineRefused, EngineUnreachable."""
        try:
            self.status, self.fields, self._early = self._head()
            if self.status == 200:
                return
            body = self._early
            while len(body) < 4096 and (more := self._sock.recv(4096)):
                body += more
        except TimeoutError:
            raise EngineUnreachable(self._address.url, "it does not answer") from None
        except (OSError, socket.error) as e:
            raise EngineUnreachable(self._address.url, str(e) or type(e).__name__) from None
        reason = body.decode("utf-8", "replace")
        start, end = reason.find("{"), reason.rfind("}") + 1
        try:
            reason = str(orjson.loads(reason[start:end])["message"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            reason = reason[:500]
        raise EngineRefused(f"PUT {self._path.partition('?')[0]}", self.status, reason)


class ArchiveCalls(Wire):
    """The engine's calls about files. Those with a path raise EngineRefused (404: nothing there,
    or no such container)."""

    def archive_stat(self, container: str, path: str) -> PathStat:
        """What is at ``path``; a link is not followed, but the folders before it are."""
        where = self.path(_archive(container), {"path": path})
        stream = EngineStream(self.address, where, self.timeout, method="HEAD")
        try:
            if stream.status != 200 or _STAT not in stream.fields:
                # A HEAD has no body that would say why.
                raise EngineRefused("looking at a path", stream.status, "there is nothing here")
            found = orjson.loads(base64.b64decode(stream.fields[_STAT]))
        finally:
            stream.close()
        mode = int(found["mode"])
        kind = "folder" if mode & _DIR else "link" if mode & _LINK else "file"
        return PathStat(
            name=str(found["name"]),
            size=int(found["size"]),
            kind="other" if mode & _OTHER else kind,
            target=str(found.get("linkTarget") or ""),
        )

    def archive_get(self, container: str, path: str) -> EngineStream:
        """A tar of what is at ``path``, to be read and closed."""
        return self._open(_archive(container), {"path": path})

    def archive_put(self, container: str, folder: str, size: int) -> ArchiveUpload:
        """The way for a tar of ``size`` bytes into an existing folder."""
        # Without it a file replaces a whole folder of the same name.
        query = {"path": folder, "noOverwriteDirNonDir": "true"}
        return ArchiveUpload(self.address, self.path(_archive(container), query), size)

    def memory_folders(self, container: str) -> list[str]:
        """The folders of a container that are in memory (``tmpfs``)."""
        found = self._json(f"/containers/{quote(container, safe='')}/json")
        folders = list((found.get("HostConfig") or {}).get("Tmpfs") or {})
        mounts = found.get("Mounts") or []
        return folders + [m["Destination"] for m in mounts if m.get("Type") == "tmpfs"]


def _archive(container: str) -> str:
    return f"/containers/{quote(container, safe='')}/archive"
