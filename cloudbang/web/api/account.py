"""Set-up, signing in and out, and what people look after: passwords, sessions, tokens, accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from flask import Blueprint, Response, g, request
from pydantic import BaseModel, Field

from cloudbang.accounts import INSTALLATION, Account, SessionInfo, TokenInfo, UnknownAccount
from cloudbang.accounts.models import NAME_MAX, PASSWORD_MAX, checked_role
from cloudbang.accounts.permissions import greatest, lesser
from cloudbang.errors import CloudBangError
from cloudbang.web.api.parsing import json, read_body
from cloudbang.web.pages.i18n import language
from cloudbang.web.security.authenticator import (
    address,
    authenticator,
    caller,
    csrf_token,
    needs,
    open_to_all,
)
from cloudbang.web.security.requests import COOKIE, is_secure, set_cookie
from cloudbang.web.services import services

bp = Blueprint("account", __name__, url_prefix="/api/v1")

# Longer than any that is good, so that what is too long is said by the part that knows.
Name = Annotated[str, Field(max_length=4 * NAME_MAX)]
Password = Annotated[str, Field(max_length=4 * PASSWORD_MAX)]


class SetUp(BaseModel):
    token: Annotated[str, Field(max_length=200)]
    username: Name
    password: Password


class SignIn(BaseModel):
    username: Name
    password: Password


class NewPassword(BaseModel):
    old_password: Password
    new_password: Password


class NewToken(BaseModel):
    name: Name
    role: str = ""


class NewAccount(BaseModel):
    username: Name
    password: Password
    role: str = "viewer"


class AccountChange(BaseModel):
    role: str | None = None
    password: Password | None = None


class NobodysToken(CloudBangError):
    """A program asks for what only a person has."""

    code = "not-allowed"
    status = 403
    title = "Not allowed"
    sentence = "a program's token has no account of its own: sign in for this"


@bp.post("/setup")
@open_to_all
def set_up() -> Response:
    """Make the first account and sign it in."""
    asked = read_body(SetUp)
    account = services().accounts.set_up(asked.token, asked.username, asked.password, address())
    answer = json(_account(account), 201)
    set_cookie(answer, _new_session(account.id), authenticator().proxies)
    return answer


@bp.post("/session")
@open_to_all
def sign_in() -> Response:
    """Sign in: the answer brings the session's cookie."""
    asked = read_body(SignIn)
    secret = services().accounts.sign_in(asked.username, asked.password, address(), _agent())
    if (before := g.get("caller")) is not None and before.by_cookie:
        services().accounts.credentials.end_session(before.session_id)
    answer = Response(status=204)
    set_cookie(answer, secret, authenticator().proxies)
    return answer


@bp.delete("/session")
def sign_out() -> Response:
    """End this session. An API token is not ended so: it is revoked. Raises NobodysToken."""
    who = caller()
    if not who.by_cookie:
        raise NobodysToken
    services().accounts.credentials.end_session(who.session_id)
    answer = Response(status=204)
    answer.delete_cookie(
        COOKIE, path="/", httponly=True, samesite="Lax", secure=is_secure(authenticator().proxies)
    )
    return answer


@bp.get("/me")
def me() -> Response:
    """Who is asking."""
    who = caller()
    return json(
        {
            "id": who.account_id,
            "username": who.name,
            "role": who.role,
            "session": who.session_id,
            "csrf_token": csrf_token(),
            "language": language(),
        }
    )


@bp.post("/me/password")
def change_password() -> Response:
    """Change the own password; the account's other sessions end."""
    who = caller()
    asked = read_body(NewPassword)
    services().accounts.change_password(
        _own_id(), asked.old_password, asked.new_password, address(), who.session_id
    )
    return Response(status=204)


@bp.get("/sessions")
def sessions() -> Response:
    """The own sessions."""
    mine = services().accounts.credentials.sessions_of(_own_id())
    return json({"sessions": [_session(one) for one in mine]})


@bp.delete("/sessions/<session_id>")
def end_session(session_id: str) -> Response:
    """End one of the own sessions."""
    services().accounts.credentials.end_session(session_id, _own_id())
    return Response(status=204)


@bp.get("/tokens")
def tokens() -> Response:
    """The own API tokens; an admin's list has those of the command line too."""
    found = services().accounts.credentials.tokens()
    return json(
        {"tokens": [_token(one) for one in found if _is_mine(one) or _is_of_the_house(one)]}
    )


@bp.post("/tokens")
def create_token() -> Response:
    """Make an API token. Its secret is in this answer and never shown again."""
    who, owner = caller(), _own_id()
    asked = read_body(NewToken)
    most = greatest(who.roles.values())
    # Nobody gives more than they have; in each team it is at most what they are there.
    role = lesser(checked_role(asked.role), most) if asked.role else most
    secret, made = services().accounts.credentials.create_token(asked.name, role, owner)
    return json({**_token(made), "token": secret}, 201)


@bp.delete("/tokens/<token_id>")
def revoke_token(token_id: str) -> Response:
    """Revoke one of the own API tokens; an admin also those of the command line."""
    credentials = services().accounts.credentials
    known = {one.id: one for one in credentials.tokens()}.get(token_id)
    if known is None or not (_is_mine(known) or _is_of_the_house(known)):
        raise UnknownAccount("token", token_id[:40])
    credentials.revoke_token(token_id)
    return Response(status=204)


@bp.get("/accounts")
@needs("manage", INSTALLATION)
def accounts() -> Response:
    """Every account."""
    return json({"accounts": [_account(one) for one in services().accounts.list()]})


@bp.post("/accounts")
@needs("manage", INSTALLATION)
def create_account() -> Response:
    """Make an account."""
    asked = read_body(NewAccount)
    made = services().accounts.create(asked.username, asked.password, asked.role)
    return json(_account(made), 201)


@bp.patch("/accounts/<int:account_id>")
@needs("manage", INSTALLATION)
def change_account(account_id: int) -> Response:
    """Change what an account may do, or give it a new password. Its sessions end where it may do
    less, and with a new password."""
    asked = read_body(AccountChange)
    people = services().accounts
    if asked.role is not None:
        people.set_role(account_id, asked.role)
    if asked.password is not None:
        people.set_password(account_id, asked.password)
    return json(_account(people.get(account_id)))


@bp.delete("/accounts/<int:account_id>")
@needs("manage", INSTALLATION)
def delete_account(account_id: int) -> Response:
    """Delete an account with its sessions and tokens."""
    services().accounts.delete(account_id)
    return Response(status=204)


def _own_id() -> int:
    """The caller's account. Raises NobodysToken."""
    who = caller()
    if who.account_id is None:
        raise NobodysToken
    return who.account_id


def _is_mine(token: TokenInfo) -> bool:
    return token.account_id is not None and token.account_id == caller().account_id


def _is_of_the_house(token: TokenInfo) -> bool:
    return token.account_id is None and caller().can("manage", INSTALLATION)


def _new_session(account_id: int) -> str:
    return services().accounts.credentials.open_session(account_id, address(), _agent())


def _agent() -> str:
    return request.headers.get("User-Agent", "")


def _time(seconds: int | None) -> str | None:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}" if seconds else None


def _account(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "username": account.name,
        "role": account.role,
        "created_at": _time(account.created_at),
        "signed_in_at": _time(account.signed_in_at),
    }


def _session(one: SessionInfo) -> dict[str, object]:
    return {
        "id": one.id,
        "created_at": _time(one.created_at),
        "seen_at": _time(one.seen_at),
        "address": one.address,
        "agent": one.agent,
        "current": one.id == caller().session_id,
    }


def _token(one: TokenInfo) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "role": one.role,
        "own": one.account_id is not None,
        "created_at": _time(one.created_at),
        "seen_at": _time(one.seen_at),
    }
