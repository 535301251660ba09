"""One request to an address that somebody has named: checked, bounded, and nowhere else.

The name is resolved once and the address that was looked at is the one that is dialled, so a name
that changes its address in between leads nowhere. Redirects are not followed, proxies of the
environment not asked, and of the reply little is read.
"""

from __future__ import annotations

import http.client
import ipaddress
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent import get_hub, socket

from cloudbang.core.bounded_file import bounded
from cloudbang.core.threads import in_thread
from cloudbang.deploy.addresses import embedded, is_inside

WITHIN = 10.0  # seconds for all of it
REPLY = 16 * 1024  # bytes of a reply that are read
SAYS = 512 * 1024  # bytes that may come in all, with what nobody reads
EACH = 4.0  # seconds until the next address of a host is tried
MOST_ADDRESSES = 8  # of a host that are tried
AGENT = "CloudBang"

Resolve = Callable[[str, int], list[str]]


class NotSent(Exception):
    """Nothing came of it. The sentence says why, in English; it holds nothing of the address but its
    host."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    retry_after: float | None
    location: str = ""


def resolved(host: str, port: int) -> list[str]:
    """Every address of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def addresses_of(host: str, port: int, private: bool, resolve: Resolve = resolved) -> list[str]:
    """Those to dial. ``private``: whether they may be on a private network or this machine; the
    metadata of a cloud and a link's own addresses they never are. Raises NotSent."""
    try:
        addresses = resolve(host.strip("[]"), port)
    except (OSError, UnicodeError):
        raise NotSent(f"{host} has no address: check the name") from None
    if not addresses:
        raise NotSent(f"{host} has no address: check the name")
    # One that is refused is enough: who controls the name chooses which comes first.
    for address in addresses:
        if not _is_allowed(address, private):
            raise NotSent(
                f"{host} leads to {address}, on this machine or a private network: an administrator "
                "can allow that for this receiver"
            )
    return list(dict.fromkeys(addresses))[:MOST_ADDRESSES]


def dial(addresses: Sequence[str], port: int, within: float) -> socket.socket:
    """Connected to the first of them that answers: one that is down, or a network of the new kind that
    leads nowhere, costs no message while another is well. Raises OSError."""
    assert addresses
    last = len(addresses) - 1
    for n, address in enumerate(addresses):
        try:
            return socket.create_connection((address, port), within if n == last else EACH)
        except OSError:
            if n == last:
                raise
    raise AssertionError


_GLOBAL = ipaddress.IPv6Network("2000::/3")  # all that is given to anybody


def _is_allowed(address: str, private: bool) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if private:
        return ip.is_loopback or not is_inside(address)
    return not is_inside(address) and _plainly_global(ip)


def _plainly_global(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inner = embedded(ip)
    if inner is None and isinstance(ip, ipaddress.IPv6Address):
        return ip.is_global and ip in _GLOBAL and ip.teredo is None
    return (inner or ip).is_global


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    private: bool = False,
    method: str = "POST",
    resolve: Resolve = resolved,
    within: float = WITHIN,
) -> Reply:
    """Raises NotSent."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise NotSent("its address cannot be read") from None
    if parts.scheme not in ("https", "http") or not host:
        raise NotSent("its address has to begin with https:// or http://")
    port = port or (443 if parts.scheme == "https" else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    limit = gevent.Timeout(within)
    try:
        with limit:
            addresses = addresses_of(host, port, private, resolve)
            made = _Https if parts.scheme == "https" else _Http
            connection = made(host, port, timeout=within)
            connection.addresses = addresses
            try:
                sent = {"User-Agent": AGENT, "Connection": "close", **headers}
                connection.request(method, path, body or None, sent)
                answer = connection.getresponse()
                return Reply(
                    answer.status,
                    answer.read(REPLY),
                    _retry_after(answer.getheader("Retry-After", "")),
                    _host_of(answer.getheader("Location", "")),
                )
            finally:
                connection.close()
    except gevent.Timeout as e:
        if e is not limit:
            raise
        raise NotSent(f"{host} did not answer within {within:g} s") from None
    except ssl.SSLError as e:
        raise NotSent(f"{host} has no valid certificate ({why_tls(e)})") from None
    except (OSError, http.client.HTTPException, UnicodeError, ValueError) as e:
        raise NotSent(f"{host} could not be asked ({type(e).__name__}: {_why(e)})") from None


class _Answer(http.client.HTTPResponse):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fp = bounded(self.fp, SAYS)


class _Http(http.client.HTTPConnection):
    """Dials the addresses that were looked at; the name goes into Host and SNI."""

    addresses: Sequence[str] = ()
    response_class = _Answer

    def connect(self) -> None:
        self.sock = dial(self.addresses, self.port, self.timeout or WITHIN)


class _Https(http.client.HTTPSConnection):
    addresses: Sequence[str] = ()
    response_class = _Answer

    def connect(self) -> None:
        plain = dial(self.addresses, self.port, self.timeout or WITHIN)
        try:
            self.sock = tls().wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


@cache
def tls() -> ssl.SSLContext:
    """Made once, in a thread: it reads all authorities there are."""
    return in_thread(get_hub().threadpool, ssl.create_default_context)


def why_tls(error: ssl.SSLError) -> str:
    """What is wrong with a certificate, in the words of who looked at it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.reason or "TLS failed"


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or "no reason given")[:100]


def _host_of(location: str) -> str:
    try:
        return urlsplit(location).hostname or ""
    except ValueError:
        return ""


def _retry_after(text: str | None) -> float | None:
    """Seconds, of either form that there is; of a date by the machine's own clock."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text.strip()[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError, OSError):
        return None
