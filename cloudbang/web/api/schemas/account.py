"""Accounts, sessions, tokens."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from typing_extensions import TypedDict

from cloudbang.accounts.models import NAME_MAX, PASSWORD_MAX, checked_role
from cloudbang.accounts.tokens import OVERLAP, OVERLAP_MOST
from cloudbang.domain.lines import parse_time
from cloudbang.errors import BadRequest
from cloudbang.web.api.schemas.shapes import Body, Role, Time, one_of

# Longer than any that is good, so that what is too long is said by the area that knows.
NameAsked = Annotated[str, Field(max_length=4 * NAME_MAX)]
PasswordAsked = Annotated[str, Field(max_length=4 * PASSWORD_MAX)]
DAYS_MOST = 3650
RoleAsked = Annotated[str, AfterValidator(checked_role), one_of("admin", "viewer")]


class SetUp(Body):
    token: Annotated[str, Field(max_length=200)]
    username: NameAsked
    password: PasswordAsked


class SignIn(Body):
    username: NameAsked
    password: PasswordAsked


class NewPassword(Body):
    old_password: PasswordAsked
    new_password: PasswordAsked


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value if value is None else "…"  # which is no number, either
    try:
        return parse_time(value) // 1_000_000_000
    except ValueError:
        raise BadRequest("ends_at", value, "a time such as 2026-07-01T12:00:00Z") from None


DaysAsked = Annotated[int, Field(ge=1, le=DAYS_MOST)]
EndAsked = Annotated[
    int | None,
    BeforeValidator(_seconds),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
]
"""RFC 3339, null for never; as a value seconds since 1970."""


class Ending(Body):
    """When something ends: after so many ``days``, or at a moment; null there is never."""

    days: DaysAsked | None = None
    ends_at: EndAsked = None

    @property
    def said(self) -> bool:
        """Whether the body says it at all."""
        return self.days is not None or "ends_at" in self.model_fields_set

    def moment(self, now: float) -> int | None:
        """In seconds since 1970, None for never. Raises BadRequest for both at once."""
        if self.days is None:
            return self.ends_at
        if self.ends_at is not None:
            raise BadRequest("days", self.days, "left out where ends_at is given")
        return int(now) + self.days * 24 * 3600


class NewToken(Ending):
    """Without a role the maker's own; without ``days`` and ``ends_at`` it has no end."""

    name: NameAsked
    role: Annotated[
        str, AfterValidator(lambda role: role and checked_role(role)), one_of("admin", "viewer", "")
    ] = ""


class Rotation(Ending):
    """Without ``days`` and ``ends_at`` the new secret is good for as long as the one before was made
    for. That one is good for ``overlap`` seconds more, but not beyond its own end."""

    overlap: Annotated[int, Field(ge=0, le=OVERLAP_MOST)] = OVERLAP


class NewAccount(Body):
    username: NameAsked
    password: PasswordAsked
    role: RoleAsked = "viewer"


class AccountChange(Ending):
    """``active``: false switches it off from now on, true takes away its end; ``days`` and
    ``ends_at`` are an end to come, null none."""

    role: RoleAsked | None = None
    password: PasswordAsked | None = None
    active: bool | None = None


class Account(TypedDict):
    """``role`` is the one in the team ``default``, null without. From ``ends_at`` on it is not
    ``active``: nobody signs in by it, and its tokens are refused."""

    id: int
    username: str
    role: Role | None
    created_at: Time
    signed_in_at: Time | None
    active: bool
    ends_at: Time | None


class Accounts(TypedDict):
    accounts: list[Account]


class Session(TypedDict):
    id: str
    created_at: Time
    seen_at: Time
    address: str
    agent: str
    current: bool


class Sessions(TypedDict):
    sessions: list[Session]


class Token(TypedDict):
    """``token``: the secret, in the answer that made it and never again. From ``ends_at`` on it is
    refused (``ended``); after a rotation the secret before is good until ``old_ends_at``. ``address``:
    from where it was last used."""

    id: str
    name: str
    role: Role
    own: bool
    created_at: Time
    seen_at: Time | None
    address: str
    ends_at: Time | None
    ended: bool
    old_ends_at: Time | None
    token: NotRequired[str]


class Tokens(TypedDict):
    tokens: list[Token]


class Me(TypedDict):
    """``id`` is null for a program's token of the command line."""

    id: int | None
    username: str
    role: Role | None
    session: str
    csrf_token: str
    language: str
