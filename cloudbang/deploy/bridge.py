"""The bridge by which this machine reaches every container of a service, whatever network that is on;
where CloudBang itself is in a container, it reaches those on its own networks directly."""

from __future__ import annotations

from contextlib import closing
from ipaddress import ip_address, ip_interface
from typing import Protocol

from gevent import socket

NAME = "docker_gwbridge"


class Engine(Protocol):
    """What is asked of it."""

    def gateway_of(self, network: str) -> str: ...
    def addresses_on(self, network: str) -> dict[str, str]: ...


class Bridge:
    """``is_ours``: whether it is this machine's, as far as this process sees."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._found: bool | None = None

    @property
    def is_ours(self) -> bool:
        return bool(self._found)

    def address(self, container: str) -> str:
        """The address of a container on it; "" where it has none. Raises EngineUnreachable,
        EngineRefused."""
        return self.addresses().get(container, "")

    def addresses(self) -> dict[str, str]:
        """The same of all, by full id."""
        # Made with the first task that comes: not there yet is no answer.
        if self._found is None and (own := self._engine.gateway_of(NAME)):
            self._found = is_ours(own)
        return self._engine.addresses_on(NAME)


def is_ours(address: str) -> bool:
    """Whether an address is one of this machine's, as far as this process sees."""
    with closing(socket.socket()) as at:
        try:
            at.bind((address, 0))
        except OSError:
            return False
    return True


def is_neighbour(interface: str) -> bool:
    """Whether "172.17.0.3/16" is on a network that this process is on as well: else what is sent to
    that address would go to whoever has it elsewhere."""
    theirs = ip_interface(interface)
    family = socket.AF_INET if theirs.version == 4 else socket.AF_INET6
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as at:
            at.connect((str(theirs.ip), 9))  # nothing is sent
            own = ip_address(str(at.getsockname()[0]).partition("%")[0])
    except OSError:
        return False
    return own in theirs.network and own != theirs.ip
