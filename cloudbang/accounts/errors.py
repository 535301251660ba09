"""What can go wrong between a person and their account."""

from __future__ import annotations

from datetime import UTC, datetime

from cloudbang.accounts.permissions import Permission, least_role_with
from cloudbang.errors import CloudBangError


class AccountError(CloudBangError):
    """Base of this area's errors."""


class NotSignedIn(AccountError):
    """No login and no token came with the request, or what came is no longer good."""

    code = "not-signed-in"
    status = 401
    title = "Not signed in"
    sentence = "this needs an account: sign in, or send an API token as a Bearer token"


class TokenEnded(AccountError):
    """The API token that came was good until its end. ``ended_at`` as people read it, in UTC."""

    code = "token-ended"
    status = 401
    title = "The token has ended"
    sentence = (
        "the API token {name} ended at {ended_at}: give it a new secret in the settings, or make "
        "another one"
    )

    def __init__(self, name: str, ended_at: int) -> None:
        self.name, self.ended_at = name, _moment(ended_at)
        super().__init__(name, ended_at)


class TokenReplaced(TokenEnded):
    """The token has another secret by now, and the one that came was good for a while longer."""

    code = "token-replaced"
    title = "The token has another secret"
    sentence = (
        "the API token {name} was given a new secret, and the old one worked until {ended_at}: "
        "use the new one"
    )


class AccountEnded(AccountError):
    """The account was switched off, or its time is over. Only who has its password, or a token of
    it, is told."""

    code = "account-ended"
    status = 403
    title = "The account is switched off"
    sentence = "the account {name} is switched off since {ended_at}: ask an admin to switch it on"

    def __init__(self, name: str, ended_at: int) -> None:
        self.name, self.ended_at = name, _moment(ended_at)
        super().__init__(name, ended_at)


class Unauthorised(AccountError):
    """The account is good but may not do this."""

    code = "not-allowed"
    status = 403
    title = "Not allowed"
    sentence = "only an account with the role {role} may do this"

    def __init__(self, permission: Permission) -> None:
        self.permission = permission
        self.role = least_role_with(permission)
        super().__init__(permission)


class WrongPassword(AccountError):
    """The name, the password or both are wrong; which of them is not said on purpose."""

    code = "wrong-password"
    status = 401
    title = "Wrong name or password"
    sentence = "the name or the password is wrong"


class TooManyAttempts(AccountError):
    """Too many wrong guesses from this address or at this account."""

    code = "too-many-attempts"
    status = 429
    title = "Too many attempts"
    sentence = (
        "too many failed attempts: wait {retry_after} seconds, then try again, or set a password "
        "with python -m cloudbang user passwd on the server, which lets its owner in at once"
    )

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(retry_after)


class TooBusy(AccountError):
    """So many passwords wait to be checked that another one would wait too long."""

    code = "too-busy"
    status = 503
    title = "Too busy"
    sentence = "too many people sign in at this moment: try again in {retry_after} seconds"
    retry_after = 5

    def __init__(self) -> None:
        self.retry_after = 5
        super().__init__()


class WrongSetupToken(AccountError):
    """The set-up token is not the one that this start printed."""

    code = "wrong-setup-token"
    status = 403
    title = "Wrong set-up token"
    sentence = (
        "this is not the set-up token of this start: open the address that the server printed, "
        "or read the token in {path}"
    )

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)


class AlreadySetUp(AccountError):
    """Somebody has set up this installation; it happens once."""

    code = "already-set-up"
    status = 409
    title = "Set up already"
    sentence = "CloudBang is set up already: sign in, or ask an admin for an account"


class NameTaken(AccountError):
    """Another account has this name, perhaps in other letters' case."""

    code = "name-taken"
    status = 409
    title = "The name is taken"
    sentence = "there is an account named {name} already: choose another name"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


class TeamNameTaken(NameTaken):
    """Another team has this name, perhaps in other letters' case."""

    sentence = "there is a team named {name} already: choose another name"


class SearchNameTaken(NameTaken):
    """Another search of the same person has this name."""

    sentence = "you have a search named {name} already: choose another name"


class NoSuchMark(AccountError):
    """There is no such mark, or it is somebody else's."""

    code = "no-such-mark"
    status = 404
    title = "No such mark"
    sentence = "you have no mark {id}: it was deleted"

    def __init__(self, id: int) -> None:
        self.id = id
        super().__init__(id)


class NoSuchSearch(AccountError):
    """There is no such saved search, or it is somebody else's."""

    code = "no-such-search"
    status = 404
    title = "No such search"
    sentence = "you have no saved search {id}: it was deleted"

    def __init__(self, id: int) -> None:
        self.id = id
        super().__init__(id)


class TooManyKept(AccountError):
    """Somebody keeps as many as one may."""

    code = "too-many-kept"
    status = 409
    title = "Too many"
    sentence = "there are {limit}, and no more are allowed: delete one first"

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(limit)


class TeamInUse(AccountError):
    """A team is deleted when nothing is left of it. ``count``: its apps, None for the team that every
    installation has."""

    code = "team-in-use"
    status = 409
    title = "The team is in use"
    sentence = "the team {team} still has {count} apps: delete them first, also those that are gone"
    variants = {  # noqa: RUF012
        ("count", None): "the team {team} is there for good: the installation is its"
    }

    def __init__(self, team: str, count: int | None) -> None:
        self.team, self.count = team, count
        super().__init__(team, count)


class UnknownAccount(AccountError):
    """There is no such account, login or token (or it is not the asker's)."""

    code = "not-found"
    status = 404
    title = "Nothing here"
    sentence = "there is no {what} {name}"

    def __init__(self, what: str, name: object) -> None:
        self.what, self.name = what, name
        super().__init__(what, name)


class UnknownTeam(AccountError):
    """There is no such team."""

    code = "not-found"
    status = 404
    sentence = "there is no team {team}"

    def __init__(self, team: str) -> None:
        self.team = team
        super().__init__(team)


class LastAdmin(AccountError):
    """Without its last admin nobody could manage this installation any more."""

    code = "last-admin"
    status = 409
    title = "The last admin"
    sentence = (
        "{name} is the last admin whose account has no end: make another account an admin first"
    )

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
