"""How often one may guess: per address and per account, whatever comes first.

Only failures count, so a machine that signs in every minute is never in its own way. An account
is limited under the name that was typed, whether there is such an account or not.
"""

from __future__ import annotations

import hashlib
import ipaddress
import time
from math import ceil
from zlib import crc32

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from cloudbang.accounts.errors import TooManyAttempts

LIMITS = "10/minute;60/hour"
MAX_KEYS = 5_000  # policy: beyond it, what is new shares one of OVERFLOW counts; about 4 MB
OVERFLOW = 1_024  # so many that a flood from everywhere does not lock out everybody


class Throttle:
    """Counts failures in memory; a restart forgives."""

    def __init__(self, limits: str = LIMITS) -> None:
        self._storage = MemoryStorage()
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._limits = parse_many(limits)

    def check(self, address: str, account: str = "") -> None:
        """Raises TooManyAttempts, with the seconds until the next try may succeed. Without
        ``account`` only the address counts."""
        wait = 0.0
        for limit, key in self._pairs(address, account):
            if not self._limiter.test(limit, *key):
                reset = self._limiter.get_window_stats(limit, *key).reset_time
                wait = max(wait, reset - time.time(), 1.0)
        if wait:
            raise TooManyAttempts(ceil(wait))

    def failed(self, address: str, account: str = "") -> None:
        """Count one failure."""
        for limit, key in self._pairs(address, account):
            self._limiter.hit(limit, *key)

    def _pairs(self, address: str, account: str) -> list[tuple[RateLimitItem, tuple[str, str]]]:
        keys = [("address", _network(address))]
        if account:
            keys.append(("account", _digest(account)))
        return [(limit, self._bounded(limit, key)) for limit in self._limits for key in keys]

    def _bounded(self, limit: RateLimitItem, key: tuple[str, str]) -> tuple[str, str]:
        known = limit.key_for(*key) in self._storage.storage
        full = len(self._storage.storage) >= MAX_KEYS
        return key if known or not full else (key[0], f"other-{crc32(key[1].encode()) % OVERFLOW}")


def _network(address: str) -> str:
    """An IPv6 guest has a whole /64 of addresses to guess from; they count as one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return _digest(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def _digest(text: str) -> str:
    """A short key of fixed size, whatever was typed."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
