"""What people keep for themselves, on whichever machine they sign in: marks, which are words in
colour, and searches under a name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote, urlencode

import orjson
import sqlalchemy as sa

from cloudbang.accounts.errors import NoSuchMark, NoSuchSearch, SearchNameTaken, TooManyKept
from cloudbang.accounts.models import clean_name, name_key
from cloudbang.errors import BadRequest
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.rows import fields_of, insert_row, values_of
from cloudbang.storage.database.tables import marks, saved_searches

View = Literal["log", "logs", "search"]

HUES = 8  # as in static/css/lib/tokens.css
MARKS, MARK_TEXT = 20, 200  # of a person; characters
SEARCHES, PINNED = 100, 20  # of a person; of these, in the sidebar
QUERY = 2_000  # characters
APPS = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """``text``: words as they stand or, with ``regex``, an expression of RE2; ``hue``: 1 to HUES;
    ``chosen``: the keys go from one to the next."""

    id: int
    text: str
    regex: bool
    hue: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """``view``: the page it is for, ``apps`` whose logs it looks at (none: all of them), ``query``
    what that page's address says beside them. ``created_at`` in seconds since 1970."""

    id: int
    name: str
    view: View
    apps: tuple[str, ...]
    query: str
    pinned: bool
    created_at: int = 0

    def address(self) -> str:
        """Where it is done, from the root of the server on."""
        if self.view == "log":
            path, pairs = f"/apps/{quote(self.apps[0], safe='')}/logs", ""
        else:
            path, pairs = f"/{self.view}", urlencode([("app", app) for app in self.apps])
        query = "&".join(part for part in (pairs, self.query) if part)
        return f"{path}?{query}" if query else path


class Personal:
    """All methods raise StorageFailed, those that write StorageFull as well."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    # -- marks

    def marks(self, account: int) -> list[Mark]:
        """Those of a person, the oldest first."""
        return self._database.read(lambda c: _marks(c, account))

    def add_mark(self, account: int, text: str, *, regex: bool, hue: int = 0) -> Mark:
        """A new one, in the first colour that is free unless one is said; one that is there gets
        that colour. Raises TooManyKept, BadRequest."""
        if not text.strip() or len(text) > MARK_TEXT or "\n" in text:
            raise BadRequest("text", text, f"1 to {MARK_TEXT} characters of one line")

        def work(c: sa.Connection) -> Mark:
            have = _marks(c, account)
            same = next((one for one in have if (one.text, one.regex) == (text, regex)), None)
            if same is not None:
                changed = replace(same, hue=hue or same.hue)
                _change(c, marks, account, changed.id, hue=changed.hue)
                return changed
            if len(have) >= MARKS:
                raise TooManyKept(MARKS)
            used = [one.hue for one in have]
            free = min(range(1, HUES + 1), key=lambda one: (used.count(one), one))
            mark = Mark(0, text, regex, hue or free)
            made = insert_row(c, marks, {**values_of(mark, "id"), "account_id": account})
            return replace(mark, id=made)

        return self._database.write(work)

    def change_mark(
        self, account: int, id: int, *, hue: int | None = None, chosen: bool | None = None
    ) -> Mark:
        """Raises NoSuchMark."""

        def work(c: sa.Connection) -> Mark:
            _change(c, marks, account, id, hue=hue, chosen=chosen)
            return _its(_marks(c, account), id, NoSuchMark)

        return self._database.write(work)

    def delete_mark(self, account: int, id: int) -> None:
        """Raises NoSuchMark."""
        self._delete(marks, account, id, NoSuchMark)

    # -- searches

    def searches(self, account: int) -> list[SavedSearch]:
        """Those of a person, by name."""
        return self._database.read(lambda c: _searches(c, account))

    def add_search(self, account: int, wanted: SavedSearch) -> SavedSearch:
        """Keep it; its id is given. Raises SearchNameTaken, TooManyKept, BadRequest."""
        name = clean_name(wanted.name, "name")
        one = replace(wanted, name=name, created_at=int(self._clock()))
        values = {
            **values_of(one, "id"),
            "account_id": account,
            "key": name_key(name),
            "apps": orjson.dumps(one.apps).decode(),
        }

        def work(c: sa.Connection) -> SavedSearch:
            have = _searches(c, account)
            if len(have) >= SEARCHES:
                raise TooManyKept(SEARCHES)
            _check_name(have, name)
            if one.pinned:
                _check_pinned(have)
            return replace(one, id=insert_row(c, saved_searches, values))

        return self._database.write(work)

    def change_search(
        self, account: int, id: int, *, name: str | None = None, pinned: bool | None = None
    ) -> SavedSearch:
        """Raises NoSuchSearch, SearchNameTaken, TooManyKept, BadRequest."""
        new = None if name is None else clean_name(name, "name")

        def work(c: sa.Connection) -> SavedSearch:
            have = _searches(c, account)
            before = _its(have, id, NoSuchSearch)
            others = [one for one in have if one.id != id]
            if new is not None:
                _check_name(others, new)
            if pinned and not before.pinned:
                _check_pinned(others)
            key = None if new is None else name_key(new)
            _change(c, saved_searches, account, id, name=new, key=key, pinned=pinned)
            return _its(_searches(c, account), id, NoSuchSearch)

        return self._database.write(work)

    def delete_search(self, account: int, id: int) -> None:
        """Raises NoSuchSearch."""
        self._delete(saved_searches, account, id, NoSuchSearch)

    def _delete(
        self, table: sa.Table, account: int, id: int, missing: Callable[[int], Exception]
    ) -> None:
        statement = sa.delete(table).where(table.c.account_id == account, table.c.id == id)
        if not self._database.write(lambda c: c.execute(statement).rowcount):
            raise missing(id)


# What runs in the database's threads.


def _marks(c: sa.Connection, account: int) -> list[Mark]:
    wanted = sa.select(marks).where(marks.c.account_id == account).order_by(marks.c.id)
    return [Mark(**fields_of(Mark, row)) for row in c.execute(wanted).mappings()]


def _searches(c: sa.Connection, account: int) -> list[SavedSearch]:
    its = saved_searches.c.account_id == account
    wanted = sa.select(saved_searches).where(its).order_by(saved_searches.c.key)
    return [_search(row) for row in c.execute(wanted).mappings()]


def _search(row: Mapping[Any, Any]) -> SavedSearch:
    apps = tuple(orjson.loads(row["apps"]))
    return SavedSearch(**fields_of(SavedSearch, row, "apps"), apps=apps)


def _change(c: sa.Connection, table: sa.Table, account: int, id: int, **values: object) -> None:
    """What is None stays."""
    said = {name: value for name, value in values.items() if value is not None}
    if said:
        its = (table.c.account_id == account) & (table.c.id == id)
        c.execute(sa.update(table).where(its).values(**said))


def _its(have: list[Any], id: int, missing: Callable[[int], Exception]) -> Any:
    for one in have:
        if one.id == id:
            return one
    raise missing(id)


def _check_name(have: list[SavedSearch], name: str) -> None:
    for one in have:
        if name_key(one.name) == name_key(name):
            raise SearchNameTaken(one.name)


def _check_pinned(have: list[SavedSearch]) -> None:
    if sum(one.pinned for one in have) >= PINNED:
        raise TooManyKept(PINNED)
