"""A program's terminal handed over to the server, so that no second process is on its way."""

from __future__ import annotations

import socket
from typing import Any

TAKEN = b"1"
WITHIN = 2.0  # seconds to connect


class Handover:
    """Hands ``descriptor`` over when it is made; ``socket`` is to be waited for, then :meth:`taken`
    is known. Raises OSError, KeyError: it cannot be."""

    def __init__(self, offer: dict[str, Any], descriptor: int) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.settimeout(WITHIN)
            self.socket.connect(str(offer["path"]))
            socket.send_fds(self.socket, [str(offer["secret"]).encode()], [descriptor])
            self.socket.setblocking(False)
        except BaseException:
            self.socket.close()
            raise

    def taken(self) -> bool | None:
        """Whether the server has it now; None while that is not known. Once it is said to have it
        nobody else may read or type."""
        try:
            return self.socket.recv(1) == TAKEN
        except BlockingIOError:
            return None
        except OSError:
            return False

    def close(self) -> None:
        self.socket.close()
