"""Where a source or a registry may be: not on this machine, nor where a cloud keeps its secrets.

Whoever may deploy names addresses that CloudBang then asks, from where it stands: behind the
firewall, beside what listens on loopback only. So those are refused, unless an admin allowed them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from gevent import socket

from cloudbang.errors import CloudBangError

# By which clouds tell a machine who it is, beside the link-local ones.
METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)


class AddressRefused(CloudBangError):
    """An address leads to where nobody but an admin may send CloudBang."""

    code = "address-refused"
    status = 422
    sentence = (
        "{host} leads to {address}, on this machine or beside it: an admin can allow it with "
        "CLOUDBANG_DEPLOY_ALLOWED_HOSTS"
    )
    variants = {  # noqa: RUF012
        ("address", ""): "{host} has no address: check the name"
    }

    def __init__(self, host: str, address: str = "") -> None:
        self.host, self.address = host, address
        super().__init__(host, address)


def is_inside(address: str) -> bool:
    """Whether that IP address is this machine, its link, a cloud's metadata, or no host at all.

    Private networks are not: there people have their Git servers and registries.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    while True:
        if (
            found.is_loopback
            or found.is_link_local
            or found.is_unspecified
            or found.is_multicast
            or found in METADATA
            or (found.is_reserved and found.version == 4)
        ):
            return True
        inner = embedded(found)
        if inner is None:
            return False
        found = inner


# Prefixes before the 32 bits of an address of the old kind: of translators everybody's and a network's own,
# of addresses that were to be compatible, and of stateless translation.
_BEFORE_OLD = tuple(
    ipaddress.IPv6Network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
)


def embedded(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The address of the old kind that is written as one of the new, or that it is translated to."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if inner := ip.ipv4_mapped or ip.sixtofour:
        return inner
    if any(ip in network for network in _BEFORE_OLD):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


def _resolved(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def allowed_address(
    host: str,
    port: int,
    allowed: Collection[str] = (),
    resolve: Callable[[str, int], list[str]] = _resolved,
) -> str:
    """The address to be asked for that host: whoever asks it by name might get another one.

    ``allowed``: hosts that an admin allowed. Raises AddressRefused.
    """
    name = host.lower().rstrip(".").strip("[]")
    try:
        addresses = resolve(name, port)
    except (OSError, UnicodeError):
        addresses = []
    if not addresses:
        raise AddressRefused(host)
    if name not in {one.lower() for one in allowed}:
        for address in addresses:
            if is_inside(address):
                raise AddressRefused(host, address)
    return addresses[0]


def host_of(url: str) -> tuple[str, int]:
    """Host and port of an https address. Raises ValueError where it is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(url)
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
