"""Networks: made, found, and who is on them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

import gevent
import orjson

from cloudbang.engine.http import EngineHttp
from cloudbang.errors import EngineRefused

ADDRESSED = 10.0  # seconds that Swarm may take to give a new network its addresses


class NetworkCalls(EngineHttp):
    """The engine's calls about networks. Raise EngineRefused with what the engine says."""

    def overlay(self, name: str, labels: Mapping[str, str] | None = None) -> str:
        """The id of the overlay network of that name, which is made where there is none."""
        if (found := self.network_id(name, for_services=True)) is not None:
            return found
        return self._make(name, labels)

    def roomy_overlay(self, name: str, labels: Mapping[str, str] | None = None) -> str:
        """The same, with room for who comes to it by :meth:`connect`: the upper half of its addresses
        is given to no task. Which addresses are free Swarm alone knows: it is asked for some."""
        if (found := self.network_id(name, for_services=True)) is not None:
            return found
        free = f"{name}-free"
        subnet = self._subnet(self.overlay(free))
        path = f"/networks/{quote(free, safe='')}"
        self._json(path, method="DELETE", what=f"to make the network {name}", call="networks")
        tasks, _ = ip_network(subnet).subnets()
        return self._make(name, labels, {"Subnet": subnet, "IPRange": str(tasks)})

    def connect(self, network: str, container: str) -> None:
        """Have a container on a :meth:`roomy_overlay` besides, at an address that no task gets."""
        address = list(ip_network(self._subnet(network)))[-2]
        body = {
            "Container": container,
            "EndpointConfig": {"IPAMConfig": {"IPv4Address": str(address)}},
        }
        self._change(network, "connect", body)

    def disconnect(self, network: str, container: str) -> None:
        """Have it there no more."""
        self._change(network, "disconnect", {"Container": container, "Force": True})

    def networks_of(self, container: str) -> dict[str, str]:
        """By name the ids of the networks that a container is on; none of one that is gone."""
        path = f"/containers/{quote(container, safe='')}/json"
        try:
            found = self._json(path, what="its networks", call="inspect")
        except EngineRefused as e:
            if e.engine_status == 404:
                return {}
            raise
        its = (found.get("NetworkSettings") or {}).get("Networks") or {}
        return {str(name): str(one.get("NetworkID") or "") for name, one in its.items()}

    def interfaces_of(self, container: str) -> list[str]:
        """The addresses that a container has on its networks, as "172.17.0.3/16"; none of one that
        is gone, nor on a network of the machine or of another container."""
        path = f"/containers/{quote(container, safe='')}/json"
        try:
            found = self._json(path, what="its addresses", call="inspect")
        except EngineRefused as e:
            if e.engine_status == 404:
                return []
            raise
        its = (found.get("NetworkSettings") or {}).get("Networks") or {}
        addresses = []
        for one in its.values():
            for address, length in (
                (one.get("IPAddress"), one.get("IPPrefixLen")),
                (one.get("GlobalIPv6Address"), one.get("GlobalIPv6PrefixLen")),
            ):
                if address and length:
                    addresses.append(f"{address}/{int(length)}")
        return sorted(addresses, key=lambda address: (":" in address, address))

    def network_id(self, name: str, *, for_services: bool = False) -> str | None:
        """The id of the network of exactly that name; ``for_services``: of one that carries those of
        Swarm, as any that reaches beyond this machine, and the machine's own."""
        query = {"filters": orjson.dumps({"name": [name]}).decode()}
        found = self._json("/networks", query, what="its networks", call="networks")
        its = [one for one in found if one["Name"] == name]
        if for_services:
            its = [one for one in its if one.get("Scope") == "swarm" or one.get("Driver") == "host"]
        return str(its[0]["Id"]) if its else None

    def addresses_on(self, network: str) -> dict[str, str]:
        """By full id the address of each container of this machine on a network of it; none where
        there is no such network, as before the first task came there."""
        found = self._network(network)
        return {
            str(container): str(its.get("IPv4Address") or "").partition("/")[0]
            for container, its in (found.get("Containers") or {}).items()
        }

    def gateway_of(self, network: str) -> str:
        """The address that this machine itself has on a network of it; "" where it has none."""
        found = self._network(network)
        configs = (found.get("IPAM") or {}).get("Config") or []
        return next(
            (str(one["Gateway"]).partition("/")[0] for one in configs if one.get("Gateway")), ""
        )

    def _make(
        self,
        name: str,
        labels: Mapping[str, str] | None,
        addresses: Mapping[str, str] | None = None,
    ) -> str:
        body = {
            "Name": name,
            "Driver": "overlay",
            "Attachable": True,
            "Scope": "swarm",
            "CheckDuplicate": True,
            "Labels": dict(labels or {}),
        }
        if addresses:
            body["IPAM"] = {"Config": [dict(addresses)]}
        what = f"to make the network {name}"
        try:
            made = self._json(
                "/networks/create", method="POST", body=body, what=what, call="networks"
            )
        except EngineRefused as e:
            found = self.network_id(name, for_services=True)
            if e.engine_status == 409 and found is not None:
                return found  # somebody else was quicker
            raise
        return str(made["Id"])

    def _subnet(self, network: str) -> str:
        """The addresses of an overlay: Swarm gives them a moment after it was made."""
        until = time.monotonic() + ADDRESSED
        while True:
            configs = (self._network(network).get("IPAM") or {}).get("Config") or []
            if found := next((str(one["Subnet"]) for one in configs if one.get("Subnet")), ""):
                return found
            if time.monotonic() > until:
                raise EngineRefused(
                    f"the network {network}", 500, "it has no addresses", "networks"
                )
            gevent.sleep(0.05)

    def _change(self, network: str, how: str, body: Mapping[str, Any]) -> None:
        path = f"/networks/{quote(network, safe='')}/{how}"
        what = f"to {how} a container and the network {network}"
        self._json(path, method="POST", body=body, what=what, call="networks")

    def _network(self, name: str) -> Mapping[str, Any]:
        """Empty where there is none."""
        path = f"/networks/{quote(name, safe='')}"
        try:
            return dict(self._json(path, what=f"the network {name}", call="networks"))
        except EngineRefused as e:
            if e.engine_status == 404:
                return {}
            raise
