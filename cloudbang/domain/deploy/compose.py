"""A Compose file as apps: what Docker's own Compose made of it (``config --format json``) becomes one
specification for each service; every key is honoured, or named with the reason why it is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cloudbang.domain.deploy.fields import SpecInvalid
from cloudbang.domain.deploy.not_honoured import ADDRESSES, ANONYMOUS, LOGS, SWARM, UNKNOWN
from cloudbang.domain.names import fitting
from cloudbang.domain.text import Text

Json = dict[str, object]


class KeyLeft(NamedTuple):
    """A key that is not honoured: ``service`` "" for one of the file."""

    service: str
    key: str
    why: Text


class After(NamedTuple):
    """A service that has to be there first. ``condition`` as Compose has it: started, healthy,
    completed."""

    service: str
    condition: str


@dataclass(frozen=True, slots=True)
class StackService:
    """``spec`` is SPEC as JSON, not checked; ``context`` the folder of the upload it is built of."""

    name: str
    app: str
    spec: Json
    after: tuple[After, ...] = ()
    context: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """``services`` in the order in which they can be started."""

    name: str
    services: tuple[StackService, ...]
    left: tuple[KeyLeft, ...] = field(default=())


ONE_NETWORK = Text(
    "the services of a stack share one network of their own", "同一应用组的服务共用一个私有网络"
)
OURS = Text("a deployment decides that by itself", "由部署过程自行决定")
NO_CHECK = Text("the image's own check stays", "镜像自带的健康检查保持不变")
DEVELOPING = Text("it is for developing, and not for serving", "仅用于开发，不用于运行")
FROM_HOST = Text(
    "a file of this machine is not read: write its content", "不读取本机文件：请写明内容"
)

_LEFT: dict[str, Text] = {
    **dict.fromkeys(
        (
            *(
                "privileged",
                "network_mode",
                "pid",
                "ipc",
                "uts",
                "userns_mode",
                "cgroup",
                "runtime",
            ),
            *("devices", "device_cgroup_rules", "security_opt", "shm_size", "pids_limit", "gpus"),
            *("cpuset", "cpu_shares", "cpu_quota", "cpu_period", "cpu_rt_period", "cpu_rt_runtime"),
            *(
                "memswap_limit",
                "mem_swappiness",
                "oom_kill_disable",
                "oom_score_adj",
                "mac_address",
            ),
            *(
                "links",
                "external_links",
                "volumes_from",
                "group_add",
                "storage_opt",
                "blkio_config",
            ),
            *(
                "cgroup_parent",
                "domainname",
                "credential_spec",
                "isolation",
                "cpu_count",
                "provider",
            ),
            *("cpu_percent", "dns_opt", "dns_search", "use_api_socket", "models", "volume_driver"),
        ),
        SWARM,
    ),
    "logging": LOGS,
    **dict.fromkeys(("pull_policy", "platform", "attach", "annotations"), OURS),
    "develop": DEVELOPING,
    **dict.fromkeys(("post_start", "pre_stop"), SWARM),
}
# Of these nothing is lost: they are merged already, or say nothing of what runs.
_SAID_ELSEWHERE = frozenset({"env_file", "label_file", "profiles", "expose", "extends"})
_OF_FILE = frozenset({"name", "services", "networks", "volumes", "secrets", "configs", "version"})
_RESTARTS = {"no": "no", "always": "always", "unless-stopped": "always"}
_CONDITIONS = {
    "service_started": "started",
    "service_healthy": "healthy",
    "service_completed_successfully": "completed",
}


def stack_of(config: Mapping[str, object], name: str = "") -> Stack:
    """The stack that a normalised Compose file stands for; ``name`` other than the file's own.

    Raises SpecInvalid where it has no services, or they wait for each other.
    """
    told = _plain(config)
    assert isinstance(told, dict)
    project = name or str(told.get("name") or "") or "stack"
    services = told.get("services")
    if not isinstance(services, dict) or not services:
        raise SpecInvalid("services", rule="missing")
    left: list[KeyLeft] = []
    left += [KeyLeft("", key, UNKNOWN) for key in told if key not in _OF_FILE and key[:2] != "x-"]
    made = {
        service: _Reader(service, project, its if isinstance(its, dict) else {}, told, left).read()
        for service, its in services.items()
    }
    return Stack(project, _in_order(made), tuple(left))


def _in_order(services: dict[str, StackService]) -> tuple[StackService, ...]:
    found: dict[str, StackService] = {}
    waiting = dict(services)
    while waiting:
        ready = [
            name
            for name, its in waiting.items()
            if not any(one.service in waiting for one in its.after)
        ]
        if not ready:
            raise SpecInvalid("depends_on", "an order without a circle", ", ".join(sorted(waiting)))
        for name in ready:
            found[name] = waiting.pop(name)
    return tuple(found.values())


class _Reader:
    """One service. Each key is taken by the method of its name; what nobody takes is named."""

    def __init__(
        self, name: str, project: str, told: Json, config: Json, left: list[KeyLeft]
    ) -> None:
        self._name, self._project, self._told = name, project, told
        self._config, self._left = config, left
        self._spec: Json = {"stack": project}
        self._aliases = [name]
        self._after: list[After] = []
        self._context = ""

    def read(self) -> StackService:
        for key, value in self._told.items():
            if value is None or value in ([], {}, "", False) or key in _SAID_ELSEWHERE:
                continue
            if key in _SAME:
                self._spec[_SAME[key]] = value
            elif (take := _TAKES.get(key)) is not None:
                take(self, value)
            elif not key.startswith("x-"):
                self._not(key, _LEFT.get(key, UNKNOWN))
        app = fitting(f"{self._project}.{self._name}")
        self._spec["aliases"] = list(dict.fromkeys(self._aliases))
        return StackService(self._name, app, self._spec, tuple(self._after), self._context)

    def _not(self, key: str, why: Text) -> None:
        self._left.append(KeyLeft(self._name, key, why))

    def _add(self, key: str, value: object) -> None:
        found = self._spec.setdefault(key, [])
        assert isinstance(found, list)
        found.append(value)

    # -- key by key

    def build(self, value: object) -> None:
        its = value if isinstance(value, dict) else {"context": value}
        self._context = str(its.get("context") or ".")
        known = {"dockerfile": "dockerfile", "target": "target", "args": "args"}
        build = {ours: its[key] for key, ours in known.items() if its.get(key)}
        if its.get("dockerfile_inline"):
            build["recipe"] = its["dockerfile_inline"]
        for key in its.keys() - known.keys() - {"context", "dockerfile_inline"}:
            self._not(f"build.{key}", OURS)
        self._spec["build"] = build

    def container_name(self, value: object) -> None:
        # What others of its file look it up by; the container itself is named after its release.
        self._aliases.append(str(value))

    def environment(self, value: object) -> None:
        if isinstance(value, dict):
            self._spec["env"] = {k: "" if v is None else v for k, v in value.items()}

    def ports(self, value: object) -> None:
        for port in _each(value):
            target, published = port.get("target"), str(port.get("published") or "")
            if port.get("host_ip") not in (None, "", "0.0.0.0", "::"):  # noqa: S104
                self._not(f"ports {port['host_ip']}:{published}", ADDRESSES)
            first, _, last = published.partition("-")
            one: Json = {"published": int(first) if first else target, "target": target}
            if last:
                self._not(f"ports {published}", SWARM)
            if port.get("protocol") not in (None, "tcp"):
                one["protocol"] = port["protocol"]
            self._add("ports", one)

    def volumes(self, value: object) -> None:
        for mount in _each(value):
            kind, source, path = mount.get("type"), mount.get("source"), mount.get("target")
            if kind == "tmpfs":
                self._add("tmpfs", path)
                continue
            if kind not in ("volume", "bind") or not source:
                self._not(f"volumes {path}", ANONYMOUS if kind == "volume" else SWARM)
                continue
            one: Json = {"path": path}
            if kind == "bind":
                one["source"] = source
            else:
                declared = _dict(_dict(self._config.get("volumes")).get(str(source)))
                one["name"] = declared.get("name") or source
            if mount.get("read_only"):
                one["read_only"] = True
            self._add("volumes", one)

    def tmpfs(self, value: object) -> None:
        for path in value if isinstance(value, list) else [value]:
            self._add("tmpfs", str(path).partition(":")[0])

    def networks(self, value: object) -> None:
        for name, its in _dict(value).items():
            declared = _dict(_dict(self._config.get("networks")).get(name))
            if declared.get("external"):
                self._add("networks", declared.get("name") or name)
            elif name != "default":
                self._not(f"networks.{name}", ONE_NETWORK)
            aliases = _dict(its).get("aliases")
            self._aliases += aliases if isinstance(aliases, list) else []
            for key in _dict(its).keys() - {"aliases"}:
                self._not(f"networks.{name}.{key}", SWARM)

    def depends_on(self, value: object) -> None:
        for other, its in _dict(value).items():
            condition = str(_dict(its).get("condition") or "service_started")
            self._after.append(After(other, _CONDITIONS.get(condition, "started")))

    def healthcheck(self, value: object) -> None:
        its = _dict(value)
        test = its.get("test")
        words = [str(word) for word in test] if isinstance(test, list) else []
        if its.get("disable") or words[:1] == ["NONE"] or not words:
            self._not("healthcheck", NO_CHECK)
            return
        command = words[1:] if words[0] == "CMD" else ["sh", "-c", *words[1:]]
        health: Json = {"command": command}
        for key, ours in (("interval", "interval"), ("start_period", "within")):
            if its.get(key):
                health[ours] = its[key]
        self._spec["health"] = health

    def restart(self, value: object) -> None:
        self._spec["restart"] = _RESTARTS.get(str(value), "on-failure")

    def ulimits(self, value: object) -> None:
        for name, its in _dict(value).items():
            both = its if isinstance(its, dict) else {"soft": its, "hard": its}
            self._add("ulimits", {"name": name, "soft": both.get("soft"), "hard": both.get("hard")})

    def extra_hosts(self, value: object) -> None:
        pairs = value.items() if isinstance(value, dict) else ()
        for entry in value if isinstance(value, list) else ():
            self._add("extra_hosts", entry)
        for name, addresses in pairs:
            for address in addresses if isinstance(addresses, list) else [addresses]:
                self._add("extra_hosts", f"{name}:{address}")

    def dns(self, value: object) -> None:
        self._spec["dns"] = value if isinstance(value, list) else [value]

    def deploy(self, value: object) -> None:
        its = _dict(value)
        for key, found in its.items():
            if key == "replicas":
                self._spec["replicas"] = found
            elif key == "resources":
                self._resources(_dict(found))
            elif key == "restart_policy":
                condition = str(_dict(found).get("condition") or "any")
                known = {"any": "always", "none": "no", "on-failure": "on-failure"}
                self._spec["restart"] = known.get(condition, "always")
            elif key == "labels":
                self.labels(found)
            elif key not in ("placement", "mode") or found not in ({}, "replicated"):
                self._not(f"deploy.{key}", OURS)

    def _resources(self, its: Json) -> None:
        for kind, memory, cpus in (
            ("limits", "memory", "cpus"),
            ("reservations", "memory_reserved", "cpus_reserved"),
        ):
            for key, value in _dict(its.get(kind)).items():
                if key in ("memory", "cpus"):
                    self._spec[memory if key == "memory" else cpus] = value
                else:
                    self._not(f"deploy.resources.{kind}.{key}", SWARM)

    def labels(self, value: object) -> None:
        found = self._spec.setdefault("labels", {})
        assert isinstance(found, dict)
        found |= {k: v for k, v in _dict(value).items() if not k.startswith("cloudbang.")}

    def secrets(self, value: object) -> None:
        self._handed("secrets", value, "/run/secrets/")

    def configs(self, value: object) -> None:
        self._handed("configs", value, "/")

    def _handed(self, kind: str, value: object, folder: str) -> None:
        """What the file itself holds is put into the container; what is elsewhere is not read."""
        for one in _each(value):
            source = str(one.get("source") or "")
            declared = _dict(_dict(self._config.get(kind)).get(source))
            content = declared.get("content")
            if not isinstance(content, str):
                self._not(f"{kind}.{source}", FROM_HOST)
                continue
            target = str(one.get("target") or source)
            path = target if target.startswith("/") else folder + target
            self._add("files", {"path": path, "content": content})


_SAME = {
    **{key: key for key in ("image", "command", "entrypoint", "user", "working_dir", "hostname")},
    **{key: key for key in ("init", "tty", "stdin_open", "read_only", "cap_add", "cap_drop")},
    **{key: key for key in ("stop_signal", "sysctls", "cpus")},
    "stop_grace_period": "stop_grace",
    "mem_limit": "memory",
    "mem_reservation": "memory_reserved",
    "scale": "replicas",
}
_TAKES: dict[str, Callable[[_Reader, object], None]] = {
    name: getattr(_Reader, name)
    for name in (
        *("build", "environment", "ports", "volumes", "tmpfs", "networks", "depends_on"),
        *("healthcheck", "restart", "ulimits", "extra_hosts", "dns", "deploy", "labels"),
        *("secrets", "configs", "container_name"),
    )
}


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _each(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _plain(value: object) -> object:
    """The same with each ``$$`` as the ``$`` that it stands for: Compose writes it back doubled."""
    if isinstance(value, str):
        return re.sub(r"\$\$", "$", value)
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
