"""One service of a Compose file as a specification. Each key is taken by the method of its name;
what nobody takes is named, with the reason why."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cloudbang.domain.deploy.checks import CHECKED, compose_check
from cloudbang.domain.deploy.compose_json import Json, an_object, objects, texts, unread
from cloudbang.domain.deploy.compose_paths import beside, content_of, handed
from cloudbang.domain.deploy.compose_ports import published_ports
from cloudbang.domain.deploy.compose_volumes import Mounts
from cloudbang.domain.deploy.not_honoured import (
    COMPOSE,
    NAMED_BY_US,
    NO_FIELD,
    NOT_SENT,
    OF_THE_IMAGE,
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
from cloudbang.domain.deploy.tmpfs import with_shared_memory
from cloudbang.domain.names import PEOPLES, fitting
from cloudbang.domain.text import Text


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
_AT_THE_END = frozenset({"shm_size"})
_RESTARTS = {"no": "no", "always": "always", "unless-stopped": "always", "on-failure": "on-failure"}
_CONDITIONS = {
    "service_started": "started",
    "service_healthy": "healthy",
    "service_completed_successfully": "completed",
}
_REMOTE = re.compile(r"(?P<git>https?://[^#]+?)(?:#(?P<ref>[^:]*)(?::(?P<folder>.*))?)?")


# What is done once, in the words that files have for it.
_ONCE = re.compile(
    r"(?:^|[-_.\d]|db|pre|post)(?:migrat\w*|init\w*|setup|seed(?:er|ing|s)?|bootstrap\w*|configurator|"
    r"provision\w*|install(?:er)?|create\w*|prepare\w*|chown|perms|permissions|fixtures?)(?=$|[-_.\d])"
)


def is_done_once(name: str, spec: Json) -> bool:
    """Whether a service of which the file does not say that it is to be started again is something
    that ends, by its name. Anything else is kept running, as an app is: hardly anybody writes
    ``restart`` who tries a file on their own machine."""
    reached = spec.get("ports") or spec.get("health") or spec.get("job")
    tool = str(spec.get("image") or "").partition(":")[0].endswith("minio/mc")  # makes buckets
    return not reached and (tool or _ONCE.search(name.lower()) is not None)


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
        declared = an_object(config.get("volumes"))
        self._mounts = Mounts(project, declared, files, self._not)

    def read(self, told: Json) -> StackService:
        for key, value in told.items():
            # A nought is said: `scale: 0`.
            if (
                value is None
                or value is False
                or value in ([], {}, "")
                or key in _SAID_ELSEWHERE | _AT_THE_END
            ):
                continue
            if key in _SAME:
                self._spec[_SAME[key]] = value
            elif (take := _TAKES.get(key)) is not None:
                take(self, value)
            elif not key.startswith("x-"):
                self._not(key, COMPOSE.get(key, UNKNOWN))
        self._without(told)
        self._shared_memory(told.get("shm_size"))
        if "restart" not in self._spec and is_done_once(self._name, self._spec):
            self._spec["restart"] = "no"  # as the file has it, which says nothing
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

    def _shared_memory(self, size: object) -> None:
        tmpfs = self._spec.get("tmpfs", [])
        assert isinstance(tmpfs, list)
        mounted = [str(one["path"]) for one in objects(self._spec.get("volumes"))]
        with_shared_memory(tmpfs, size, mounted)
        if tmpfs:
            self._spec["tmpfs"] = tmpfs

    def _not(self, key: str, why: Text) -> None:
        self._left.append(KeyLeft(self._name, key, why))

    def _rest(self, key: str, its: Json, known: Sequence[str], why: Text) -> None:
        """Names what of an object nobody takes."""
        for part in unread(its, known):
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
            build["args"] = {k: "" if v is None else v for k, v in an_object(build["args"]).items()}
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
        for name in sorted(value.keys() - env.keys()):
            self._not(f"environment.{name}", VALUE_HERE)

    def ports(self, value: object) -> None:
        for port in published_ports(objects(value), self._not):
            self._add("ports", port)

    def volumes(self, value: object) -> None:
        for field, one in self._mounts.read(value):
            self._add(field, one)

    def tmpfs(self, value: object) -> None:
        for field, one in self._mounts.memory(value):
            self._add(field, one)

    def networks(self, value: object) -> None:
        for name, its in an_object(value).items():
            declared = an_object(an_object(self._config.get("networks")).get(name))
            if declared.get("external"):
                self._add("networks", declared.get("name") or name)
            elif name != "default":
                self._not(f"networks.{name}", ONE_NETWORK)
            aliases = an_object(its).get("aliases")
            self._aliases += aliases if isinstance(aliases, list) else []
            self._rest(f"networks.{name}", an_object(its), ["aliases"], SWARM)

    def network_mode(self, value: object) -> None:
        if value == HOST:
            self._spec["networks"] = [HOST]
        else:
            self._not("network_mode", ONE_NETWORK if value == "bridge" else SWARM)

    def depends_on(self, value: object) -> None:
        for other, its in an_object(value).items():
            condition = str(an_object(its).get("condition") or "service_started")
            self._after.append(After(other, _CONDITIONS.get(condition, "started")))
            self._rest(f"depends_on.{other}", an_object(its), ["condition", "required"], OURS)

    def healthcheck(self, value: object) -> None:
        its = an_object(value)
        if (health := compose_check(its)) is None:
            self._not("healthcheck", OF_THE_IMAGE)
            return
        self._spec["health"] = health
        self._rest("healthcheck", its, CHECKED, WITHIN)

    def restart(self, value: object) -> None:
        kind, _, times = str(value).partition(":")
        self._spec["restart"] = _RESTARTS.get(kind, "on-failure")
        if times or kind not in _RESTARTS:
            self._not(f"restart {value}", OURS)

    def ulimits(self, value: object) -> None:
        for name, its in an_object(value).items():  # of an object Compose leaves out what is 0
            both = its if isinstance(its, dict) else {"soft": its, "hard": its}
            self._add("ulimits", {"name": name, "soft": 0, "hard": 0} | both)

    def extra_hosts(self, value: object) -> None:
        pairs = value.items() if isinstance(value, dict) else ()
        for entry in value if isinstance(value, list) else ():
            self._add("extra_hosts", entry)
        for name, addresses in pairs:
            for address in addresses if isinstance(addresses, list) else [addresses]:
                self._add("extra_hosts", f"{name}:{address}")

    def listed(self, key: str, value: object) -> None:
        self._spec[key] = texts(value)

    def pids_limit(self, value: object) -> None:
        if int(str(value)) > 0:  # else there is none
            self._spec["pids_limit"] = value

    def deploy(self, value: object) -> None:
        for key, found in an_object(value).items():
            if key == "replicas":
                self._spec["replicas"] = found
            elif key == "resources":
                self._resources(an_object(found))
            elif key == "restart_policy":
                policy = an_object(found)
                known = {"any": "always", "none": "no", "on-failure": "on-failure"}
                condition = str(policy.get("condition") or "any")
                self._spec["restart"] = known.get(condition, "always")
                self._rest("deploy.restart_policy", policy, ["condition"], OURS)
            elif key == "labels":
                self.labels(found)
            elif (key, found) == ("mode", "replicated-job"):
                self._spec["job"] = True
            elif found not in ({}, None) and (key, found) != ("mode", "replicated"):
                self._not(f"deploy.{key}", OURS)

    def _resources(self, its: Json) -> None:
        for kind, memory, cpus in (
            ("limits", "memory", "cpus"),
            ("reservations", "memory_reserved", "cpus_reserved"),
        ):
            for key, value in an_object(its.get(kind)).items():
                if key in ("memory", "cpus"):
                    self._spec[memory if key == "memory" else cpus] = value
                elif (kind, key) == ("limits", "pids"):
                    self.pids_limit(value)
                else:
                    self._not(f"deploy.resources.{kind}.{key}", SWARM)

    def labels(self, value: object) -> None:
        found = self._spec.setdefault("labels", {})
        assert isinstance(found, dict)
        for name, text in an_object(value).items():
            if name.startswith("cloudbang.") and name not in PEOPLES:
                self._not(f"labels.{name}", NAMED_BY_US)
            else:
                found[name] = text

    def secrets(self, value: object) -> None:
        for source, target, its in handed(objects(value), "/run/secrets/"):
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
        for source, target, its in handed(objects(value), "/"):
            content = self._content("configs", source)
            if content is None:
                continue
            file: Json = {"path": target, "content": content}
            if its.get("mode"):
                file["mode"] = int(str(its["mode"]), 8)
            # By its name a user is known in the container alone.
            owner = {key: its[key] for key in ("uid", "gid") if str(its.get(key)).isdecimal()}
            self._add("files", file | owner)
            self._rest(f"configs.{source}", its, ["source", "target", "mode", *owner], OWNER)

    def _content(self, kind: str, source: str) -> str | None:
        declared = an_object(an_object(self._config.get(kind)).get(source))
        found = content_of(declared, self._files, self._variables)
        if found is None:
            why = VALUE_HERE if declared.get("environment") else NOT_SENT
            self._not(f"{kind}.{source}", OTHERS if declared.get("external") else why)
        return found


def _of(
    take: Callable[[ServiceReader, str, object], None], key: str
) -> Callable[[ServiceReader, object], None]:
    return lambda its, value: take(its, key, value)


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
        *("network_mode", "healthcheck", "restart", "ulimits", "extra_hosts", "pids_limit"),
        *("deploy", "labels", "secrets", "configs", "container_name"),
    )
}
_TAKES |= {key: _of(ServiceReader.capabilities, key) for key in ("cap_add", "cap_drop")}
_TAKES |= {
    key: _of(ServiceReader.listed, key) for key in ("dns", "dns_search", "dns_opt", "group_add")
}
