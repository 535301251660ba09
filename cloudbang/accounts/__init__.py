"""People, passwords, sessions, API tokens: who may do what.

=============  ==========================================================================
``people``     :class:`AccountService`: set-up, sign-in, accounts and their roles; the way in
``credentials``     what was handed out, a browser's session or an API token, and its end
``passwords``  argon2id off the hub, at most two at a time
``throttle``   how often one may guess
``values``     the values that travel: Account, Caller, SessionInfo, TokenInfo
=============  ==========================================================================
"""

from cloudbang.accounts.errors import (
    AlreadySetUp,
    LastAdmin,
    NameTaken,
    NotSignedIn,
    TooBusy,
    TooManyAttempts,
    Unauthorised,
    UnknownAccount,
    WrongPassword,
    WrongSetupToken,
)
from cloudbang.accounts.models import Account, Caller, Role, SessionInfo, TokenInfo, authorise_app
from cloudbang.accounts.service import AccountService

__all__ = [
    "Account",
    "AccountService",
    "AlreadySetUp",
    "Caller",
    "LastAdmin",
    "NameTaken",
    "NotSignedIn",
    "Role",
    "SessionInfo",
    "TokenInfo",
    "TooBusy",
    "TooManyAttempts",
    "Unauthorised",
    "UnknownAccount",
    "WrongPassword",
    "WrongSetupToken",
    "authorise_app",
]
