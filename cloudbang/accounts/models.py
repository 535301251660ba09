"""The values that travel: who somebody is, what was handed out to them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from cloudbang.accounts.errors import Unauthorised
from cloudbang.accounts.permissions import (
    DEFAULT_TEAM,
    ROLES,
    Permission,
    Role,
    Roles,
    permissions_of,
)
from cloudbang.domain.names import is_team_name
from cloudbang.errors import BadRequest, NoSuchApp

NAME_MAX = 64  # characters
PASSWORD_MIN = 8  # characters
PASSWORD_MAX = 1024  # characters; the hash costs the same, the request does not

LAST_END = 221_845_392_000  # seconds since 1970: the year 9000


@dataclass(frozen=True, slots=True)
class Account:
    """A person. ``role`` is the one in the team ``default``, None without. Nobody signs in from
    ``ends_at`` on; None: it has no end. Moments in seconds since 1970."""

    id: int
    name: str
    role: Role | None
    created_at: int
    signed_in_at: int | None = None
    ends_at: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, settled once at the door and handed on.

    ``login`` names what was shown there, ``s12`` (a browser's login) or ``t3`` (an API
    token; ``t3.1`` by the second secret that it had): it is what :meth:`AccountService.listen`
    speaks of when it ends.
    """

    login: str
    account_id: int | None  # None: a token made on the command line
    name: str
    roles: Roles = field(hash=False)
    digest: bytes = field(repr=False)  # SHA-256 of the secret

    @property
    def by_cookie(self) -> bool:
        """Whether a browser sends this by itself, so that a change needs a CSRF token."""
        return self.login.startswith("s")

    @property
    def holder(self) -> str:
        """Whose share they use of what is shared out between accounts: the account's, or that of a
        token without one."""
        return token_of(self.login) if self.account_id is None else f"a{self.account_id}"

    @property
    def role(self) -> Role | None:
        """The role in the team ``default``."""
        return self.roles.get(DEFAULT_TEAM)

    def can(self, permission: Permission, team: str) -> bool:
        """Whether this caller may do that with what ``team`` owns."""
        return permission in permissions_of(self.roles.get(team))

    def teams(self, permission: Permission) -> frozenset[str]:
        """The teams with whose things this caller may do that."""
        return frozenset(team for team in self.roles if self.can(permission, team))

    def require(self, permission: Permission, team: str) -> None:
        """Raises Unauthorised unless the caller :meth:`can`."""
        if not self.can(permission, team):
            raise Unauthorised(permission)

    def require_app(self, app: str, team: str, permission: Permission = "view") -> None:
        """Raises NoSuchApp for who may not see the app, as if there were none; Unauthorised for
        who may see it but not do this."""
        if not self.can("view", team):
            raise NoSuchApp(app)
        self.require(permission, team)


@dataclass(frozen=True, slots=True)
class Member:
    """Who is in a team, and as what."""

    account_id: int
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Team:
    """``created_at``: in seconds since 1970, None for the one that every installation has; ``apps``:
    how many are its."""

    name: str
    created_at: int | None
    members: tuple[Member, ...]
    apps: int


@dataclass(frozen=True, slots=True)
class LoginInfo:
    """A browser's session, as its owner sees it. Moments in seconds since 1970."""

    id: str
    account_id: int
    created_at: int
    seen_at: int
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """An API token, without its secret. Moments in seconds since 1970; ``address`` is from where it
    was last used, "" when it was not or that is not known. Where it was given a new secret, the one
    before is good until ``old_ends_at``."""

    id: str
    account_id: int | None
    name: str
    role: Role
    created_at: int
    seen_at: int | None
    address: str = ""
    ends_at: int | None = None
    old_ends_at: int | None = None


@dataclass(frozen=True, slots=True)
class TokenEnd:
    """The end of a token that its owner has to know of. ``ends_at`` in seconds since 1970;
    ``refused``: it is over, and somebody still asked with it from that address."""

    id: str
    name: str
    ends_at: int
    refused: str = ""


def token_of(login: str) -> str:
    """Which token a login is of, whichever of its secrets was shown: "t3" of "t3.1". A browser's is
    what it is."""
    return login.partition(".")[0]


def checked_role(role: str) -> Role:
    """``role`` if it is one. Raises BadRequest."""
    for known in ROLES:
        if role == known:
            return known
    raise BadRequest("role", role, " or ".join(reversed(ROLES)))


def checked_team(name: str) -> str:
    """``name`` if a team may have it: it is a folder's, too. Raises BadRequest."""
    if not is_team_name(name):
        raise BadRequest("team", name, "1 to 64 letters, digits, '_' or '-'")
    return name


def checked_end(ends_at: int | None, now: int) -> int | None:
    """A moment from which on something is not good any more, in seconds since 1970. Raises
    BadRequest for one that has passed, or that no calendar has."""
    if ends_at is not None and not now < ends_at < LAST_END:
        raise BadRequest("ends_at", ends_at, "a time after now, and before the year 9000")
    return ends_at


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
