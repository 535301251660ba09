"""What takes room on the engine's disk: images, volumes, networks, build cache; and taking it away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from cloudbang.domain.deploy.disk import CacheRecord, Image, Network, Stock, Use, Volume
from cloudbang.domain.names import app_name
from cloudbang.engine.http import EngineHttp
from cloudbang.errors import EngineRefused

# The engine walks every volume for its size.
LOOK = 300.0  # seconds
PRUNE = 600.0
_NONE = "<none>"


class DiskCalls(EngineHttp):
    """The engine's calls about what is on its disk. Raise EngineRefused with what the engine says."""

    def stock(self) -> Stock:
        """Everything there is, and the containers and services that use it."""
        told = self._json("/system/df", what="what takes room", call="disk", within=LOOK)
        networks = self._json("/networks", what="its networks", call="networks")
        containers = self._json(
            "/containers/json", {"all": "1"}, what="its containers", call="list"
        )
        uses = _Uses(containers, self.app_label, self._services())
        return Stock(
            images=tuple(_image(one, uses) for one in told.get("Images") or ()),
            volumes=tuple(_volume(one, uses) for one in told.get("Volumes") or ()),
            networks=tuple(_network(one, uses) for one in networks),
            cache=tuple(_cache_record(one) for one in told.get("BuildCache") or ()),
            layers=int(told.get("LayersSize") or 0),
        )

    def volume_uses(self) -> dict[str, list[Use]]:
        """By name who uses each volume there is."""
        told = self._json("/volumes", what="its volumes", call="disk", within=LOOK)
        containers = self._json(
            "/containers/json", {"all": "1"}, what="its containers", call="list"
        )
        uses = _Uses(containers, self.app_label, self._services())
        names = [str(one["Name"]) for one in told.get("Volumes") or ()]
        return {name: uses.volumes.get(name, []) for name in names}

    def overlays(self) -> list[str]:
        """The names of the networks that reach beyond this machine."""
        found = self._json("/networks", what="its networks", call="networks")
        return [str(one["Name"]) for one in found if one.get("Scope") == "swarm"]

    def _services(self) -> list[Mapping[str, Any]]:
        try:
            return list(self._json("/services", what="its services", call="services"))
        except EngineRefused as e:
            if e.engine_status in (406, 503):  # this machine is none that knows: Swarm is off
                return []
            raise

    def remove_volume(self, name: str) -> bool:
        """False when it is gone."""
        path = f"/volumes/{quote(name, safe='')}"
        return self._removed(path, what=f"to remove the volume {name}")

    def remove_network(self, name: str) -> bool:
        """False when it is gone."""
        path = f"/networks/{quote(name, safe='')}"
        return self._removed(path, what=f"to remove the network {name}")

    def _removed(self, path: str, what: str) -> bool:
        try:
            self._json(path, method="DELETE", what=what, call="clean-up", within=PRUNE)
        except EngineRefused as e:
            if e.engine_status == 404:
                return False
            raise
        return True

    def remove_cache(self, record: str) -> int | None:
        """Bytes that one record of the build cache gave back, some have none; None when it did not
        go: it is gone, used, or another one stands on it."""
        # By a pattern: BuildKit compares ids so, and takes one at a time.
        query = {"all": "1", "filters": orjson.dumps({"id": [f"^{record}$"]}).decode()}
        told = self._prune(query)
        if record not in (told.get("CachesDeleted") or ()):
            return None
        return int(told.get("SpaceReclaimed") or 0)

    def shrink_cache(self, keep: int) -> int:
        """Bytes given back so that the build cache is at most ``keep`` bytes; what was used last
        stays."""
        limit = "reserved-space" if self.speaks("1.48") else "keep-storage"
        return int(self._prune({"all": "1", limit: str(keep)}).get("SpaceReclaimed") or 0)

    def _prune(self, query: Mapping[str, str]) -> Mapping[str, Any]:
        what = "to clean up the build cache"
        told: Mapping[str, Any] | None = self._json(
            "/build/prune", query, method="POST", what=what, call="clean-up", within=PRUNE
        )
        return told or {}


class _Uses:
    """Who uses what, by the id or the name that the engine has for it."""

    def __init__(
        self,
        containers: Iterable[Mapping[str, Any]],
        app_label: str,
        services: Iterable[Mapping[str, Any]],
    ) -> None:
        self.images: dict[str, list[Use]] = defaultdict(list)
        self.volumes: dict[str, list[Use]] = defaultdict(list)
        self.networks: dict[str, list[Use]] = defaultdict(list)
        for one in containers:
            labels = one.get("Labels") or {}
            name = str((one.get("Names") or [one["Id"][:12]])[0]).lstrip("/")
            app = app_name(labels, name, app_label)
            use = Use("container", name, app, one.get("State") in ("running", "paused"))
            self.images[str(one.get("ImageID") or "")].append(use)
            for mount in one.get("Mounts") or ():
                if mount.get("Type") == "volume" and mount.get("Name"):
                    self.volumes[str(mount["Name"])].append(use)
            networks = (one.get("NetworkSettings") or {}).get("Networks") or {}
            for name_of, its in networks.items():
                # One that does not run may have the name alone; without the network it never will.
                self.networks[str((its or {}).get("NetworkID") or name_of)].append(use)
        for one in services:
            self._add_service(one)

    def _add_service(self, one: Mapping[str, Any]) -> None:
        """A service needs what it names also while none of its tasks is here."""
        spec = one.get("Spec") or {}
        task = spec.get("TaskTemplate") or {}
        its = task.get("ContainerSpec") or {}
        name = str(spec.get("Name") or "")
        use = Use("service", name, str((spec.get("Labels") or {}).get("cloudbang.app") or ""))
        image = str(its.get("Image") or "")
        if image.startswith("sha256:"):
            self.images[image].append(use)
        elif image:
            self.images[image.partition("@")[0]].append(use)
        for mount in its.get("Mounts") or ():
            if mount.get("Type") == "volume" and mount.get("Source"):
                self.volumes[str(mount["Source"])].append(use)
        for network in task.get("Networks") or ():
            self.networks[str(network.get("Target") or "")].append(use)


def _tags(told: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(tag for tag in told.get("RepoTags") or () if not tag.startswith(_NONE))


def _image(told: Mapping[str, Any], uses: _Uses) -> Image:
    id, tags, size = str(told["Id"]), _tags(told), int(told.get("Size") or 0)
    shared = max(0, int(told.get("SharedSize") or 0))  # -1: nobody counted
    found = [*uses.images.get(id, ())]
    for tag in tags:
        found += uses.images.get(tag, ())
    return Image(
        id=id,
        tags=tags,
        digests=tuple(d for d in told.get("RepoDigests") or () if not d.startswith(_NONE)),
        size=max(0, size - shared),
        shared=shared,
        created=int(told.get("Created") or 0),
        labels=dict(told.get("Labels") or {}),
        used_by=tuple(found),
    )


def _volume(told: Mapping[str, Any], uses: _Uses) -> Volume:
    size = int((told.get("UsageData") or {}).get("Size", -1))
    name = str(told["Name"])
    return Volume(
        name=name,
        driver=str(told.get("Driver") or ""),
        size=None if size < 0 else size,
        created=str(told.get("CreatedAt") or ""),
        labels=dict(told.get("Labels") or {}),
        used_by=tuple(uses.volumes.get(name, ())),
    )


def _network(told: Mapping[str, Any], uses: _Uses) -> Network:
    id, name = str(told["Id"]), str(told["Name"])
    return Network(
        id=id,
        name=name,
        driver=str(told.get("Driver") or ""),
        scope=str(told.get("Scope") or ""),
        created=str(told.get("Created") or ""),
        labels=dict(told.get("Labels") or {}),
        used_by=(*uses.networks.get(id, ()), *uses.networks.get(name, ())),
    )


def _cache_record(told: Mapping[str, Any]) -> CacheRecord:
    parent = told.get("Parent") or told.get("Parents") or ()
    return CacheRecord(
        id=str(told["ID"]),
        name=str(told.get("Description") or ""),
        kind=str(told.get("Type") or ""),
        size=int(told.get("Size") or 0),
        in_use=bool(told.get("InUse")),
        shared=bool(told.get("Shared")),
        parents=(parent,) if isinstance(parent, str) else tuple(parent),
        created=str(told.get("CreatedAt") or ""),
        last_used=str(told.get("LastUsedAt") or ""),
    )
