"""An engine of a test's own, to be killed and started again without touching anybody else's.

It lives in a network namespace of its own: a second dockerd in the same one takes ``docker0`` from
the first. Needs root, ``ip`` and ``nsenter``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path

import docker
import psutil

from tests import support
from tests.support import patient, wait_until


class PrivateEngine:
    """A dockerd with its own data, socket, cgroup and network namespace."""

    def __init__(self, *, bridge: bool = False) -> None:
        """``bridge``: with the network that what a build runs has."""
        version = self._version()
        self.id = f"cb{uuid.uuid4().hex[:8]}"
        # Not below pytest's folders: a unix socket's path may have 107 characters only.
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.id}-"))
        self.address = f"unix://{self.folder}/engine.sock"
        self.log = self.folder / "dockerd.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.client = docker.DockerClient(base_url=self.address, version="1.41", timeout=60)
        subprocess.run(["ip", "netns", "add", self.id], check=True)
        self._in_namespace("ip", "link", "set", "lo", "up")
        config: dict[str, object] = {"iptables": False} | ({} if bridge else {"bridge": "none"})
        if version < 25:
            config["deprecated-key-path"] = str(self.folder / "key.json")  # else all share one id
        (self.folder / "daemon.json").write_text(json.dumps(config))

    def _in_namespace(self, *command: str) -> None:
        subprocess.run(["nsenter", f"--net=/run/netns/{self.id}", *command], check=True)

    @staticmethod
    def _version() -> int:
        said = subprocess.run(["dockerd", "--version"], capture_output=True, text=True).stdout
        found = re.search(r"(\d+)\.", said)
        return int(found[1]) if found else 0

    def start(self) -> PrivateEngine:
        """Start dockerd and wait until it answers."""
        # nsenter and not "ip netns exec", which hides /sys/fs/cgroup.
        command = [
            *support.ENDS_WITH_US,
            "nsenter",
            f"--net=/run/netns/{self.id}",
            "dockerd",
            f"--config-file={self.folder}/daemon.json",
            f"--data-root={self.folder}/data",
            f"--exec-root={self.folder}/exec",
            f"--pidfile={self.folder}/pid",
            f"--host={self.address}",
            f"--cgroup-parent=/{self.id}",
            f"--containerd-namespace={self.id}",
            f"--containerd-plugins-namespace={self.id}-plugins",
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self._answers, 30, f"dockerd at {self.address}", every=0.05)
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        code = self.process.poll()
        assert code is None, f"dockerd ended with {code}:\n{self.log.read_text()[-2000:]}"
        # Not with the SDK: it forgets to close a socket that could not connect.
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(patient(5))
            try:
                link.connect(self.address.removeprefix("unix://"))
                link.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b" 200 " in link.recv(100)
            except OSError:
                return False

    def image(self) -> str:
        """The image of the tests, on this engine too."""
        return support.script("test-image", environ={**os.environ, "DOCKER_HOST": self.address})

    def containerd(self) -> list[psutil.Process]:
        """The containerd this dockerd started; none where the machine's own one is used."""
        assert self.process is not None
        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        found = []
        for child in children:
            with suppress(psutil.NoSuchProcess):  # a runc that has done what it was for
                if child.name() == "containerd":
                    found.append(child)
        return found

    def kill(self) -> None:
        """``kill -9``, and wait until its containerd is gone as well: 1.2 s, or a start fails."""
        assert self.process is not None
        containerd = self.containerd()
        self.process.kill()
        self.process.wait(patient(10))
        _, alive = psutil.wait_procs(containerd, timeout=patient(5))
        for left in alive:
            left.kill()
        psutil.wait_procs(alive, timeout=patient(5))
        (self.folder / "pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """SIGTERM, as systemctl stop does, and wait for the end."""
        assert self.process is not None
        containerd = self.containerd()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(patient(30))
        psutil.wait_procs(containerd, timeout=patient(5))

    def close(self) -> None:
        """Remove its containers, end it, and take away everything it made."""
        try:
            if self.process is not None and self.process.poll() is None:
                for container in self.client.containers.list(all=True, ignore_removed=True):
                    with suppress(docker.errors.APIError):  # its own removal may be under way
                        container.remove(force=True, v=True)
                self.stop()
        finally:
            self._clean_up()

    def _end_left(self) -> None:
        """End what an engine leaves that was killed: containerd, shims, and containers."""
        left = []
        for one, arguments in support.command_lines():
            with suppress(psutil.Error, OSError):
                mine = any(self.id in part for part in arguments)
                if mine or f"/{self.id}/" in Path(f"/proc/{one.pid}/cgroup").read_text():
                    one.kill()
                    left.append(one)
        psutil.wait_procs(left, timeout=patient(5))

    def _clean_up(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self._end_left()
        self.client.close()
        subprocess.run(["ip", "netns", "delete", self.id], check=False)
        with open("/proc/self/mounts") as mounts:
            left = [line.split()[1] for line in mounts if str(self.folder) in line]
        for place in reversed(left):
            subprocess.run(["umount", "-l", place], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
