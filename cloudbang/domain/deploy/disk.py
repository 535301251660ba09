"""What takes room on an engine's disk, who uses it, and what of it may go.

What is used, what one can go back to, and what the settings name is never among it. What CloudBang
did not make is only where somebody asks for that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal["image", "volume", "network", "cache"]
KINDS: tuple[Kind, ...] = ("image", "volume", "network", "cache")
# A volume holds what no deployment brings back: it goes where somebody names volumes.
USUAL: tuple[Kind, ...] = ("image", "network", "cache")

APP = "cloudbang.app"
OURS = "cloudbang/"  # of tags: `cloudbang/web:r3`
PREDEFINED = frozenset({"bridge", "host", "none", "ingress", "docker_gwbridge"})


@dataclass(frozen=True, slots=True)
class Use:
    """Who uses something: a container (``running`` or not), a service, or a release that one can go
    back to."""

    by: Literal["container", "service", "release"]
    name: str
    app: str = ""
    running: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """``size``: bytes that are its own; ``shared``: those that others have as well. ``created``:
    seconds since 1970."""

    id: str  # "sha256:…"
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    size: int = 0
    shared: int = 0
    created: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    used_by: tuple[Use, ...] = ()

    @property
    def name(self) -> str:
        return next(iter(self.tags), "") or next(iter(self.digests), "") or self.id


@dataclass(frozen=True, slots=True)
class Volume:
    """``size`` None where the engine does not tell it, as of a driver of its own."""

    name: str
    driver: str = "local"
    size: int | None = None
    created: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    used_by: tuple[Use, ...] = ()

    @property
    def id(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Network:
    id: str
    name: str
    driver: str = "bridge"
    scope: str = "local"
    created: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    used_by: tuple[Use, ...] = ()

    @property
    def size(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """One record of the build cache. ``parents``: those that it stands on."""

    id: str
    name: str = ""  # what BuildKit says of it
    kind: str = ""  # "regular", "source.local", "exec.cachemount", …
    size: int = 0
    in_use: bool = False
    shared: bool = False
    parents: tuple[str, ...] = ()
    created: str = ""
    last_used: str = ""


@dataclass(frozen=True, slots=True)
class Stock:
    """Everything at one moment. ``layers``: bytes of all images together."""

    images: tuple[Image, ...] = ()
    volumes: tuple[Volume, ...] = ()
    networks: tuple[Network, ...] = ()
    cache: tuple[CacheRecord, ...] = ()
    layers: int = 0

    @property
    def cache_size(self) -> int:
        return sum(record.size for record in self.cache if not record.shared)


Thing = Image | Volume | Network | CacheRecord


@dataclass(frozen=True, slots=True)
class Kept:
    """What has to stay, and what is known to be ours. Images by id, volumes and networks by name.

    ``names``: of images and networks that a setting, a part of ours or a release names; ``since``:
    seconds since 1970 from which on an image without a name may be one that is being built.
    """

    images: Mapping[str, tuple[Use, ...]] = field(default_factory=dict)
    volumes: Mapping[str, tuple[Use, ...]] = field(default_factory=dict)
    networks: Mapping[str, tuple[Use, ...]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    our_volumes: frozenset[str] = frozenset()  # that releases had, and none has that is kept
    since: float | None = None

    def stays(self, thing: Thing) -> bool:
        """Whether no clean-up may take it: it is used, kept for going back, or named."""
        match thing:
            case Image():
                named = any(tag in self.names or short(tag) in self.names for tag in thing.tags)
                fresh = self.since is not None and not thing.tags and thing.created >= self.since
                return bool(thing.used_by) or thing.id in self.images or named or fresh
            case Volume():
                return bool(thing.used_by) or thing.name in self.volumes
            case Network():
                special = thing.name in PREDEFINED or thing.name in self.names
                return bool(thing.used_by) or special or thing.name in self.networks
            case CacheRecord():
                return thing.in_use


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that goes. ``names``: the tags that are taken from it, and no others."""

    kind: Kind
    id: str
    name: str
    size: int | None
    ours: bool
    names: tuple[str, ...] = ()


def clean_up(
    stock: Stock, kept: Kept, kinds: Collection[Kind] = USUAL, *, others: bool = False
) -> tuple[Item, ...]:
    """What goes, in the order in which it can: ours, and with ``others`` also what nobody uses of
    what CloudBang did not make."""
    things: dict[Kind, Iterable[Thing]] = {
        "image": stock.images,
        "network": stock.networks,
        "volume": stock.volumes,
        "cache": _outermost_first(stock.cache),
    }
    found = [
        item_of(thing, kept)
        for kind, its in things.items()
        if kind in kinds
        for thing in its
        if not kept.stays(thing)
    ]
    return tuple(item for item in found if item.ours or others)


def item_of(thing: Thing, kept: Kept) -> Item:
    """What is said of it in a plan."""
    match thing:
        case Image():
            ours = is_ours(thing.labels) or bool(thing.tags)
            ours = ours and all(tag.startswith(OURS) for tag in thing.tags)
            return Item("image", thing.id, thing.name, thing.size, ours, thing.tags)
        case Volume():
            ours = is_ours(thing.labels) or thing.name in kept.our_volumes
            return Item("volume", thing.name, thing.name, thing.size, ours)
        case Network():
            return Item("network", thing.id, thing.name, 0, is_ours(thing.labels))
        case CacheRecord():
            # A cache is there to be made again, whoever made it.
            size = 0 if thing.shared else thing.size
            return Item("cache", thing.id, thing.name, size, True)


def with_uses(stock: Stock, kept: Kept) -> Stock:
    """The same, where what one can go back to is used by its release."""
    return replace(
        stock,
        images=tuple(
            replace(one, used_by=(*one.used_by, *kept.images.get(one.id, ())))
            for one in stock.images
        ),
        volumes=tuple(
            replace(one, used_by=(*one.used_by, *kept.volumes.get(one.name, ())))
            for one in stock.volumes
        ),
        networks=tuple(
            replace(one, used_by=(*one.used_by, *kept.networks.get(one.name, ())))
            for one in stock.networks
        ),
    )


def short(name: str) -> str:
    """A name of an image without the tag that is meant where none is given."""
    return name.removesuffix(":latest")


def is_ours(labels: Mapping[str, str]) -> bool:
    return any(name.startswith("cloudbang.") for name in labels)


def _outermost_first(records: Collection[CacheRecord]) -> list[CacheRecord]:
    """Each before what it stands on: BuildKit gives none that another record needs. What a record
    in use stands on is not among them."""
    free = {record.id: record for record in records if not record.in_use}
    needed: dict[str, int] = dict.fromkeys(free, 0)
    for record in records:
        for parent in record.parents:
            if parent in needed:
                needed[parent] += 1
    ready = [name for name, count in needed.items() if not count]
    found: list[CacheRecord] = []
    while ready:
        record = free[ready.pop()]
        found.append(record)
        for parent in record.parents:
            if parent in needed:
                needed[parent] -= 1
                if not needed[parent]:
                    ready.append(parent)
    return found
