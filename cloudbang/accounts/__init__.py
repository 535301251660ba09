"""People, passwords, logins, API tokens: who may do what.

===============  ==========================================================================
``service``      :class:`AccountService`: set-up, sign-in, accounts and their roles; the way in
``permissions``  what each role may do, and in which team somebody has it
``teams``        :class:`Teams`: made, with who is in them, deleted
``credentials``  what was handed out, a browser's login or an API token, and its end
``tokens``       :class:`Tokens`: made, given another secret, revoked
``passwords``    argon2id off the hub, at most two at a time
``throttle``     how often one may guess
``personal``     what people keep for themselves: marks, searches under a name
``models``       the values that travel: Account, Caller, Team, LoginInfo, TokenInfo
===============  ==========================================================================
"""

from cloudbang.accounts.errors import (
    AccountEnded,
    AlreadySetUp,
    LastAdmin,
    NameTaken,
    NotSignedIn,
    TeamInUse,
    TeamNameTaken,
    TooBusy,
    TooManyAttempts,
    Unauthorised,
    UnknownAccount,
    UnknownTeam,
    WrongPassword,
    WrongSetupToken,
)
from cloudbang.accounts.models import (
    Account,
    Caller,
    LoginInfo,
    Team,
    TokenEnd,
    TokenInfo,
    token_of,
)
from cloudbang.accounts.permissions import DEFAULT_TEAM, INSTALLATION, Permission, Role
from cloudbang.accounts.personal import Mark, Personal, SavedSearch
from cloudbang.accounts.service import AccountService

__all__ = [
    "DEFAULT_TEAM",
    "INSTALLATION",
    "Account",
    "AccountEnded",
    "AccountService",
    "AlreadySetUp",
    "Caller",
    "LastAdmin",
    "LoginInfo",
    "Mark",
    "NameTaken",
    "NotSignedIn",
    "Permission",
    "Personal",
    "Role",
    "SavedSearch",
    "Team",
    "TeamInUse",
    "TeamNameTaken",
    "TokenEnd",
    "TokenInfo",
    "TooBusy",
    "TooManyAttempts",
    "Unauthorised",
    "UnknownAccount",
    "UnknownTeam",
    "WrongPassword",
    "WrongSetupToken",
    "token_of",
]
