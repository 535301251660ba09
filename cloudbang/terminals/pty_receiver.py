"""Takes over the pseudo terminals of shared commands: a descriptor through a unix socket.

The socket is in the data folder and, as everything there, for CloudBang's own user alone. What is
handed over is known by a secret that the command was told over its own connection, good once.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket as std_socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gevent
from gevent import socket

from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor

log = logging.getLogger(__name__)

FILE = "share.sock"  # in the data folder
WITHIN = 5.0  # seconds from the connection to what is handed over
SECRET = 32  # hex digits
# Overload: one more is refused, and its command keeps its terminal.
AT_ONCE = 64
TAKEN, REFUSED = b"1", b"0"
LONGEST = 107  # bytes of a unix socket's path, as Linux has it

Adopt = Callable[[int], bool]
"""``adopt(descriptor)`` makes the descriptor its own; False: it does not want it."""


class PtyReceiver:
    """Without a socket (a path that is too long, a file system that knows none) nothing is offered,
    and every command keeps its terminal."""

    def __init__(self, folder: Path) -> None:
        self._file = folder.absolute() / FILE
        self._socket: socket.socket | None = None
        self._expected: dict[str, Adopt] = {}
        self._supervisor = Supervisor("share-pty")

    def start(self) -> None:
        """Listen."""
        if len(os.fsencode(self._file)) > LONGEST:
            log.info("%s is too long for a socket: shared commands are a little slower", self._file)
            return
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with suppress(FileNotFoundError):
                self._file.unlink()  # a killed server's
            made.bind(str(self._file))
            self._file.chmod(0o600)  # until then nobody is expected
            made.listen(AT_ONCE)
        except OSError as e:
            made.close()
            log.info("%s: %s; shared commands are a little slower", self._file, e.strerror)
            return
        self._socket = made
        self._supervisor.run("accept", self._accept, made)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Take nothing more."""
        self._supervisor.stop(deadline)
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            with suppress(OSError):
                self._file.unlink()

    def expect(self, adopt: Adopt) -> dict[str, object] | None:
        """Where a command may hand its terminal over, to be told to it; None where it cannot."""
        if self._socket is None or len(self._expected) >= AT_ONCE:
            return None
        secret = secrets.token_hex(SECRET // 2)
        self._expected[secret] = adopt
        return {"path": str(self._file), "secret": secret}

    def forget(self, offer: dict[str, object] | None) -> None:
        """It will not come any more, or has come."""
        if offer is not None:
            self._expected.pop(str(offer["secret"]), None)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            accepted, _ = listening.accept()
            self._supervisor.once("take", self._take, accepted)

    def _take(self, accepted: socket.socket) -> None:
        descriptors: list[int] = []
        adopted = False
        try:
            with gevent.Timeout(WITHIN, False):
                said, descriptors, _, _ = std_socket.recv_fds(accepted, SECRET, 1)
                adopt = self._expected.pop(said.decode("ascii", "replace"), None)
                adopted = (
                    adopt is not None
                    and len(descriptors) == 1
                    and _is_of_us(accepted)
                    and adopt(descriptors[0])
                )
                accepted.sendall(TAKEN if adopted else REFUSED)
        except OSError as e:
            log.debug("a terminal was not handed over: %s", e)
        finally:
            if not adopted:
                for descriptor in descriptors:
                    os.close(descriptor)
            accepted.close()


def _is_of_us(accepted: socket.socket) -> bool:
    """Whether the other end is this server's user, or root."""
    size = struct.calcsize("3i")
    credentials = accepted.getsockopt(socket.SOL_SOCKET, std_socket.SO_PEERCRED, size)
    _, user, _ = struct.unpack("3i", credentials)
    return user in (os.geteuid(), 0)
