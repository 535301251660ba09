"""Who may do what with a terminal: decided here for calls and sockets.

Opening one needs the permission ``terminal`` in the app's team. What was opened belongs to its
account (a token without an account: to that token); who manages the team may see and end it, and
nobody else learns that it exists.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloudbang.accounts import Caller, Permission
from cloudbang.accounts.errors import AccountError
from cloudbang.domain.apps import App, Instance
from cloudbang.domain.names import is_container_id
from cloudbang.errors import NoSuchApp, NoSuchContainer, NoSuchTerminal
from cloudbang.node.inventory import Inventory
from cloudbang.storage.database.terminals import TerminalRecord
from cloudbang.terminals.admission import is_owner, is_owner_of
from cloudbang.web.security.access import Apps, require_app

if TYPE_CHECKING:
    from cloudbang.terminals.registry import Terminals
    from cloudbang.terminals.session import Session

_SESSION = re.compile(r"[0-9a-f]{16}")


class NotYourTerminal(AccountError):
    """Seen, but not the asker's."""

    code = "not-allowed"
    status = 403
    title = "Not allowed"
    sentence = "only who opened this terminal may do this"


class MayNotType(AccountError):
    """A file in a container is as good as a key on its keyboard."""

    code = "not-allowed"
    status = 403
    title = "Not allowed"
    sentence = "only who may type in this terminal may do this"


def require_container(
    caller: Caller, name: str, permission: Permission, inventory: Inventory, apps: Apps
) -> tuple[App, Instance]:
    """A container by its id (12 or 64 hex digits) or its name, and its app, when ``caller`` may
    do that with it. Raises NoSuchContainer, Unauthorised, EngineUnreachable, EngineRefused."""
    found = _known(name, inventory)
    if found is None and is_container_id(name):
        # Started a moment ago perhaps. The engine also takes a name for what it is given.
        found = inventory.refresh(name)
        found = found if found is not None and found.id.startswith(name) else None
    if found is None:
        raise NoSuchContainer(name[:64])
    try:
        return require_app(caller, found.app, permission, apps), found
    except NoSuchApp:
        # Who may not see it does not learn that it exists.
        raise NoSuchContainer(name[:64]) from None


def can_view_terminal(caller: Caller, one: Session | TerminalRecord) -> bool:
    """Whether a terminal, running or ended, is in the lists that ``caller`` is shown.

    The app is asked for again: access may have been taken since.
    """
    if isinstance(one, TerminalRecord):
        own, team = is_owner_of(one, caller), one.team
    else:
        own, team = is_owner(one, caller), one.target.team
    return caller.can("view", team) and (own or caller.can("manage", team))


def checked_id(session: str) -> str:
    """``session`` when it can be the id of one. Raises NoSuchTerminal."""
    if not _SESSION.fullmatch(session):
        raise NoSuchTerminal(session[:16])
    return session


def see_live(caller: Caller, session: str, terminals: Terminals) -> Session:
    """A running terminal that ``caller`` may see. Raises NoSuchTerminal."""
    found = terminals.get(checked_id(session))
    if not can_view_terminal(caller, found):
        raise NoSuchTerminal(session)
    return found


def own_live(caller: Caller, session: str, terminals: Terminals) -> Session:
    """A running terminal of the caller's own. Raises NoSuchTerminal, NotYourTerminal."""
    found = see_live(caller, session, terminals)
    if not is_owner(found, caller):
        raise NotYourTerminal
    return found


def typing_in(caller: Caller, session: str, terminals: Terminals) -> Session:
    """A running terminal in which the caller may type: its owner, or a guest who came by a link
    to type and is there now. Raises NoSuchTerminal, MayNotType."""
    found = terminals.get(checked_id(session))
    if found.ended is not None:
        raise NoSuchTerminal(session)
    here = [one for one in found.participants if one.login == caller.login]
    if not here and not can_view_terminal(caller, found):
        raise NoSuchTerminal(session)
    if not is_owner(found, caller) and not any(one.may_type for one in here):
        raise MayNotType
    return found


def _known(name: str, inventory: Inventory) -> Instance | None:
    if is_container_id(name):
        return inventory.instance(name)
    return next((one for one in inventory.instances() if one.name == name), None)
