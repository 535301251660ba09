"""How often one may guess: per address and per account, whatever comes first.

Only failures count, so a machine that signs in every minute is never in its own way. An account
is limited under the name that was typed, whether there is such an account or not. A browser that
has signed in to it before has a count of its own: strangers' guesses are not its.
"""

from __future__ import annotations

import hashlib
import ipaddress
from math import ceil
from zlib import crc32

from cloudbang.accounts.errors import TooManyAttempts
from cloudbang.core.rate import FixedWindow

MINUTE, HOUR = 60.0, 3600.0
LIMITS = ((10, MINUTE), (60, HOUR))  # so many failures in so many seconds
MAX_KEYS = 5_000  # policy: beyond it, what is new shares one of OVERFLOW counts; about 1 MB
OVERFLOW = 1_024  # so many that a flood from everywhere does not lock out everybody

Key = tuple[str, str]  # "address", "account" or "browser", and which


class Throttle:
    """Counts failures in memory; a restart forgives."""

    def __init__(self, limits: tuple[tuple[int, float], ...] = LIMITS) -> None:
        self._windows = [FixedWindow(most, seconds) for most, seconds in limits]

    def __len__(self) -> int:
        """Counts that are kept."""
        return sum(len(window) for window in self._windows)

    def check(self, address: str, account: str = "", browser: str = "") -> None:
        """Raises TooManyAttempts, with the seconds until the next try may succeed. Without
        ``account`` only the address counts; of a ``browser`` that is known nothing but its own."""
        wait = max(window.wait(key) for window, key in self._pairs(address, account, browser))
        if wait > 0:
            raise TooManyAttempts(ceil(max(wait, 1.0)))

    def failed(self, address: str, account: str = "", browser: str = "") -> None:
        """Count one failure."""
        for window, key in self._pairs(address, account, browser):
            window.add(key)

    def forgive(self, address: str, account: str) -> None:
        """Count anew, from this address and at this account."""
        for window, key in self._pairs(address, account, ""):
            window.forget(key)

    def _pairs(self, address: str, account: str, browser: str) -> list[tuple[FixedWindow, Key]]:
        keys = [("address", _network(address))]
        if browser:
            keys = [("browser", _digest(browser))]
        elif account:
            keys.append(("account", _digest(account)))
        full = len(self) >= MAX_KEYS
        return [(w, _bounded(key, w, full)) for w in self._windows for key in keys]


def _bounded(key: Key, window: FixedWindow, full: bool) -> Key:
    if key in window or not full:
        return key
    return (key[0], f"other-{crc32(key[1].encode()) % OVERFLOW}")


def _network(address: str) -> str:
    """An IPv6 guest has a whole /64 of addresses to guess from; they count as one. A guest of IPv4
    is the same where the server listens on both (RFC 4291, 2.5.5.2)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return _digest(address)
    if isinstance(ip, ipaddress.IPv6Address):
        mapped = ip.ipv4_mapped
        return str(mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def _digest(text: str) -> str:
    """A short key of fixed size, whatever was typed."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
