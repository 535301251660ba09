"""The links that a session is shown to others with: a key each, to watch or to type as well."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from cloudbang.domain.terminals import Mode
from cloudbang.errors import LinkUsed
from cloudbang.storage.database.terminals import Owner


@dataclass(slots=True)
class ShareLink:
    """What a key opens. ``once``: only for the first who comes with it, as often as they like."""

    key: str
    mode: Mode
    once: bool = False
    taken_by: Owner | None = None


class Links:
    """The links of all sessions: one for each mode at most."""

    def __init__(self) -> None:
        self._links: dict[str, list[ShareLink]] = {}

    def make(self, session: str, mode: Mode, once: bool = False) -> str:
        """A fresh key; an older one of that mode is void."""
        key = secrets.token_urlsafe(18)
        self.void(session, (mode,))
        self._links.setdefault(session, []).append(ShareLink(key, mode, once))
        return key

    def void(self, session: str, modes: Iterable[Mode]) -> None:
        """These keys open nothing any more."""
        gone = set(modes)
        kept = [link for link in self._links.get(session, ()) if link.mode not in gone]
        if kept:
            self._links[session] = kept
        else:
            self._links.pop(session, None)

    def open(self, session: str, key: str, comes: Owner) -> Mode | None:
        """What the key lets this person do, None for nothing. Raises LinkUsed."""
        for link in self._links.get(session, ()):
            if key and hmac.compare_digest(link.key.encode(), key.encode()):
                if link.once and link.taken_by not in (None, comes):
                    raise LinkUsed(session)
                link.taken_by = comes
                return link.mode
        return None
