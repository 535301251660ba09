"""Accounts, sessions, tokens."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from cloudbang.accounts.models import NAME_MAX, PASSWORD_MAX, checked_role
from cloudbang.web.api.schemas.shapes import Body, Role, Time, one_of

# Longer than any that is good, so that what is too long is said by the area that knows.
NameAsked = Annotated[str, Field(max_length=4 * NAME_MAX)]
PasswordAsked = Annotated[str, Field(max_length=4 * PASSWORD_MAX)]
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


class NewToken(Body):
    """Without a role the maker's own."""

    name: NameAsked
    role: Annotated[
        str, AfterValidator(lambda role: role and checked_role(role)), one_of("admin", "viewer", "")
    ] = ""


class NewAccount(Body):
    username: NameAsked
    password: PasswordAsked
    role: RoleAsked = "viewer"


class AccountChange(Body):
    role: RoleAsked | None = None
    password: PasswordAsked | None = None


class Account(TypedDict):
    """``role`` is the one in the team ``default``, null without."""

    id: int
    username: str
    role: Role | None
    created_at: Time
    signed_in_at: Time | None


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
    """``token``: the secret, in the answer that made it and never again."""

    id: str
    name: str
    role: Role
    own: bool
    created_at: Time
    seen_at: Time | None
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
