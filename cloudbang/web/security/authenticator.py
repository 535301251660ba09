"""Every route is closed unless it says that it is open.

A browser shows its session in a cookie and, for each change, a CSRF token; a program shows an API
token as ``Authorization: Bearer …`` and needs no CSRF token, since no browser sends that by
itself. Sockets are asked the same before Flask sees them (:meth:`Authenticator.authenticate_socket`).
"""

from __future__ import annotations

import base64
import functools
import hmac
import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, current_app, g, request
from flask.sessions import SessionInterface, SessionMixin
from flask.wrappers import Request, Response

from cloudbang.accounts import AccountService, Caller, NotSignedIn, Permission, Unauthorised
from cloudbang.core.notices import Notices
from cloudbang.domain.apps import App
from cloudbang.errors import CloudBangError
from cloudbang.web.pages.i18n import language_of
from cloudbang.web.security import access
from cloudbang.web.security.cookies import known_browser, login_secrets, mark_browser
from cloudbang.web.security.proxies import CrossSite, Environ, Proxies
from cloudbang.web.server.handshake import Refusal
from cloudbang.web.server.socket_handler import LANGUAGE
from cloudbang.web.services import services

CSRF_HEADER = "X-CSRF-Token"
SAID_FOR = 600.0  # seconds; nobody can see that a proxy was set right
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

View = TypeVar("View", bound=Callable[..., Any])


class WrongCsrfToken(CloudBangError):
    """A change with a session's cookie but without its CSRF token."""

    code = "csrf"
    status = 403
    title = "The page is out of date"
    sentence = "the page is out of date: load it again, then try once more"


class NeedsPerson(CloudBangError):
    """A program shows its token where it takes the person who signed in with a browser."""

    code = "not-allowed"
    status = 403
    title = "Not allowed"
    sentence = "a program's token may not do this: sign in with a browser for it"


def open_to_all(view: View) -> View:
    """Declare a view open: it works without an account. Few are, and a test knows them all."""
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def needs(permission: Permission, team: str | None = None) -> Callable[[View], View]:
    """Declare that a view is for who has this permission: in ``team``, or in any team at all where
    whose thing it is turns out later."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            held = caller().teams(permission)
            if not held if team is None else team not in held:
                raise Unauthorised(permission)
            return view(*args, **kwargs)

        return cast(View, checked)

    return decorate


def needs_person(*, or_machine: bool = False) -> Callable[[View], View]:
    """Declare that a view is for a person in their browser: what is theirs alone (password, logins,
    tokens). A token that leaks out of a program would else make another one, which outlives it, or
    sign its owner out. With ``or_machine`` a token without an account may, too: whoever has made
    one reads the disk anyway."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            who = caller()
            if not who.by_cookie and not (or_machine and who.account_id is None):
                raise NeedsPerson
            return view(*args, **kwargs)

        return cast(View, checked)

    return decorate


def caller() -> Caller:
    """Who asks. Raises NotSignedIn in a view that is open, when nobody is known."""
    found: Caller | None = g.get("caller")
    if found is None:
        raise NotSignedIn
    return found


def address() -> str:
    """The client's address, for the throttle and the list of sessions."""
    return authenticator().proxies.client_info(request.environ).address


def authenticator() -> Authenticator:
    """The authenticator of the application that serves this request."""
    return authenticator_of(current_app)


def authenticator_of(app: Flask) -> Authenticator:
    """That of an application; its ``authenticate_socket`` is what the sockets' routes ask."""
    return cast(Authenticator, app.extensions["cloudbang-authenticator"])


def require_app(name: str, permission: Permission = "view") -> App:
    """The app of this name, for whom this request is from: see :func:`access.require_app`.

    Every call that is about an app, its lines or its containers comes through here.
    """
    return access.require_app(caller(), name, permission, services().apps)


class Authenticator:
    """Finds out who asks and turns away who may not."""

    def __init__(
        self, accounts: AccountService, proxies: Proxies, key: bytes, notices: Notices
    ) -> None:
        self.proxies = proxies
        self._accounts = accounts
        self._notices = notices
        self._key = key

    def caller_of(self, environ: Environ) -> Caller | None:
        """Who asks: by Bearer token when there is one, else by the session's cookie."""
        if (token := _bearer(environ)) is not None:
            address = self.proxies.client_info(environ).address
            return self._accounts.credentials.find(token, address)
        found = map(self._accounts.credentials.find, login_secrets(environ))
        return next((who for who in found if who is not None), None)

    def why_not(self, environ: Environ) -> CloudBangError:
        """Why :meth:`caller_of` found nobody: most often they have shown nothing."""
        token = _bearer(environ)
        if token is None:
            return NotSignedIn()
        address = self.proxies.client_info(environ).address
        return self._accounts.credentials.why_not(token, address)

    def guard(self) -> None:
        """Runs before every request. Raises what the answer then says."""
        g.caller = who = self.caller_of(request.environ)
        changes = request.method not in SAFE
        if proxy := self.proxies.untrusted(request.environ):
            self._notices.begin(
                "proxy-untrusted",
                f"requests come through {proxy}, which is not in server.trusted_proxies: all who "
                "come through it count as one address, and their cookies are as over HTTP",
                setting="server.trusted_proxies",
                severity="warning",
                lasts=SAID_FOR,
            )
        if changes:
            self._check_origin(request.environ)
        if who is not None and who.by_cookie:
            g.csrf_token = self._csrf_of(who)
        if request.endpoint is None:
            return  # nothing there: Flask says so
        view = current_app.view_functions[request.endpoint]
        if request.endpoint == "static" or getattr(view, "open_to_all", False):
            return
        if who is None:
            raise self.why_not(request.environ)
        if changes and who.by_cookie:
            shown = _unmasked(request.headers.get(CSRF_HEADER, ""))
            if not hmac.compare_digest(shown, g.csrf_token):
                raise WrongCsrfToken

    def is_our_page(self, environ: Environ) -> bool:
        """Whether the page that opens a socket is this server's: asked before anything else."""
        try:
            self._check_origin(environ)
        except CrossSite:
            return False
        return True

    def _check_origin(self, environ: Environ) -> None:
        """Raises CrossSite; where a proxy is the likely reason, everybody is told."""
        try:
            self.proxies.check_origin(environ)
        except CrossSite:
            if self.proxies.hands_on_another_host(environ):
                self._notices.begin(
                    "proxy-host",
                    "a page of this server was taken for another site's: the proxy in front has to "
                    "hand on the Host that it was asked with (nginx: proxy_set_header Host "
                    "$http_host), or server.public_url has to be set",
                    setting="server.public_url",
                    severity="warning",
                    lasts=SAID_FOR,
                )
            raise

    def authenticate_socket(self, environ: dict[str, Any]) -> Caller | Refusal:
        """Who opens a socket, or why they may not: a route's ``authorize``. The sockets' own
        handler has compared Origin with Host before."""
        who = self.caller_of(environ)
        if who is None:
            error = self.why_not(environ)
            return Refusal(error.status, error.code, str(error))
        environ[LANGUAGE] = language_of(Request(environ))
        return who

    def known_browser(self, name: str) -> str:
        """What marks the browser that asks, when it has signed in to this account before."""
        return known_browser(request.environ, name, self._key)

    def mark_browser(self, answer: Response, name: str) -> None:
        """Remember that this browser has signed in to the account."""
        mark_browser(answer, name, self._key, self.proxies)

    def _csrf_of(self, who: Caller) -> bytes:
        """Belongs to the session and to this installation; ends with the session."""
        return hmac.digest(self._key, b"csrf" + who.digest, "sha256")


def _bearer(environ: Environ) -> str | None:
    """The API token that a program shows, None when it shows none."""
    shown = str(environ.get("HTTP_AUTHORIZATION", ""))
    return shown[7:].strip() if shown[:7].lower() == "bearer " else None


def csrf_token() -> str:
    """The CSRF token of this request's session, "" when it has none. For the page and for me.

    Written differently in each answer: answers are packed, and how small one gets would else tell
    how much of a guess that stands beside it in the page is right (BREACH).
    """
    return _masked(g.csrf_token) if "csrf_token" in g else ""


def _masked(token: bytes) -> str:
    pad = os.urandom(len(token))
    return base64.urlsafe_b64encode(pad + _xor(pad, token)).decode()


def _unmasked(text: str) -> bytes:
    """The token in what :func:`_masked` gave; of anything else something, or nothing."""
    try:
        both = base64.urlsafe_b64decode(text)
        return _xor(both[: len(both) // 2], both[len(both) // 2 :])
    except ValueError:
        return b""


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


class _Memory(dict[str, Any], SessionMixin):
    """What Flask calls the session: here nothing."""


class NoCookieSession(SessionInterface):
    """Keeps Flask from having a cookie of its own: the session lives on the server."""

    def open_session(self, app: Flask, request: Request) -> _Memory:
        return _Memory()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        pass
