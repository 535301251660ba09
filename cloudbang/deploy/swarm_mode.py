"""Whether apps can be deployed here: Swarm mode, which a person switches on."""

from __future__ import annotations

import socket
import time
from contextlib import closing

from cloudbang.deploy.errors import SwarmOff
from cloudbang.engine import Engine
from cloudbang.errors import EngineRefused

SURE = 10.0  # seconds for which it is not asked again
ELSEWHERE = "192.0.2.1"  # an address that is nobody's (RFC 5737): nothing is sent to it


class SwarmMode:
    """Of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sure_until = 0.0

    def require(self) -> None:
        """Raises SwarmOff, EngineUnreachable, EngineRefused."""
        if time.monotonic() < self._sure_until:
            return
        found = self._engine.swarm()
        if not found.manager:
            if self._engine.is_podman:
                raise SwarmOff("podman")
            raise SwarmOff({"active": "worker", "locked": "locked"}.get(found.state, "off"))
        self._sure_until = time.monotonic() + SURE

    def switch_on(self) -> None:
        """Listening on loopback, in a way that lets a second machine join later."""
        found = self._engine.swarm()
        if found.manager:
            return
        if found.state in ("active", "locked") or self._engine.is_podman:
            self.require()
        try:
            self._engine.swarm_init(own_address())
        except EngineRefused:
            if not self._engine.swarm().manager:
                raise


def own_address() -> str:
    """The address of this machine on the way out; loopback where there is none."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as way:
        try:
            way.connect((ELSEWHERE, 9))
            return str(way.getsockname()[0])
        except OSError:
            return "127.0.0.1"
