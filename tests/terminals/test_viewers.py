"""Credit: who sets the pace misses nothing, who only watches skips and holds up nobody."""

from __future__ import annotations

import itertools

from cloudbang.domain.scrollback import KEEP, Scrollback
from cloudbang.domain.terminals import ExitStatus, Mode, Size
from cloudbang.terminals.participant import BEHIND, FRESH, WATCHED, WINDOW, Participant
from cloudbang.terminals.viewers import Viewers

LINE = b"a line of sixty-four bytes, of which this one is made up exactly\n"

TABS = itertools.count()


class Page:
    """What a page gets; ``takes`` is the room its connection has."""

    counts_drawn = True

    def __init__(self) -> None:
        self.got = bytearray()
        self.told: list[dict[str, object]] = []
        self.takes = 1 << 60
        self.closed: list[int] = []

    def output(self, data: bytes) -> bool:
        if len(data) > self.takes:
            return False
        self.takes -= len(data)
        self.got += data
        return True

    def tell(self, message: dict[str, object]) -> None:
        self.told.append(message)

    def ended(self, end: ExitStatus) -> None:
        self.closed.append(1000)

    def close(self, code: int, reason: str) -> None:
        self.closed.append(code)


def someone(mode: Mode = "own", size: Size | None = None) -> tuple[Participant, Page]:
    page = Page()
    one = Participant(
        page,
        mode=mode,
        account="ada",
        account_id=1,
        login="s1",
        client=f"tab{next(TABS)}",
        size=size,
    )
    return one, page


def printed(size: int) -> Scrollback:
    back = Scrollback()
    while back.end < size:
        back.append(LINE * 400)
    return back


def test_no_more_than_the_window_goes_out_without_a_word_from_the_page() -> None:
    one, page = someone()
    back = printed(900_000)
    one.begin(back, 0, paces=True)
    one.push(back, paces=True)
    assert WINDOW - 1024 <= len(page.got) <= WINDOW
    one.drew(100_000)
    one.push(back, paces=True)
    assert WINDOW + 100_000 - 1024 <= len(page.got) <= WINDOW + 100_000
    assert page.got == (LINE * 20_000)[: len(page.got)]


def test_a_page_cannot_draw_what_it_was_not_sent() -> None:
    one, page = someone()
    back = printed(900_000)
    one.begin(back, 0, paces=True)
    one.push(back, paces=True)
    one.drew(10**12)
    assert one.drawn == one.sent == len(page.got)
    one.drew(5)
    assert one.drawn == len(page.got)


def test_a_full_connection_goes_on_where_it_stopped() -> None:
    one, page = someone()
    back = printed(300_000)
    one.begin(back, 0, paces=True)
    page.takes = 100_000
    one.push(back, paces=True)
    assert one.full
    page.takes = 1 << 60
    one.drained()
    one.push(back, paces=True)
    assert page.got == (LINE * 20_000)[: back.end]


def test_a_watcher_who_is_behind_gets_a_fresh_screen_and_is_told() -> None:
    one, page = someone("watch")
    back = printed(10_000)
    one.begin(back, None, paces=False)
    one.push(back, paces=False)
    seen = len(page.got)
    while back.end < seen + BEHIND + WINDOW + 100_000:
        back.append(LINE * 400)
        one.push(back, paces=False)
    one.drew(one.sent)
    one.push(back, paces=False)
    reset = next(m for m in page.told if m["op"] == "reset")
    assert isinstance(reset["offset"], int)
    assert back.end - FRESH - 4096 <= reset["offset"] <= back.end
    assert reset["skipped"] == one.skipped > 0
    assert one.sent == back.end
    after = (LINE * 40_000)[reset["offset"] : back.end]
    assert page.got.endswith(after)


def test_who_comes_back_goes_on_at_the_byte_or_is_told_to_begin_anew() -> None:
    back = printed(3_000_000)
    one, _ = someone()
    assert one.begin(back, back.end - 1000, paces=True).reset is False
    assert one.sent == back.end - 1000
    begin = one.begin(back, 5, paces=True)
    assert begin.reset
    assert back.start <= begin.offset <= back.end - KEEP + 4096
    begin = one.begin(back, back.end + 1, paces=False)
    assert begin.reset
    assert begin.offset >= back.end - WATCHED


def test_the_smallest_window_counts_and_all_know_whose_it_is() -> None:
    viewers = Viewers(Size(80, 24))
    wide, page = someone(size=Size(200, 20))
    tall, _ = someone("type", Size(100, 50))
    watcher, _ = someone("watch", Size(2, 1))
    viewers.join(wide, None)
    viewers.join(tall, None)
    viewers.join(watcher, None)
    assert viewers.fit() == Size(100, 20)
    assert viewers.fit() is None
    told = {"op": "size", "columns": 100, "rows": 20, "by": [1, 2]}
    assert page.told[-1] == {**told, "rule": "smallest", "offset": 0}
    viewers.leave(tall, lost=False)
    assert viewers.fit() == Size(200, 20)


def test_the_keyboard_goes_to_who_types_and_back_to_the_owner() -> None:
    viewers = Viewers(Size())
    owner, _ = someone()
    guest, page = someone("type")
    watcher, _ = someone("watch")
    for one in (owner, guest, watcher):
        viewers.join(one, None)
    assert viewers.keyboard is owner
    viewers.take(guest)
    assert viewers.keyboard is guest
    viewers.demote_guests()
    assert (viewers.keyboard, guest.mode) == (owner, "watch")
    assert {"op": "mode", "mode": "watch"} in page.told
    assert viewers.leave(owner, lost=False)
    assert viewers.keyboard is None  # nobody who is left may type


def test_sizes_are_clamped_or_refused() -> None:
    assert Size.of(0, -5) == Size(2, 1)
    assert Size.of(10**9, 10**9) == Size(1000, 500)
    assert Size.of(80.0, 24) == Size(80, 24)
    for bad in (None, "80", True, [], {}, float("nan"), float("inf")):
        assert Size.of(bad, 24) is None
        assert Size.of(80, bad) is None
