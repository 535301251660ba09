"""Who may come to a terminal, whose window counts, who is sent away, and whose sign-out ends it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, cast

import gevent
import pytest
from gevent.queue import Queue

from cloudbang.accounts import INSTALLATION, Caller
from cloudbang.config import TerminalSettings
from cloudbang.domain.apps import App, Instance
from cloudbang.domain.terminals import (
    ExitStatus,
    Mode,
    Size,
    Source,
    TerminalRequest,
    TerminalTarget,
)
from cloudbang.errors import NoSuchTerminal, TicketRefused
from cloudbang.terminals.audit import AuditStore
from cloudbang.terminals.participant import Participant
from cloudbang.terminals.registry import Terminals
from cloudbang.terminals.session import Session
from tests.support import wait_until

NUMBERS = itertools.count(1)
ADMIN = {INSTALLATION: "admin"}


def login(account: int | None, name: str = "") -> Caller:
    """Another login of an account, or (None) another token of the command line."""
    number = next(NUMBERS)
    kind = "s" if account else "t"
    return Caller(f"{kind}{number}", account, name or f"person {account}", ADMIN, b"%d" % number)


class Shell:
    """Stands where a process is."""

    pid, exec_id, resizing, pending, may_start_late = 0, "", False, 0, False

    def __init__(self) -> None:
        self.output: Queue[bytes] = Queue()
        self.sizes: list[Size] = []
        self.typed = b""

    def start(self, size: Size) -> None:
        pass

    def read(self, limit: int = 0) -> bytes:
        return bytes(self.output.get())

    def write(self, data: bytes) -> int:
        self.typed += data
        return 0

    def resize(self, size: Size) -> None:
        self.sizes.append(size)

    def result(self) -> ExitStatus:
        return ExitStatus("exit", 0)

    def end(self) -> None:
        self.output.put(b"")

    def folder(self) -> str:
        return ""


class Nothing:
    """Writes nothing down."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: [] if name == "unended" else None


class Page:
    """What somebody sees."""

    counts_drawn = True

    def __init__(self) -> None:
        self.got = b""
        self.told: list[dict[str, object]] = []
        self.end: ExitStatus | None = None

    def output(self, data: bytes) -> bool:
        self.got += data
        return True

    def tell(self, message: dict[str, object]) -> None:
        self.told.append(message)

    def ended(self, end: ExitStatus) -> None:
        self.end = end

    def close(self, code: int, reason: str) -> None:
        pass


class House:
    def __init__(self, **settings: int) -> None:
        self.shells: list[Shell] = []
        limits = TerminalSettings.model_validate(settings)
        self.terminals = Terminals(limits, cast(AuditStore, Nothing()), self)
        self.terminals.start()

    def new(self, target: TerminalTarget) -> Source:
        self.shells.append(Shell())
        return self.shells[-1]

    def end_orphans(self, orphans: Any, is_over: Any) -> set[str]:
        return set()

    def open(self, owner: Caller) -> Session:
        number = f"{next(NUMBERS):016x}"
        target = TerminalTarget(number, INSTALLATION, "", "", request=TerminalRequest())
        return self.terminals.open_source(target, self.new(target), owner, "", "", Size(100, 30))

    def join(
        self, session: Session, who: Caller, key: str = "", size: Size | None = None
    ) -> tuple[Participant, Page]:
        found, mode = self.terminals.admit(session.id, who, key)
        page = Page()
        one = self.terminals.join(
            found, mode, page, who, client="", size=size, after=None, address=""
        )
        return one, page

    def key(self, session: Session, mode: Mode) -> str:
        return self.terminals.link(session, mode)

    def over(self, session: Session, reason: str) -> None:
        wait_until(lambda: session.ended)
        assert session.ended
        assert session.ended.reason == reason


@pytest.fixture
def house() -> Iterator[House]:
    one = House()
    yield one
    one.terminals.stop()


# --- whose sign-out ends it ---------------------------------------------------------------------------


def test_signing_out_elsewhere_does_not_end_the_work_here(house: House) -> None:
    """It goes on while another good login of its owner has it, has opened it or used it last."""
    desk, phone = login(1), login(1)
    session = house.open(desk)
    house.join(session, desk)
    looked, _ = house.join(session, phone)
    house.terminals.leave(session, looked, lost=False)
    typed, _ = house.join(session, phone)
    assert session.type(typed, b"x")
    house.terminals.leave(session, typed, lost=False)
    house.terminals.end_login(phone.login)
    gevent.sleep(0.01)
    assert session.ending == ""
    house.terminals.end_login(desk.login)
    house.over(session, "signed-out")


def test_who_is_still_there_keeps_it(house: House) -> None:
    """Whoever opened it signs out: it is theirs on the other machine from now on, and ends with
    that."""
    desk, phone = login(1), login(1)
    session = house.open(desk)
    house.join(session, desk)
    there, _ = house.join(session, phone)
    house.terminals.end_login(desk.login)
    gevent.sleep(0.01)
    assert session.ending == ""
    house.terminals.leave(session, there, lost=True)
    house.terminals.end_login(desk.login)
    gevent.sleep(0.01)
    assert session.ending == ""
    house.terminals.end_login(phone.login)
    house.over(session, "signed-out")


def test_who_used_it_last_keeps_it(house: House) -> None:
    desk, phone = login(1), login(1)
    session = house.open(desk)
    typed, _ = house.join(session, phone)
    session.type(typed, b"x")
    house.terminals.leave(session, typed, lost=False)
    house.terminals.end_login(desk.login)
    gevent.sleep(0.01)
    assert session.ending == ""
    house.terminals.end_login(phone.login)
    house.over(session, "signed-out")


def test_all_logins_at_once_end_it(house: House) -> None:
    """As when an account may do less: each of its logins ends, while their pages still stand."""
    desk, phone = login(1), login(1)
    session = house.open(desk)
    house.join(session, desk)
    house.join(session, phone)
    for one in (phone, desk):
        house.terminals.end_login(one.login)
    house.over(session, "signed-out")


def test_a_guest_is_no_owner(house: House) -> None:
    owner, guest = login(1), login(2)
    session = house.open(owner)
    one, _ = house.join(session, guest, house.key(session, "type"))
    session.type(one, b"x")
    house.terminals.end_login(owner.login)
    house.over(session, "signed-out")


def test_a_token_of_the_command_line_is_alone(house: House) -> None:
    token = login(None)
    session = house.open(token)
    with pytest.raises(NoSuchTerminal):
        house.join(session, login(None))
    house.terminals.end_login(token.login)
    house.over(session, "signed-out")


# --- what a link opens --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "opens"),
    [("signed-out", False), ("admin", False), ("closed", False), ("idle", True)],
)
def test_a_link_does_not_outlive_its_owners_good_bye(
    house: House, reason: str, opens: bool
) -> None:
    """From the moment on in which it is ended, not when the end has come; an end of another kind
    can be looked at for a minute."""
    owner, guest = login(1), login(2)
    session = house.open(owner)
    key = house.key(session, "watch")
    _, page = house.join(session, guest, key)
    house.shells[-1].end = lambda: None  # type: ignore[method-assign]
    house.terminals.end_soon(session, reason)
    wait_until(lambda: session.ending)
    for _ in range(2):
        if opens:
            house.join(session, guest, key)
        else:
            with pytest.raises(NoSuchTerminal):
                house.join(session, guest, key)
        house.shells[-1].output.put(b"")
        house.over(session, reason)
    assert page.end
    assert house.join(session, owner)


def test_stop_sharing_sends_everybody_out(house: House) -> None:
    """At once: what is printed next they do not get, and what they type goes nowhere."""
    owner = login(1)
    session = house.open(owner)
    _, mine = house.join(session, owner)
    keys = {mode: house.key(session, mode) for mode in ("watch", "type")}
    guests = [house.join(session, login(2 + n), key) for n, key in enumerate(keys.values())]
    house.terminals.stop_sharing(session)
    house.shells[-1].output.put(b"a secret")
    wait_until(lambda: mine.got == b"a secret")
    for one, page in guests:
        assert (page.got, page.end) == (b"", ExitStatus("sent-away"))
        assert not session.type(one, b"x")
        house.terminals.leave(session, one, lost=False)
    assert house.shells[-1].typed == b""
    for key in keys.values():
        with pytest.raises(NoSuchTerminal):
            house.join(session, login(9), key)
    assert session.ending == ""


def test_a_link_ends_by_itself(house: House) -> None:
    """And with it the visit of whoever came by it; the others, and the other link, stay."""
    owner = login(1)
    session = house.open(owner)
    house.join(session, owner)
    stays = house.key(session, "type")
    typist, typing = house.join(session, login(2), stays)
    ends = house.terminals.link(session, "watch", seconds=0.3)
    _, watching = house.join(session, login(3), ends)
    wait_until(lambda: watching.end == ExitStatus("sent-away"), what="the end of the visit")
    with pytest.raises(NoSuchTerminal):
        house.join(session, login(3), ends)
    house.join(session, login(4), stays)
    assert typing.end is None
    assert session.type(typist, b"x")


def test_one_is_sent_away_and_the_others_stay(house: House) -> None:
    """With the link they came by they do not come back; others do, and a new link is a new one."""
    owner, bad, good = login(1), login(2), login(3)
    session = house.open(owner)
    me, _ = house.join(session, owner)
    key = house.key(session, "watch")
    guest, page = house.join(session, bad, key)
    other, stays = house.join(session, good, key)
    house.terminals.send_away(session, other, guest.id)
    assert page.end is None, "who may not decide that has decided it"
    house.terminals.send_away(session, me, me.id)
    assert me in session.participants
    house.terminals.send_away(session, me, guest.id)
    assert page.end == ExitStatus("sent-away")
    assert [one.id for one in session.participants] == [me.id, other.id]
    with pytest.raises(NoSuchTerminal):
        house.join(session, login(2), key)
    house.join(session, good, key)
    assert stays.end is None
    house.join(session, bad, house.key(session, "watch"))


# --- whose window counts ------------------------------------------------------------------------------


def test_who_only_watches_does_not_size(house: House) -> None:
    owner, guest = login(1), login(2)
    session = house.open(owner)
    house.join(session, owner, size=Size(100, 30))
    watcher, page = house.join(session, guest, house.key(session, "watch"), Size(2, 1))
    assert session.size == Size(100, 30)
    session.resize(watcher, Size(3, 3))
    assert (session.size, house.shells[-1].sizes) == (Size(100, 30), [])
    told = {"op": "size", "columns": 100, "rows": 30, "by": [1], "rule": "smallest", "offset": 0}
    assert told in page.told


def test_the_owner_says_whose_window_decides(house: House) -> None:
    """The smallest of all who may type, the owner's, or that of whoever typed last."""
    owner, guest = login(1), login(2)
    session = house.open(owner)
    me, page = house.join(session, owner, size=Size(100, 30))
    one, _ = house.join(session, guest, house.key(session, "type"), Size(60, 40))
    assert session.size == Size(60, 30)
    session.size_by("owner")
    assert session.size == Size(100, 30)
    assert page.told[-1]["rule"] == "owner"
    session.type(one, b"x")
    assert session.size == Size(100, 30)
    session.size_by("typing")
    assert session.size == Size(60, 40)
    session.type(me, b"x")
    assert session.size == Size(100, 30)
    house.terminals.leave(session, me, lost=False)
    assert session.size == Size(60, 40), "of nobody who is gone"
    session.size_by("owner")
    assert session.size == Size(60, 40)


def test_who_types_sizes_down_to_what_can_be_worked_in(house: House) -> None:
    """And no more once the keyboard was taken back."""
    owner, guest = login(1), login(2)
    session = house.open(owner)
    me, _ = house.join(session, owner, size=Size(100, 30))
    house.join(session, guest, house.key(session, "type"), Size(2, 1))
    assert session.size == Size(20, 6)
    house.terminals.take(session, me)
    assert session.size == Size(100, 30)
    assert house.shells[-1].sizes[-1] == Size(100, 30)


def test_the_size_stays_while_only_watchers_look(house: House) -> None:
    owner, guest = login(1), login(2)
    session = house.open(owner)
    me, _ = house.join(session, owner, size=Size(100, 30))
    house.join(session, guest, house.key(session, "watch"), Size(60, 20))
    house.terminals.leave(session, me, lost=True)
    assert session.size == Size(100, 30)


# --- tickets ------------------------------------------------------------------------------------------


def test_a_ticket_is_good_for_who_was_given_it(house: House) -> None:
    """Not for another login of the same account either; shown by another it is void."""
    app = App("web", INSTALLATION)
    instance = Instance("c" * 64, "web", "web", None, "busybox", "", "running", "")
    mine = login(1)
    for other in (login(2), login(1), login(None)):
        ticket = house.terminals.ticket(mine, app, instance, TerminalRequest())
        shown = (ticket.md5, INSTALLATION, "web", "c" * 12)
        with pytest.raises(TicketRefused, match="somebody else"):
            house.terminals.redeem(other, *shown)
        with pytest.raises(TicketRefused, match="used already"):
            house.terminals.redeem(mine, *shown)
    ticket = house.terminals.ticket(mine, app, instance, TerminalRequest())
    assert house.terminals.redeem(mine, ticket.md5, INSTALLATION, "web", "c" * 12).app == "web"
