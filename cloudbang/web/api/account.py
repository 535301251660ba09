"""Set-up, signing in and out, and what people look after: passwords, logins, tokens, accounts."""

from __future__ import annotations

import time

from flask import Blueprint, Response, g, request

from cloudbang.accounts import INSTALLATION, Account, LoginInfo, TokenInfo, UnknownAccount
from cloudbang.accounts.models import checked_role
from cloudbang.accounts.permissions import greatest, lesser
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json, read_body
from cloudbang.web.api.schemas import account as shapes
from cloudbang.web.api.schemas.shapes import moment, moment_if
from cloudbang.web.pages.i18n import language
from cloudbang.web.security.authenticator import (
    address,
    authenticator,
    caller,
    csrf_token,
    needs,
    needs_person,
    open_to_all,
)
from cloudbang.web.security.cookies import delete_cookie, set_cookie
from cloudbang.web.services import services

bp = Blueprint("account", __name__, url_prefix="/api/v1")


@bp.post("/setup")
@open_to_all
@operation(body=shapes.SetUp, gives=shapes.Account, status=201)
def set_up() -> Response:
    """Make the first account and sign it in."""
    wanted = read_body(shapes.SetUp)
    account = services().accounts.set_up(wanted.token, wanted.username, wanted.password, address())
    answer = json(_account(account), 201)
    set_cookie(answer, _new_login(account.id), authenticator().proxies)
    return answer


@bp.post("/session")
@open_to_all
@operation(body=shapes.SignIn)
def sign_in() -> Response:
    """Sign in: the answer brings the session's cookie."""
    wanted = read_body(shapes.SignIn)
    browser = authenticator().known_browser(wanted.username)
    secret = services().accounts.sign_in(
        wanted.username, wanted.password, address(), _agent(), browser
    )
    if (before := g.get("caller")) is not None and before.by_cookie:
        services().accounts.credentials.end_login(before.login)
    answer = Response(status=204)
    set_cookie(answer, secret, authenticator().proxies)
    if not browser:
        authenticator().mark_browser(answer, wanted.username)
    return answer


@bp.delete("/session")
@needs_person()
@operation()
def sign_out() -> Response:
    """Sign out: end this session. An API token is not ended so: it is revoked."""
    services().accounts.credentials.end_login(caller().login)
    answer = Response(status=204)
    delete_cookie(answer)
    return answer


@bp.get("/me")
@operation(gives=shapes.Me)
def me() -> Response:
    """Who is asking."""
    who = caller()
    shown: shapes.Me = {
        "id": who.account_id,
        "username": who.name,
        "role": who.role,
        "session": who.login,
        "csrf_token": csrf_token(),
        "language": language(),
    }
    return json(shown)


@bp.post("/me/password")
@needs_person()
@operation(body=shapes.NewPassword)
def change_password() -> Response:
    """Change the own password; the account's other sessions end."""
    who = caller()
    wanted = read_body(shapes.NewPassword)
    services().accounts.change_password(
        _own_id(), wanted.old_password, wanted.new_password, address(), who.login
    )
    return Response(status=204)


@bp.get("/sessions")
@needs_person()
@operation(gives=shapes.Sessions)
def sessions() -> Response:
    """The own logins."""
    mine = services().accounts.credentials.logins_of(_own_id())
    return json({"sessions": [_login_json(one) for one in mine]})


@bp.delete("/sessions/<session_id>")
@needs_person()
@operation()
def end_session(session_id: str) -> Response:
    """End one of the own sessions."""
    services().accounts.credentials.end_login(session_id, _own_id())
    return Response(status=204)


@bp.get("/tokens")
@needs_person()
@operation(gives=shapes.Tokens)
def tokens() -> Response:
    """The own API tokens; an admin's list has those of the command line too."""
    found = services().accounts.tokens.of()
    return json(
        {"tokens": [_token(one) for one in found if _is_mine(one) or _is_of_the_house(one)]}
    )


@bp.post("/tokens")
@needs_person()
@operation(body=shapes.NewToken, gives=shapes.Token, status=201)
def create_token() -> Response:
    """Make an API token. Its secret is in this answer and never shown again."""
    who, owner = caller(), _own_id()
    wanted = read_body(shapes.NewToken)
    most = greatest(who.roles.values())
    # Nobody gives more than they have; in each team it is at most what they are there.
    role = lesser(checked_role(wanted.role), most) if wanted.role else most
    ends_at = wanted.moment(time.time())
    secret, made = services().accounts.tokens.create(wanted.name, role, owner, ends_at)
    return json({**_token(made), "token": secret}, 201)


@bp.post("/tokens/<token_id>/rotation")
@needs_person()
@operation(body=shapes.Rotation, gives=shapes.Token)
def rotate_token(token_id: str) -> Response:
    """Give one of the own API tokens another secret, which is in this answer and never shown again;
    an admin also those of the command line."""
    wanted = read_body(shapes.Rotation)
    known = _reachable(token_id)
    ends_at = wanted.moment(time.time())
    secret, changed = services().accounts.tokens.rotate(
        known.id, ends_at, again=not wanted.said, overlap=wanted.overlap
    )
    return json({**_token(changed), "token": secret})


@bp.delete("/tokens/<token_id>")
@needs_person()
@operation()
def revoke_token(token_id: str) -> Response:
    """Revoke one of the own API tokens; an admin also those of the command line."""
    services().accounts.tokens.revoke(_reachable(token_id).id)
    return Response(status=204)


@bp.get("/accounts")
@needs("manage", INSTALLATION)
@operation(gives=shapes.Accounts)
def accounts() -> Response:
    """Every account."""
    return json({"accounts": [_account(one) for one in services().accounts.list()]})


@bp.post("/accounts")
@needs("manage", INSTALLATION)
@needs_person(or_machine=True)
@operation(body=shapes.NewAccount, gives=shapes.Account, status=201)
def create_account() -> Response:
    """Make an account."""
    wanted = read_body(shapes.NewAccount)
    made = services().accounts.create(wanted.username, wanted.password, wanted.role)
    return json(_account(made), 201)


@bp.patch("/accounts/<int:account_id>")
@needs("manage", INSTALLATION)
@needs_person(or_machine=True)
@operation(body=shapes.AccountChange, gives=shapes.Account)
def change_account(account_id: int) -> Response:
    """Change what an account may do, give it a new password or an end, switch it off or on. Its
    sessions end where it may do less, with a new password, and with the account."""
    wanted = read_body(shapes.AccountChange)
    people = services().accounts
    if wanted.role is not None:
        people.set_role(account_id, wanted.role)
    if wanted.password is not None:
        people.set_password(account_id, wanted.password)
    if wanted.active is False:
        people.switch_off(account_id)
    elif wanted.active or wanted.said:
        people.set_end(account_id, wanted.moment(time.time()))
    return json(_account(people.get(account_id)))


@bp.delete("/accounts/<int:account_id>")
@needs("manage", INSTALLATION)
@needs_person(or_machine=True)
@operation()
def delete_account(account_id: int) -> Response:
    """Delete an account with its sessions and tokens."""
    services().accounts.delete(account_id)
    return Response(status=204)


def _own_id() -> int:
    """The account of a person who :func:`needs_person` let in."""
    mine = caller().account_id
    assert mine is not None, "a login is an account's"
    return mine


def _reachable(token_id: str) -> TokenInfo:
    """A token of the caller's, or of the house for who looks after that. Raises UnknownAccount."""
    known = {one.id: one for one in services().accounts.tokens.of()}.get(token_id)
    if known is None or not (_is_mine(known) or _is_of_the_house(known)):
        raise UnknownAccount("token", token_id[:40])
    return known


def _is_mine(token: TokenInfo) -> bool:
    return token.account_id is not None and token.account_id == caller().account_id


def _is_of_the_house(token: TokenInfo) -> bool:
    return token.account_id is None and caller().can("manage", INSTALLATION)


def _new_login(account_id: int) -> str:
    return services().accounts.credentials.open_login(account_id, address(), _agent())


def _agent() -> str:
    return request.headers.get("User-Agent", "")


def _account(account: Account) -> shapes.Account:
    return {
        "id": account.id,
        "username": account.name,
        "role": account.role,
        "created_at": moment(account.created_at),
        "signed_in_at": moment_if(account.signed_in_at),
        "active": account.ends_at is None or time.time() < account.ends_at,
        "ends_at": moment_if(account.ends_at),
    }


def _login_json(one: LoginInfo) -> shapes.Session:
    return {
        "id": one.id,
        "created_at": moment(one.created_at),
        "seen_at": moment(one.seen_at),
        "address": one.address,
        "agent": one.agent,
        "current": one.id == caller().login,
    }


def _token(one: TokenInfo) -> shapes.Token:
    return {
        "id": one.id,
        "name": one.name,
        "role": one.role,
        "own": one.account_id is not None,
        "created_at": moment(one.created_at),
        "seen_at": moment_if(one.seen_at),
        "address": one.address,
        "ends_at": moment_if(one.ends_at),
        "ended": one.ends_at is not None and time.time() >= one.ends_at,
        "old_ends_at": moment_if(one.old_ends_at),
    }
