"""A container that runs as a specification: what an app of its own would be written like, and what of
the container it would not have.

What only repeats its image is left out, so that a newer image may say something else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudbang.domain.deploy.checks import DISABLED, health_of
from cloudbang.domain.deploy.not_honoured import (
    BY_COMPOSE,
    CAPABILITIES,
    KEPT,
    LOGS,
    LOOPBACK,
    MOVED,
    NO_NETWORK,
    NO_VALUE,
    ONE_MACHINE,
    RANDOM,
    SWARM,
    WRITTEN,
    of_address,
)
from cloudbang.domain.deploy.spec import OURS
from cloudbang.domain.deploy.tmpfs import mounted_memory, tmpfs_of, with_shared_memory
from cloudbang.domain.names import PEOPLES
from cloudbang.domain.text import Text

Json = dict[str, object]

SECOND = 10**9
USUAL_SHM = 64 * 1024**2  # bytes that every container has
_NOT_A_PERSONS = (OURS, "com.docker.", "desktop.docker.")
_STOP = frozenset({"", "SIGTERM", "15"})

# In HostConfig: the option of `docker run`, and what it is where nobody said anything.
_LEFT: tuple[tuple[str, str, Collection[object]], ...] = (
    ("PidMode", "--pid", ("", "private")),
    ("IpcMode", "--ipc", ("", "private", "shareable")),
    ("UTSMode", "--uts", ("",)),
    ("UsernsMode", "--userns", ("",)),
    ("Runtime", "--runtime", ("", "runc", "io.containerd.runc.v2")),
    ("CpuShares", "--cpu-shares", (0,)),
    ("CpusetCpus", "--cpuset-cpus", ("",)),
    ("CpusetMems", "--cpuset-mems", ("",)),
    ("BlkioWeight", "--blkio-weight", (0,)),
    ("OomScoreAdj", "--oom-score-adj", (0,)),
    ("OomKillDisable", "--oom-kill-disable", (False,)),
    ("MemorySwappiness", "--memory-swappiness", (-1,)),
    ("CgroupParent", "--cgroup-parent", ("",)),
    ("VolumeDriver", "--volume-driver", ("", "local")),
)
_LEFT_LISTS = (
    ("Devices", "--device"),
    ("DeviceRequests", "--gpus"),
    ("DeviceCgroupRules", "--device-cgroup-rule"),
    ("SecurityOpt", "--security-opt"),
    ("VolumesFrom", "--volumes-from"),
    ("Links", "--link"),
    ("StorageOpt", "--storage-opt"),
)


@dataclass(frozen=True, slots=True)
class Left:
    """Something of the container that the app would not have, as `docker run` names it."""

    option: str
    why: Text


@dataclass(frozen=True, slots=True)
class TakenOver:
    """``spec`` is SPEC as JSON, not checked."""

    spec: Json
    left: tuple[Left, ...]


def take_over(
    container: Mapping[str, Any],
    image: Mapping[str, Any] | None = None,
    swarm_networks: Collection[str] = (),
) -> TakenOver:
    """What an app would be written like that does what this container does.

    ``container``, ``image``: as the engine's inspections have them; None for an image that is gone.
    ``swarm_networks``: names of those networks that reach beyond one machine.
    """
    return _Reader(container, image or {}, swarm_networks).read()


class _Reader:
    def __init__(
        self, container: Mapping[str, Any], image: Mapping[str, Any], networks: Collection[str]
    ) -> None:
        self._container, self._image, self._swarm_networks = container, image, networks
        self._config: Mapping[str, Any] = container.get("Config") or {}
        self._host: Mapping[str, Any] = container.get("HostConfig") or {}
        self._its: Mapping[str, Any] = image.get("Config") or {}
        self._spec: Json = {}
        self._left: list[Left] = []

    def read(self) -> TakenOver:
        self._read_image()
        self._read_command()
        self._read_environment()
        self._read_ports()
        self._read_mounts()
        self._read_limits()
        self._read_health()
        self._read_end()
        self._read_labels()
        self._read_networks()
        self._read_process()
        self._read_rest()
        return TakenOver(self._spec, tuple(self._left))

    def _not(self, option: str, why: Text) -> None:
        self._left.append(Left(option, why))

    def _set(self, key: str, value: object) -> None:
        """Write down what is something."""
        if value:
            self._spec[key] = value

    # -- what runs

    def _read_image(self) -> None:
        name, runs = str(self._config.get("Image") or ""), str(self._container.get("Image") or "")
        known = [*(self._image.get("RepoTags") or ()), *(self._image.get("RepoDigests") or ())]
        if not self._image or _full(name) in known:
            self._spec["image"] = name
            return
        by_id = name.startswith(("sha256:", runs.removeprefix("sha256:")[:12] or "sha256:"))
        if not by_id:
            self._not(name, MOVED)
        tags = [tag for tag in known if not tag.startswith("<none>")]
        self._spec["image"] = tags[0] if by_id and tags else runs

    def _read_command(self) -> None:
        entrypoint, command = _list(self._config, "Entrypoint"), _list(self._config, "Cmd")
        if entrypoint != _list(self._its, "Entrypoint"):
            self._set("entrypoint", entrypoint)
            self._set("command", command)
        elif command != _list(self._its, "Cmd"):
            self._set("command", command)

    def _read_environment(self) -> None:
        known = set(_list(self._its, "Env"))
        env = {}
        for entry in _list(self._config, "Env"):
            name, equals, value = entry.partition("=")
            if not equals:
                self._not(f"-e {name}", NO_VALUE)
            elif entry not in known:
                env[name] = value
        self._set("env", env)

    def _read_process(self) -> None:
        for key, field in (("User", "user"), ("WorkingDir", "working_dir")):
            if (value := str(self._config.get(key) or "")) != str(self._its.get(key) or ""):
                self._set(field, value)
        hostname = str(self._config.get("Hostname") or "")
        own = str(self._container.get("Id") or "").startswith(hostname)
        if hostname and not own and self._host.get("NetworkMode") != "host":
            self._spec["hostname"] = hostname
        self._set("tty", bool(self._config.get("Tty")))
        self._set("stdin_open", bool(self._config.get("OpenStdin")))
        self._set("init", bool(self._host.get("Init")))
        self._set("read_only", bool(self._host.get("ReadonlyRootfs")))
        self._set("cap_add", [one.upper() for one in _list(self._host, "CapAdd")])
        self._set("cap_drop", [one.upper() for one in _list(self._host, "CapDrop")])
        self._set("group_add", _list(self._host, "GroupAdd"))
        self._set("dns", _list(self._host, "Dns"))
        self._set("dns_search", _list(self._host, "DnsSearch"))
        self._set("dns_opt", _list(self._host, "DnsOptions"))
        self._set("extra_hosts", _list(self._host, "ExtraHosts"))
        self._set("sysctls", dict(self._host.get("Sysctls") or {}))
        limits = [
            {"name": one["Name"], "soft": one["Soft"], "hard": one["Hard"]}
            for one in self._host.get("Ulimits") or ()
        ]
        self._set("ulimits", limits)

    # -- how it is reached

    def _read_ports(self) -> None:
        # In the machine's own network nothing is published, whatever was asked for.
        on_host = self._host.get("NetworkMode") == "host"
        bound = {} if on_host else self._host.get("PortBindings") or {}
        settings = self._container.get("NetworkSettings") or {}
        now = settings.get("Ports") or {}
        if self._host.get("PublishAllPorts") and not on_host:
            bound = {**now, **bound}
        ports: dict[tuple[int, int, str], Json] = {}
        inside: set[int] = set()
        for target, protocol, bindings in _ports(bound):
            for n, one in enumerate(bindings):
                address, outside = str(one.get("HostIp") or ""), str(one.get("HostPort") or "")
                if outside in ("", "0"):
                    told = now.get(f"{target}/{protocol}") or []
                    outside = str(told[min(n, len(told) - 1)].get("HostPort") or "") if told else ""
                    if outside:
                        self._not(f"-p {outside}:{target}", RANDOM)
                if not outside.isdecimal():
                    continue
                if why := of_address(address):
                    self._not(f"-p {_bracketed(address)}:{outside}:{target}", why)
                    if why is LOOPBACK:
                        continue
                port: Json = {"published": int(outside), "target": target}
                if protocol != "tcp":
                    port["protocol"] = protocol
                ports[int(outside), target, protocol] = port
                inside |= {target} if protocol == "tcp" else set()
        self._set("ports", list(ports.values()))
        exposed = {
            n for n, how, _ in _ports(self._config.get("ExposedPorts") or {}) if how == "tcp"
        }
        for found in (inside, exposed):
            if len(found) == 1:  # of several nobody knows which one is asked whether it is well
                self._spec["port"] = found.pop()
                break

    def _read_networks(self) -> None:
        mode = str(self._host.get("NetworkMode") or "default")
        if mode == "host":
            self._spec["networks"] = ["host"]
            return
        if mode == "none" or mode.startswith("container:"):
            self._not(f"--network {mode}", NO_NETWORK)
            return
        settings = self._container.get("NetworkSettings") or {}
        networks = []
        for name in settings.get("Networks") or {}:
            if name in self._swarm_networks:
                networks.append(name)
            elif name not in ("bridge", "default"):
                self._not(f"--network {name}", ONE_MACHINE)
        self._set("networks", networks)

    # -- what it keeps

    def _read_mounts(self) -> None:
        volumes: list[Json] = []
        for one in self._container.get("Mounts") or ():
            kind, path = one.get("Type"), str(one.get("Destination") or "")
            if kind not in ("volume", "bind"):
                if kind != "tmpfs":
                    self._not(f"--mount type={kind},target={path}", SWARM)
                continue
            mount: Json = {"path": path}
            if kind == "volume":
                mount["name"] = str(one.get("Name") or "")
            else:
                mount["source"] = str(one.get("Source") or "")
                if str(one.get("Propagation") or "rprivate") not in ("rprivate", "private"):
                    self._not(f"-v …:{path}:{one['Propagation']}", SWARM)
            if one.get("RW") is False:
                mount["read_only"] = True
            volumes.append(mount)
        self._set("volumes", sorted(volumes, key=lambda mount: str(mount["path"])))
        self._read_memory([str(mount["path"]) for mount in volumes])
        if int(self._container.get("SizeRw") or 0) > 0:
            self._not("docker diff", WRITTEN)

    def _read_memory(self, mounted: Collection[str]) -> None:
        tmpfs = []
        for path, its in mounted_memory(self._container):
            made, left = tmpfs_of(path, its)
            tmpfs.append(made)
            for option in left:
                self._not(f"--tmpfs {path}:{option}", SWARM)
        if (size := int(self._host.get("ShmSize") or 0)) != USUAL_SHM:
            with_shared_memory(tmpfs, size, mounted)
        self._set("tmpfs", tmpfs)

    def _read_limits(self) -> None:
        host = self._host
        self._set("memory", int(host.get("Memory") or 0))
        self._set("memory_reserved", int(host.get("MemoryReservation") or 0))
        swap = int(host.get("MemorySwap") or 0)
        if swap and swap != 2 * int(host.get("Memory") or 0):
            self._not(f"--memory-swap {swap}", SWARM)
        nano, quota = int(host.get("NanoCpus") or 0), int(host.get("CpuQuota") or 0)
        if not nano and quota > 0:
            nano = quota * SECOND // int(host.get("CpuPeriod") or 100_000)
        self._set("cpus", nano / SECOND)
        self._set("pids_limit", max(0, int(host.get("PidsLimit") or 0)))

    # -- how it lives and ends

    def _read_health(self) -> None:
        check = self._config.get("Healthcheck") or {}
        test = [str(word) for word in check.get("Test") or ()]
        if not test or check == (self._its.get("Healthcheck") or {}):
            return
        if test[0] == "NONE":
            self._spec["health"] = dict(DISABLED)
            return
        command = ["sh", "-c", *test[1:]] if test[0] == "CMD-SHELL" else test[1:]
        interval, start, timeout = (
            int(check.get(key) or 0) / SECOND for key in ("Interval", "StartPeriod", "Timeout")
        )
        self._spec["health"] = health_of(command, interval, start, check.get("Retries"), timeout)

    def _read_end(self) -> None:
        policy = str((self._host.get("RestartPolicy") or {}).get("Name") or "no")
        known = {"no": "no", "on-failure": "on-failure"}
        if (restart := known.get(policy, "always")) != "always":
            self._spec["restart"] = restart
        if self._host.get("AutoRemove"):
            self._not("--rm", KEPT)
        signal = str(self._config.get("StopSignal") or "")
        if signal != str(self._its.get("StopSignal") or "") and signal not in _STOP:
            self._spec["stop_signal"] = signal
        grace = self._config.get("StopTimeout")
        if grace is not None and grace != 10:
            self._spec["stop_grace"] = max(0, min(3600, int(grace)))

    def _read_labels(self) -> None:
        its, labels = self._its.get("Labels") or {}, self._config.get("Labels") or {}
        if labels.get("com.docker.compose.project"):
            self._not(str(labels["com.docker.compose.project"]), BY_COMPOSE)
        kept = {
            name: value
            for name, value in labels.items()
            if its.get(name) != value and (name in PEOPLES or not name.startswith(_NOT_A_PERSONS))
        }
        self._set("labels", kept)

    def _read_rest(self) -> None:
        if self._host.get("Privileged"):
            self._not("--privileged", CAPABILITIES)
        for key, option, usual in _LEFT:
            value = self._host.get(key)
            if value is not None and value not in usual:
                self._not(f"{option} {value}".removesuffix(" True"), SWARM)
        for key, option in _LEFT_LISTS:
            for one in _words(self._host.get(key)):
                if not (key == "SecurityOpt" and one.startswith("label=disable")):
                    self._not(f"{option} {one}", SWARM)
        if domain := self._config.get("Domainname"):
            self._not(f"--domainname {domain}", SWARM)
        log = self._host.get("LogConfig") or {}
        if log.get("Type") not in (None, "", "json-file", "local") or log.get("Config"):
            self._not(f"--log-driver {log.get('Type')}", LOGS)


def _full(name: str) -> str:
    """A name with its tag, as an inspection of the image has it."""
    last = name.rpartition("/")[2]
    return name if ":" in last or "@" in name else f"{name}:latest"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _list(found: Mapping[str, Any], key: str) -> list[str]:
    value = found.get(key)
    return [value] if isinstance(value, str) else [str(one) for one in value or ()]


def _ports(found: Mapping[str, Any]) -> Iterable[tuple[int, str, list[Mapping[str, Any]]]]:
    """Port, protocol and bindings of each entry such as "80/tcp"."""
    for name, bindings in sorted(found.items()):
        number, _, protocol = name.partition("/")
        if number.isdecimal():
            yield int(number), protocol or "tcp", list(bindings or ())


def _words(found: object) -> list[str]:
    """A list, or an object, of options as they would be written."""
    if isinstance(found, Mapping):
        return [f"{name}={value}" for name, value in found.items()]
    if not isinstance(found, list):
        return []
    shown: Callable[[object], str] = lambda one: (  # noqa: E731 - one of a table's cells
        str(one.get("PathOnHost") or one.get("Driver") or "all")
        if isinstance(one, dict)
        else str(one)
    )
    return [shown(one) for one in found]
