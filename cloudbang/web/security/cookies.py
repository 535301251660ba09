"""The one cookie that counts, how it is read and how it is set; and one that marks a browser."""

from __future__ import annotations

import base64
import hmac
import secrets

from flask import Request, Response, request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.http import parse_cookie
from werkzeug.utils import cached_property

from cloudbang.accounts.models import name_key
from cloudbang.web.security.proxies import Environ, Proxies
from cloudbang.web.services import services

COOKIE = "cloudbang_session"
HOST_COOKIE = f"__Host-{COOKIE}"  # the same over HTTPS
MOST = 8  # cookies of one name that are tried
KNOWN, KNOWN_AT = "cloudbang_known", "/api/v1/session"
KNOWN_FOR = 365 * 24 * 3600  # seconds


def cookies_of(environ: Environ) -> ImmutableMultiDict[str, str]:
    """The cookies of a request. Bytes that are not UTF-8, perhaps of another program on the same
    host, spoil their own cookie and not the request."""
    raw = str(environ.get("HTTP_COOKIE", "")).encode("latin-1", "replace")
    clean = raw.decode("utf-8", "replace").encode().decode("latin-1")
    return ImmutableMultiDict(parse_cookie(clean))


class CloudBangRequest(Request):
    """Flask's request, with :func:`cookies_of`."""

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        return cookies_of(self.environ)


def login_secrets(environ: Environ) -> list[str]:
    """What may be the secret of a login, the likeliest first. Another port or a neighbouring name
    can set a cookie of our name as well: it must not hide the person's own. Only we, over HTTPS,
    can set one whose name begins with ``__Host-`` (RFC 6265bis, 4.1.3.2)."""
    cookies = cookies_of(environ)
    found = [*cookies.getlist(HOST_COOKIE), *cookies.getlist(COOKIE)]
    return found[:MOST]


def is_secure(proxies: Proxies) -> bool:
    """Whether this request came over HTTPS, so that its cookie may be marked Secure: as it, or a
    proxy that is trusted, or the settings say."""
    settings = services().settings.server
    if settings.secure_cookies != "auto":
        return settings.secure_cookies == "always"
    https = settings.public_url.lower().startswith("https:")
    return https or proxies.client_info(request.environ).scheme == "https"


def set_cookie(response: Response, secret: str, proxies: Proxies) -> None:
    """Give the browser its session: not for scripts, not for other sites."""
    secure = is_secure(proxies)
    response.set_cookie(
        HOST_COOKIE if secure else COOKIE,
        secret,
        max_age=int(services().settings.session.lifetime_hours * 3600),
        httponly=True,
        samesite="Lax",
        secure=secure,
        path="/",
    )


def delete_cookie(response: Response) -> None:
    """Take it away again, by whichever name it came."""
    for name in (HOST_COOKIE, COOKIE):
        if name in request.cookies:
            secure = name == HOST_COOKIE
            response.delete_cookie(name, path="/", httponly=True, samesite="Lax", secure=secure)


def known_browser(environ: Environ, name: str, key: bytes) -> str:
    """What marks a browser that has signed in to the account ``name`` before; "" when it has not.
    ``key`` is the installation's. Lets nobody in: its wrong guesses are counted by themselves, so
    that those of strangers do not keep a person out."""
    for shown in cookies_of(environ).getlist(KNOWN)[:MOST]:
        mark, _, proof = shown.partition(".")
        if mark and hmac.compare_digest(proof.encode(), _proof(mark, name, key).encode()):
            return mark
    return ""


def mark_browser(response: Response, name: str, key: bytes, proxies: Proxies) -> None:
    """Remember that this browser has signed in to the account ``name``."""
    mark = secrets.token_urlsafe(12)
    response.set_cookie(
        KNOWN,
        f"{mark}.{_proof(mark, name, key)}",
        max_age=KNOWN_FOR,
        httponly=True,
        samesite="Lax",
        secure=is_secure(proxies),
        path=KNOWN_AT,
    )


def _proof(mark: str, name: str, key: bytes) -> str:
    text = f"browser {mark} {name_key(name)}".encode("utf-8", "replace")
    return base64.urlsafe_b64encode(hmac.digest(key, text, "sha256")).decode().rstrip("=")
