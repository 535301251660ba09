"""One service of a Compose file as a specification. Each key is taken by the method of its name;
what nobody takes is named, with the reason why."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cloudbang.domain.deploy.checks import compose_check
from cloudbang.domain.deploy.compose_paths import FOLDER, beside, content_of, handed
from cloudbang.domain.deploy.compose_ports import published_ports
from cloudbang.domain.deploy.not_honoured import (
    ANONYMOUS,
    BESIDE,
    COMPOSE,
    NAMED_BY_US,
    NO_CHECK,
    NO_FIELD,
    NOT_SENT,
    ONE_NETWORK,
    OTHERS,
    OURS,
    OUTSIDE,
    OWNER,
    SWARM,
    UNKNOWN,
    VALUE_HERE,
    WITH_HOST,
    WITHIN,
)
from cloudbang.domain.deploy.spec import HOST
from cloudbang.domain.names import PEOPLES, fitting
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


# Of these nothing is lost: they are merged already, or say nothing of what runs.
_SAID_ELSEWHERE = frozenset({"env_file", "label_file", "profiles", "expose", "extends", "links"})
_RESTARTS = {"no": "no", "always": "always", "unless-stopped": "always", "on-failure": "on-failure"}
_CONDITIONS = {
    "service_started": "started",
    "service_healthy": "healthy",
    "service_completed_successfully": "completed",
}
_REMOTE = re.compile(r"(?P<git>https?://[^#]+?)(?:#(?P<ref>[^:]*)(?::(?P<folder>.*))?)?")


class ServiceReader:
    """``files`` and ``variables``: what is there beside the file; ``aliases``: further names by which
    others look the service up; what is not honoured is added to ``left``."""

    def __init__(
        self,
        name: str,
        project: str,
        config: Json,
        files: Mapping[str, str],
        variables: Mapping[str, str],
        aliases: Sequence[str],
        left: list[KeyLeft],
    ) -> None:
        self._name, self._project = name, project
        self._config, self._files, self._variables, self._left = config, files, variables, left
        self._spec: Json = {"stack": project}
        self._aliases = [name, *aliases]
        self._after: list[After] = []
        self._context = ""

    def read(self, told: Json) -> StackService:
        for key, value in told.items():
            # A nought is said: `scale: 0`.
            if value is None or value is False or value in ([], {}, "") or key in _SAID_ELSEWHERE:
                continue
            if key in _SAME:
                self._spec[_SAME[key]] = value
            elif (take := _TAKES.get(key)) is not None:
                take(self, value)
            elif not key.startswith("x-"):
                self._not(key, COMPOSE.get(key, UNKNOWN))
        self._without(told)
        app = fitting(f"{self._project}.{self._name}")
        if self._spec.get("networks") == [HOST] and self._spec.pop("ports", None):
            self._not("ports", WITH_HOST)
        self._spec["aliases"] = list(dict.fromkeys(self._aliases))
        return StackService(self._name, app, self._spec, tuple(self._after), self._context)

    def _without(self, told: Json) -> None:
        """What takes something of its image's away, which is not what says nothing of it."""
        if told.get("entrypoint") == []:
            # The image's own is done without, and the command is what is run.
            if command := self._spec.pop("command", None):
                self._spec["entrypoint"] = command
            else:
                self._not("entrypoint", NO_FIELD)
        elif told.get("command") == []:
            self._not("command", NO_FIELD)

    def _not(self, key: str, why: Text) -> None:
        self._left.append(KeyLeft(self._name, key, why))

    def _rest(self, key: str, its: Json, known: Sequence[str], why: Text) -> None:
        """Names what of an object nobody takes."""
        for part, value in its.items():
            if part not in known and value not in (None, [], {}, "", False):
                self._not(f"{key}.{part}", why)

    def _add(self, key: str, value: object) -> None:
        found = self._spec.setdefault(key, [])
        assert isinstance(found, list)
        found.append(value)

    # -- key by key

    def build(self, value: object) -> None:
        its = value if isinstance(value, dict) else {"context": value}
        context = str(its.get("context") or ".")
        known = {"dockerfile": "dockerfile", "target": "target", "args": "args"}
        build = {ours: its[key] for key, ours in known.items() if its.get(key)}
        if build.get("args"):
            build["args"] = {k: "" if v is None else v for k, v in _dict(build["args"]).items()}
        if its.get("dockerfile_inline"):
            build["recipe"] = its["dockerfile_inline"]
        if remote := _REMOTE.fullmatch(context):
            build["git"] = remote["git"]
            build |= {"branch": remote["ref"]} if remote["ref"] else {}
            build |= {"folder": remote["folder"]} if remote["folder"] else {}
        else:
            within = beside(context)
            if within is None:
                self._not(f"build.context {context}", OUTSIDE)
            elif within != ".":
                build["folder"] = within
            self._context = within or "."
        self._rest("build", its, [*known, "context", "dockerfile_inline"], OURS)
        self._spec["build"] = build

    def container_name(self, value: object) -> None:
        # What others of its file look it up by; the container itself is named after its release.
        self._aliases.append(str(value))

    def capabilities(self, key: str, names: object) -> None:
        # The engine takes "all" and "net_admin" as well.
        self._spec[key] = [str(name).upper() for name in names] if isinstance(names, list) else []

    def environment(self, value: object) -> None:
        if not isinstance(value, dict):
            return
        env = self._spec["env"] = {k: v for k, v in value.items() if v is not None}
        # Taken from whoever runs Compose, and where they have none it is not there at all: an
        # empty one would take the place of what the image says.
        for name in value.keys() - env.keys():
            self._not(f"environment.{name}", VALUE_HERE)

    def ports(self, value: object) -> None:
        for port in published_ports(_each(value), self._not):
            self._add("ports", port)

    def volumes(self, value: object) -> None:
        for mount in _each(value):
            kind, source, path = mount.get("type"), str(mount.get("source") or ""), mount["target"]
            at = f"volumes {path}"
            known = ["type", "source", "target", "read_only", "consistency"]
            self._rest(
                at, {k: v for k, v in mount.items() if k not in ("bind", "volume")}, known, SWARM
            )
            self._rest(f"{at}.bind", _dict(mount.get("bind")), ["create_host_path"], SWARM)
            self._rest(f"{at}.volume", _dict(mount.get("volume")), [], SWARM)
            if kind == "tmpfs":
                self._add("tmpfs", path)
            elif kind not in ("volume", "bind") or not source:
                self._not(at, ANONYMOUS if kind == "volume" else SWARM)
            else:
                self._mount(kind, source, str(path), bool(mount.get("read_only")))

    def _mount(self, kind: str, source: str, path: str, read_only: bool) -> None:
        one: Json = {"path": path}
        if kind == "volume":
            declared = _dict(_dict(self._config.get("volumes")).get(source))
            one["name"] = declared.get("name") or source
        elif (within := beside(source)) is None or within.startswith("~"):
            source = (
                within or source
            )  # whose home it is nobody knows: its row says what it has to be
            one["source"] = source
            if source.startswith(posixpath.dirname(FOLDER.rstrip("/")) + "/"):
                self._not(f"volumes {path}", OUTSIDE)
                return
        elif within in self._files:
            # A file beside the Compose file: its text goes into the container.
            self._add("files", {"path": path, "content": self._files[within]})
            return
        elif "." in posixpath.basename(within).strip("."):
            self._not(f"volumes {within}", NOT_SENT)
            return
        else:
            self._not(f"volumes {within}", BESIDE)
            one["name"] = fitting(
                f"{self._project}_{within.replace('/', '_').strip('._') or 'folder'}"
            )
        if read_only:
            one["read_only"] = True
        self._add("volumes", one)

    def tmpfs(self, value: object) -> None:
        for path in value if isinstance(value, list) else [value]:
            at, _, options = str(path).partition(":")
            if options:
                self._not(f"tmpfs {path}", OURS)
            self._add("tmpfs", at)

    def networks(self, value: object) -> None:
        for name, its in _dict(value).items():
            declared = _dict(_dict(self._config.get("networks")).get(name))
            if declared.get("external"):
                self._add("networks", declared.get("name") or name)
            elif name != "default":
                self._not(f"networks.{name}", ONE_NETWORK)
            aliases = _dict(its).get("aliases")
            self._aliases += aliases if isinstance(aliases, list) else []
            self._rest(f"networks.{name}", _dict(its), ["aliases"], SWARM)

    def network_mode(self, value: object) -> None:
        if value == HOST:
            self._spec["networks"] = [HOST]
        else:
            self._not("network_mode", ONE_NETWORK if value == "bridge" else SWARM)

    def depends_on(self, value: object) -> None:
        for other, its in _dict(value).items():
            condition = str(_dict(its).get("condition") or "service_started")
            self._after.append(After(other, _CONDITIONS.get(condition, "started")))
            self._rest(f"depends_on.{other}", _dict(its), ["condition", "required"], OURS)

    def healthcheck(self, value: object) -> None:
        its = _dict(value)
        if (health := compose_check(its)) is None:
            self._not("healthcheck", NO_CHECK)
            return
        self._spec["health"] = health
        self._rest("healthcheck", its, ["test", "interval", "start_period", "retries"], WITHIN)

    def restart(self, value: object) -> None:
        kind, _, times = str(value).partition(":")
        self._spec["restart"] = _RESTARTS.get(kind, "on-failure")
        if times or kind not in _RESTARTS:
            self._not(f"restart {value}", OURS)

    def ulimits(self, value: object) -> None:
        for name, its in _dict(value).items():  # of an object Compose leaves out what is 0
            both = its if isinstance(its, dict) else {"soft": its, "hard": its}
            self._add("ulimits", {"name": name, "soft": 0, "hard": 0} | both)

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
        for key, found in _dict(value).items():
            if key == "replicas":
                self._spec["replicas"] = found
            elif key == "resources":
                self._resources(_dict(found))
            elif key == "restart_policy":
                policy = _dict(found)
                known = {"any": "always", "none": "no", "on-failure": "on-failure"}
                condition = str(policy.get("condition") or "any")
                self._spec["restart"] = known.get(condition, "always")
                self._rest("deploy.restart_policy", policy, ["condition"], OURS)
            elif key == "labels":
                self.labels(found)
            elif found not in ({}, None) and (key, found) != ("mode", "replicated"):
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
        for name, text in _dict(value).items():
            if name.startswith("cloudbang.") and name not in PEOPLES:
                self._not(f"labels.{name}", NAMED_BY_US)
            else:
                found[name] = text

    def secrets(self, value: object) -> None:
        for source, target, its in handed(_each(value), "/run/secrets/"):
            content = self._content("secrets", source)
            if content is None:
                continue
            name = target.removeprefix("/run/secrets/")
            if "/" in name or "=" in name:
                self._add("files", {"path": target, "content": content})
            else:
                kept = self._spec.setdefault("secrets", {})
                assert isinstance(kept, dict)
                kept[name] = content
            self._rest(f"secrets.{source}", its, ["source", "target"], OWNER)

    def configs(self, value: object) -> None:
        for source, target, its in handed(_each(value), "/"):
            content = self._content("configs", source)
            if content is None:
                continue
            file: Json = {"path": target, "content": content}
            if its.get("mode"):
                file["mode"] = int(str(its["mode"]), 8)
            self._add("files", file)
            self._rest(f"configs.{source}", its, ["source", "target", "mode"], OWNER)

    def _content(self, kind: str, source: str) -> str | None:
        declared = _dict(_dict(self._config.get(kind)).get(source))
        found = content_of(declared, self._files, self._variables)
        if found is None:
            self._not(f"{kind}.{source}", OTHERS if declared.get("external") else NOT_SENT)
        return found


_SAME = {
    **{key: key for key in ("image", "command", "entrypoint", "user", "working_dir", "hostname")},
    **{key: key for key in ("init", "tty", "stdin_open", "read_only")},
    **{key: key for key in ("stop_signal", "sysctls", "cpus")},
    "stop_grace_period": "stop_grace",
    "mem_limit": "memory",
    "mem_reservation": "memory_reserved",
    "scale": "replicas",
}
_TAKES: dict[str, Callable[[ServiceReader, object], None]] = {
    name: getattr(ServiceReader, name)
    for name in (
        *("build", "environment", "ports", "volumes", "tmpfs", "networks", "depends_on"),
        *(
            "network_mode",
            "healthcheck",
            "restart",
            "ulimits",
            "extra_hosts",
            "dns",
            "deploy",
            "labels",
        ),
        *("secrets", "configs", "container_name"),
    )
} | {
    key: lambda its, names, key=key: its.capabilities(key, names) for key in ("cap_add", "cap_drop")
}


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _each(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
