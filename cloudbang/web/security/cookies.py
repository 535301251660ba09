"""The one cookie that counts: how it is read and how it is set."""

from __future__ import annotations

from flask import Request, Response, request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.http import parse_cookie
from werkzeug.utils import cached_property

from cloudbang.web.security.proxies import Environ, Proxies
from cloudbang.web.services import services

COOKIE = "cloudbang_session"


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


def is_secure(proxies: Proxies) -> bool:
    """Whether this request came over HTTPS, so that its cookie may be marked Secure."""
    settings = services().settings.server
    if settings.secure_cookies != "auto":
        return settings.secure_cookies == "always"
    return proxies.client_info(request.environ).scheme == "https"


def set_cookie(response: Response, secret: str, proxies: Proxies) -> None:
    """Give the browser its session: not for scripts, not for other sites."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(services().settings.session.lifetime_hours * 3600),
        httponly=True,
        samesite="Lax",
        secure=is_secure(proxies),
        path="/",
    )
