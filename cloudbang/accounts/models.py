"""The values that travel: who somebody is, what was handed out to them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Literal

from cloudbang.errors import BadRequest, NoSuchApp

Role = Literal["admin", "viewer"]
ROLES: tuple[Role, ...] = ("viewer", "admin")  # from the least to the most

NAME_MAX = 64  # characters
PASSWORD_MIN = 8  # characters
PASSWORD_MAX = 1024  # characters; the hash costs the same, the request does not


@dataclass(frozen=True, slots=True)
class Account:
    """A person. Moments in seconds since 1970."""

    id: int
    name: str
    role: Role
    created_at: int
    signed_in_at: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, settled once at the door and handed on.

    ``session_id`` names what was shown there, ``s12`` (a browser's session) or ``t3`` (an API
    token): it is what :meth:`AccountService.listen` speaks of when it ends.
    """

    session_id: str
    account_id: int | None  # None: a token made on the command line
    name: str
    role: Role
    digest: bytes = field(repr=False)  # SHA-256 of the secret
    teams: frozenset[str] = frozenset({"default"})

    @property
    def by_cookie(self) -> bool:
        """Whether a browser sends this by itself, so that a change needs a CSRF token."""
        return self.session_id.startswith("s")

    def may(self, role: Role) -> bool:
        """Whether this caller may do what ``role`` may."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A browser's session, as its owner sees it. Moments in seconds since 1970."""

    id: str
    account_id: int
    created_at: int
    seen_at: int
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """An API token, without its secret. Moments in seconds since 1970."""

    id: str
    account_id: int | None
    name: str
    role: Role
    created_at: int
    seen_at: int | None


def authorise_app(caller: Caller, app: str, team: str = "default") -> None:
    """The one place where access to an app, its lines and its containers is decided.

    Raises NoSuchApp: who may not see an app does not learn that it exists.
    """
    if team not in caller.teams:
        raise NoSuchApp(app)


def lesser(one: Role, other: Role) -> Role:
    """The role that may less."""
    return min(one, other, key=ROLES.index)


def checked_role(role: str) -> Role:
    """``role`` if it is one. Raises BadRequest."""
    for known in ROLES:
        if role == known:
            return known
    raise BadRequest("role", role, " or ".join(reversed(ROLES)))


def clean_name(name: str, what: str = "username") -> str:
    """A name as it is kept. Raises BadRequest."""
    kept = unicodedata.normalize("NFKC", name).strip()
    if not 1 <= len(kept) <= NAME_MAX or not kept.isprintable():
        raise BadRequest(what, name, f"1 to {NAME_MAX} printable characters")
    return kept


def name_key(name: str) -> str:
    """A name as it is compared: Ada and ada are the same person."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def checked_password(password: str, name: str = "password") -> str:
    """``password`` if it may be one. Raises BadRequest, without the password in it."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise BadRequest(name, "…", f"{PASSWORD_MIN} to {PASSWORD_MAX} characters")
    return password
