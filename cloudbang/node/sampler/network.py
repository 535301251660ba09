"""What containers send and receive: by their network namespaces, each counted once.

A process's ``net/dev`` tells of the namespace it is in. Several containers may be in one (of a pod,
with ``container:…``): the first of them has what is counted. The machine's own is nobody's.
"""

from __future__ import annotations

import os

from cloudbang.domain.apps import Instance
from cloudbang.domain.metrics import proc_files
from cloudbang.node.sampler.files import KeptFile, Room, read
from cloudbang.node.sampler.hierarchies import OWN_PROC
from cloudbang.node.sampler.reasons import HOST_NETWORK, NO_NETWORK, NO_PROCESS, SHARED_NETWORK

METRICS = ("network.received", "network.sent")


class Networks:
    """Whose is which namespace. ``is_machines``: whether what is in ``/proc`` is the machine's that
    the engine runs on, and not just what is in a container with us."""

    def __init__(self, proc: str, room: Room) -> None:
        self.proc = proc
        self._room = room
        self._of: dict[int, str] = {}  # container by namespace
        self._host = self._namespace(1)
        self.is_machines = proc != OWN_PROC or _is_outermost()

    def open(self, instance: Instance) -> Network:
        """Of a container that runs. Close it, for another one may be in its namespace."""
        mode = instance.network_mode
        if mode == "host":
            return Network(why=HOST_NETWORK)
        if mode == "none":
            return Network(why=NO_NETWORK)
        if mode.startswith("container:"):
            return Network(why=SHARED_NETWORK)
        if not instance.pid:
            return Network()  # the engine is about to tell it
        if not self.sees(instance.pid, instance.id):
            return Network(why=NO_PROCESS)
        namespace = self._namespace(instance.pid)
        if namespace is not None:
            if namespace == self._host:
                return Network(why=HOST_NETWORK)
            if self._of.setdefault(namespace, instance.id) != instance.id:
                return Network(why=SHARED_NETWORK)
        return Network(KeptFile(f"{self.proc}/{instance.pid}/net/dev", self._room), namespace)

    def close(self, network: Network) -> None:
        if network.file is not None:
            network.file.close()
        if network.namespace is not None:
            self._of.pop(network.namespace, None)

    def _namespace(self, pid: int) -> int | None:
        """None when that may not be asked, which takes the rights of a debugger."""
        try:
            return os.stat(f"{self.proc}/{pid}/ns/net").st_ino
        except OSError:
            return None

    def sees(self, pid: int, container: str) -> bool:
        """Whether that process is the container's: numbers are used again, and another machine's,
        or another namespace's, are nothing here."""
        try:
            found = container.encode() in read(f"{self.proc}/{pid}/cgroup")
        except OSError:
            return False
        self.is_machines = self.is_machines or found
        return found


def _is_outermost() -> bool:
    """Whether we are in the first namespace of processes, whose number no kernel has changed."""
    try:
        return os.readlink(f"{OWN_PROC}/self/ns/pid") == "pid:[4026531836]"
    except OSError:
        return False


class Network:
    """One container's; without a file, ``why`` it cannot be read."""

    __slots__ = ("file", "namespace", "why")

    def __init__(
        self, file: KeptFile | None = None, namespace: int | None = None, why: str = ""
    ) -> None:
        self.file, self.namespace, self.why = file, namespace, why

    def read(self) -> tuple[int, int] | None:
        """Bytes received and sent; None when its interfaces are gone, as its process is. Raises
        OSError."""
        if self.file is None:
            return None
        return proc_files.traffic(self.file.read(), proc_files.of_container)
