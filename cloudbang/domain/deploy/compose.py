"""A Compose file as apps: what Docker's own Compose made of it (``config --format json``) becomes one
specification for each service; every key is honoured, or named with the reason why it is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cloudbang.domain.deploy.compose_json import Json
from cloudbang.domain.deploy.compose_paths import FOLDER
from cloudbang.domain.deploy.compose_service import After, KeyLeft, ServiceReader, StackService
from cloudbang.domain.deploy.compose_variables import example_of
from cloudbang.domain.deploy.compose_volumes import bound_to
from cloudbang.domain.deploy.fields import SpecInvalid
from cloudbang.domain.deploy.not_honoured import NO_SUCH_NETWORK, ONE_MACHINE, ONE_NETWORK, UNKNOWN
from cloudbang.domain.deploy.spec import HOST
from cloudbang.domain.deploy.swarm_spec import NETWORK, is_team_network
from cloudbang.domain.text import Text

__all__ = ["FOLDER", "After", "ComposeSource", "KeyLeft", "Stack", "StackService", "stack_of"]

_OF_FILE = frozenset({"name", "services", "networks", "volumes", "secrets", "configs", "version"})
PROFILE = Text(
    "it is started where its profile is asked for: it is not deployed",
    "仅在指定其 profile 时启动：不会部署",
)
VOLUMES = Text("a volume is made as the engine makes it by itself", "卷按引擎的默认方式创建")


@dataclass(frozen=True, slots=True)
class Stack:
    """``services`` in the order in which they can be started."""

    name: str
    services: tuple[StackService, ...]
    left: tuple[KeyLeft, ...] = field(default=())

    def on_networks(self, carries: Callable[[str], bool | None]) -> Stack:
        """The same on those networks only that can carry apps. ``carries``: whether one made elsewhere
        does, None where there is none of that name."""
        known: dict[str, bool | None] = {}
        services, left = [], list(self.left)
        for service in self.services:
            names = service.spec.get("networks")
            kept = []
            for name in names if isinstance(names, list) else ():
                if name not in known:
                    known[name] = name in (HOST, NETWORK) or is_team_network(name) or carries(name)
                if known[name]:
                    kept.append(name)
                else:
                    why = NO_SUCH_NETWORK if known[name] is None else ONE_MACHINE
                    left.append(KeyLeft(service.name, f"networks.{name}", why))
            spec = {key: value for key, value in service.spec.items() if key != "networks"}
            services.append(replace(service, spec=spec | ({"networks": kept} if kept else {})))
        return replace(self, services=tuple(services), left=tuple(left))


class ComposeSource(NamedTuple):
    """What is there beside the file. ``files``: texts by their paths from its folder on;
    ``variables``: what it can name; ``profiles``: those that are asked for, ``*`` for all."""

    files: Mapping[str, str] = {}
    variables: Mapping[str, str] = {}
    profiles: Collection[str] = ()


def stack_of(
    config: Mapping[str, object], name: str = "", beside: ComposeSource | None = None
) -> Stack:
    """The stack that a normalised Compose file stands for; ``name`` other than the file's own.

    Raises SpecInvalid where it has no services, or they wait for each other.
    """
    told = _plain(config)
    assert isinstance(told, dict)
    beside = beside or ComposeSource()
    project = name or str(told.get("name") or "") or "stack"
    services = told.get("services")
    if not isinstance(services, dict) or not services:
        raise SpecInvalid("services", rule="missing")
    left = [KeyLeft("", key, UNKNOWN) for key in told if key not in _OF_FILE and key[:2] != "x-"]
    left += _of_file(told)
    wanted: dict[str, Json] = {}
    for service, its in services.items():
        its = its if isinstance(its, dict) else {}
        profiles = its.get("profiles") or []
        if profiles and not {"*", *profiles} & set(beside.profiles):
            left.append(KeyLeft(service, f"profiles {', '.join(profiles)}", PROFILE))
        else:
            wanted[service] = its
    if not wanted:
        raise SpecInvalid("services", rule="missing")
    aliases = _linked(wanted)
    variables = {**example_of(beside.files)[1], **beside.variables}
    made = {}
    for service, its in wanted.items():
        others = aliases.get(service, [])
        reader = ServiceReader(service, project, told, beside.files, variables, others, left)
        made[service] = reader.read(its)
    for name, one in made.items():
        # Of a profile that nobody asks for nothing is waited for, as Compose does where it may be so.
        made[name] = replace(one, after=tuple(its for its in one.after if its.service in made))
        for after in one.after:
            if after.condition == "completed" and after.service in made:
                made[after.service].spec["job"] = True
    return Stack(project, _in_order(made), tuple(left))


def _linked(services: Mapping[str, Json]) -> dict[str, list[str]]:
    """By service the names that others link to it under (``links: ["db:mysql"]``)."""
    found: dict[str, list[str]] = {}
    for its in services.values():
        for link in its.get("links") or ():  # type: ignore[attr-defined]
            other, _, alias = str(link).partition(":")
            if alias:
                found.setdefault(other, []).append(alias)
    return found


def _of_file(told: Json) -> list[KeyLeft]:
    """What stands beside the services and is not honoured."""
    left: list[KeyLeft] = []
    for kind, kept, why in (
        ("networks", {"name", "external"}, ONE_NETWORK),
        ("volumes", {"name", "external"}, VOLUMES),
    ):
        declared = told.get(kind)
        for name, its in declared.items() if isinstance(declared, dict) else ():
            if kind == "volumes" and bound_to(its or {}) is not None:
                continue  # it is that folder
            for key, value in (its or {}).items():
                usual = not value or (key, value) in (("driver", "local"), ("driver", "bridge"))
                if key not in kept and not usual and key[:2] != "x-":
                    left.append(KeyLeft("", f"{kind}.{name}.{key}", why))
    return left


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


def _plain(value: object) -> object:
    """The same with each ``$$`` as the ``$`` that it stands for: Compose writes it back doubled."""
    if isinstance(value, str):
        return re.sub(r"\$\$", "$", value)
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
