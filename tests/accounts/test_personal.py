"""What people keep for themselves is theirs alone, bounded, and gone with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from cloudbang.accounts import NameTaken, Personal, SavedSearch
from cloudbang.accounts import personal as room
from cloudbang.accounts.errors import NoSuchMark, NoSuchSearch, TooManyKept
from cloudbang.errors import BadRequest
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import accounts

ADA, BEN = 1, 2


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path)
    made.open()
    for id, name in ((ADA, "ada"), (BEN, "ben")):
        values = {"id": id, "name": name, "key": name, "password": "", "created_at": 0}
        made.write(lambda c, values=values: c.execute(sa.insert(accounts).values(values)).rowcount)
    yield made
    made.close()


@pytest.fixture
def kept(database: Database) -> Personal:
    return Personal(database, lambda: 1_750_000_000)


def search(name: str, **changes: object) -> SavedSearch:
    return SavedSearch(
        0, **{"view": "log", "apps": ("web",), "query": "", "pinned": False, "name": name} | changes
    )  # type: ignore[arg-type]


def test_marks_get_the_colour_that_is_used_least(kept: Personal) -> None:
    words = [kept.add_mark(ADA, f"word {n}", regex=False) for n in range(room.HUES + 1)]
    assert [one.hue for one in words] == [*range(1, room.HUES + 1), 1]
    again = kept.add_mark(ADA, "word 2", regex=False, hue=7)
    assert (again.id, again.hue) == (words[2].id, 7)
    assert kept.add_mark(ADA, "word 2", regex=True).id != again.id
    assert kept.change_mark(ADA, again.id, chosen=True).chosen
    assert kept.change_mark(ADA, again.id, hue=3) == room.Mark(again.id, "word 2", False, 3, True)


def test_what_is_somebody_elses_is_not_there(kept: Personal) -> None:
    mark = kept.add_mark(ADA, "word", regex=False)
    made = kept.add_search(ADA, search("errors"))
    assert (kept.marks(BEN), kept.searches(BEN)) == ([], [])
    for refused, error in (
        (lambda: kept.change_mark(BEN, mark.id, hue=1), NoSuchMark),
        (lambda: kept.delete_mark(BEN, mark.id), NoSuchMark),
        (lambda: kept.change_search(BEN, made.id, pinned=True), NoSuchSearch),
        (lambda: kept.delete_search(BEN, made.id), NoSuchSearch),
    ):
        with pytest.raises(error):
            refused()
    kept.add_search(BEN, search("Errors"))
    assert kept.marks(ADA) == [mark]
    assert kept.searches(ADA) == [made]
    kept.delete_mark(ADA, mark.id)
    kept.delete_search(ADA, made.id)
    assert (kept.marks(ADA), kept.searches(ADA)) == ([], [])


def test_a_name_is_one_searchs(kept: Personal) -> None:
    first = kept.add_search(ADA, search("Errors of ｗeb"))
    assert first.name == "Errors of web"
    other = kept.add_search(ADA, search("another"))
    with pytest.raises(NameTaken):
        kept.add_search(ADA, search("errors OF web"))
    with pytest.raises(NameTaken):
        kept.change_search(ADA, other.id, name="ERRORS of web")
    assert kept.change_search(ADA, first.id, name="errors of WEB").name == "errors of WEB"
    for odd in ("", "  ", "a\nb", "x" * 65):
        with pytest.raises(BadRequest):
            kept.add_search(ADA, search(odd))


def test_there_is_an_end_of_it(kept: Personal) -> None:
    for n in range(room.SEARCHES):
        kept.add_search(ADA, search(f"search {n}", pinned=n < room.PINNED))
    with pytest.raises(TooManyKept):
        kept.add_search(ADA, search("one more"))
    more = next(one for one in kept.searches(ADA) if not one.pinned)
    with pytest.raises(TooManyKept):
        kept.change_search(ADA, more.id, pinned=True)
    pinned = next(one for one in kept.searches(ADA) if one.pinned)
    assert kept.change_search(ADA, pinned.id, pinned=True).pinned
    for n in range(room.MARKS):
        kept.add_mark(ADA, f"word {n}", regex=False)
    with pytest.raises(TooManyKept):
        kept.add_mark(ADA, "one more", regex=False)


def test_it_is_gone_with_who_kept_it(kept: Personal, database: Database) -> None:
    kept.add_mark(ADA, "word", regex=False)
    kept.add_search(ADA, search("errors"))
    gone = sa.delete(accounts).where(accounts.c.id == ADA)
    database.write(lambda c: c.execute(gone).rowcount)
    assert (kept.marks(ADA), kept.searches(ADA)) == ([], [])


@pytest.mark.parametrize(
    ("view", "apps", "query", "address"),
    [
        ("log", ("a.b",), "q=x&hide=1", "/apps/a.b/logs?q=x&hide=1"),
        ("logs", ("a", "b"), "q=x", "/logs?app=a&app=b&q=x"),
        ("search", (), "q=x", "/search?q=x"),
        ("logs", (), "", "/logs"),
    ],
)
def test_where_a_search_is_done(view: str, apps: tuple[str, ...], query: str, address: str) -> None:
    assert search("x", view=view, apps=apps, query=query).address() == address
