"""The ports that a service of a Compose file publishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from cloudbang.domain.deploy.not_honoured import ANY_PORT, LOOPBACK, OURS, SWARM, of_address
from cloudbang.domain.text import Text

_KNOWN = ("target", "published", "host_ip", "protocol", "mode", "name")


def published_ports(
    told: Sequence[Mapping[str, object]], leave: Callable[[str, Text], None]
) -> Iterator[dict[str, object]]:
    """As SPEC has them. ``leave`` is told what is not honoured, and why."""
    for port in told:
        target, published = port.get("target"), str(port.get("published") or "")
        for key, value in port.items():
            if key not in _KNOWN and value not in (None, [], {}, "", False):
                leave(f"ports {published}.{key}", OURS)
        protocol = str(port.get("protocol") or "tcp")
        how = "" if protocol == "tcp" else f"/{protocol}"
        if why := of_address(address := str(port.get("host_ip") or "")):
            leave(f"ports {address}:{published}:{target}{how}", why)
            if why is LOOPBACK:
                continue
        if not published:
            leave(f"ports {target}{how}", ANY_PORT)
        first, _, last = published.partition("-")
        if last:
            leave(f"ports {published}", SWARM)
        one: dict[str, object] = {"published": int(first) if first else target, "target": target}
        yield {**one, "protocol": protocol} if how else one
