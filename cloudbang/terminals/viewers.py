"""Those who look at one session: whose keyboard it is, and how large its window may be."""

from __future__ import annotations

from cloudbang.domain.terminals import Size
from cloudbang.terminals.participant import Participant


class Viewers:
    """See the module. ``keyboard`` is who typed last, or the owner; they set the pace."""

    __slots__ = ("keyboard", "members", "numbers", "size")

    def __init__(self, size: Size) -> None:
        self.members: list[Participant] = []
        self.keyboard: Participant | None = None
        self.numbers = 0  # members so far
        self.size = size

    def same_tab(self, one: Participant) -> list[Participant]:
        """Older connections of the tab that ``one`` is a connection of."""
        return [o for o in self.members if o.client == one.client and o.login == one.login]

    def add(self, one: Participant) -> None:
        """Somebody has come; the owner's newest page has the keyboard unless a guest types."""
        self.numbers += 1
        one.id = self.numbers
        self.members.append(one)
        if one.mode == "own" and (self.keyboard is None or self.keyboard.mode == "own"):
            self.keyboard = one

    def remove(self, one: Participant) -> bool:
        """Somebody has gone. Whether they had the keyboard; the next who may type has it then."""
        self.members.remove(one)
        if self.keyboard is not one:
            return False
        able = [other for other in self.members if other.may_type]
        self.keyboard = next((o for o in able if o.mode == "own"), able[0] if able else None)
        return True

    def take(self, one: Participant) -> None:
        """The keyboard is theirs."""
        if self.keyboard is not one:
            self.keyboard = one
            self.tell_people()

    def demote_guests(self) -> None:
        """Whoever types by a link does so no more."""
        own = next((o for o in self.members if o.mode == "own"), None)
        for other in self.members:
            if other.mode == "type":
                other.mode = "watch"
                other.peer.tell({"op": "mode", "mode": "watch"})
                if self.keyboard is other:
                    self.keyboard = own
        self.tell_people()

    def fit(self) -> Size | None:
        """The smallest window of all, when that has changed. All are told."""
        sizes = [one.size for one in self.members if one.size is not None]
        if not sizes:
            return None
        size = Size(min(s.columns for s in sizes), min(s.rows for s in sizes))
        if size == self.size:
            return None
        self.size = size
        for one in self.members:
            self.tell_size(one)
        return size

    def tell_size(self, one: Participant) -> None:
        """The size that all share, and whose windows it is the size of."""
        mine = self.size
        by = [
            other.id
            for other in self.members
            if (its := other.size) and (its.columns == mine.columns or its.rows == mine.rows)
        ]
        one.peer.tell({"op": "size", "columns": mine.columns, "rows": mine.rows, "by": by})

    def people(self) -> list[dict[str, object]]:
        return [one.as_json(one is self.keyboard) for one in self.members]

    def names(self) -> list[str]:
        """The accounts that look, each once."""
        return list(dict.fromkeys(one.account for one in self.members))

    def tell_people(self) -> None:
        """Tell everybody who is there."""
        people = self.people()
        for one in self.members:
            one.peer.tell({"op": "people", "people": people})

    def notice(self, code: str, message: str) -> None:
        """Tell everybody something in words."""
        for one in self.members:
            one.peer.tell({"op": "notice", "code": code, "message": message})
