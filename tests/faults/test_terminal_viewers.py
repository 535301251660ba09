"""Several people at one terminal: what one of them does costs another neither bytes nor keys."""

from __future__ import annotations

import httpx

from tests.faults.conftest import TerminalGround
from tests.faults.test_terminal_flow import COUNT, _count, _more, assert_whole
from tests.support import patient, wait_until
from tests.terminal_support import MIB, TICKET, Terminal, new_client

__all__ = ["_count"]  # the fixture that makes what COUNT prints


def test_a_token_that_may_only_look_is_no_way_to_its_owners_shell(ground: TerminalGround) -> None:
    """An admin's own read-only token neither enters the admin's terminal nor ends or reads it."""
    page = ground.terminal().ready()
    token = ground.admin.made("/tokens", {"name": "reader", "role": "viewer"})["token"]
    headers = {"Authorization": f"Bearer {token}"}
    one = ground.keep(Terminal(ground.server, headers))
    one.say(session=page.session, columns=80, rows=24, client=new_client())
    assert one.refused()["code"] == "no-such-terminal"
    base = f"{ground.server.url}/api/v1/terminals/{page.session}"
    for method, path in (("DELETE", ""), ("GET", "/files?path=/etc/passwd"), ("POST", "/links")):
        body = {"mode": "type"} if method == "POST" else None
        asked = httpx.request(
            method, base + path, headers=headers, json=body, trust_env=False, timeout=patient(20)
        )
        assert asked.status_code in (403, 404), (method, path, asked.status_code)
    assert page.run("echo still here").strip() == "still here"


def test_a_watcher_does_not_end_the_wait_for_an_owner_whose_network_broke(
    ground: TerminalGround,
) -> None:
    """In a flood the owner's connection breaks, a watcher comes, the owner comes back: nothing is
    missing."""
    page = ground.terminal(client="owner").ready()
    viewer = ground.person("looker")
    key = ground.admin.made(f"/terminals/{page.session}/links", {"mode": "watch"})["key"]
    page.type(COUNT + "\n")
    _more(page, MIB)
    page.drop()
    guest = ground.keep(viewer.back(page.session, key=key))
    guest.say("ping")
    guest.wait_op("pong")
    seen = guest.position
    wait_until(lambda: guest.position >= seen, 5)
    back = ground.keep(ground.admin.back(page.session, after=page.position, client="owner"))
    assert not back.attached["reset"]
    assert back.start_offset == page.position
    back.output[:0] = page.output
    _more(back, MIB)
    back.type("\x03")
    back.ready()
    assert assert_whole(back) > 10_000


def test_coming_back_takes_the_keyboard_from_ones_own_old_connection(
    ground: TerminalGround,
) -> None:
    """The owner's page connects again while its old connection still stands: a guest who may type
    and has not is not given the keyboard."""
    page = ground.terminal(client="owner").ready()
    helper = ground.person("quiet-helper")
    key = ground.admin.made(f"/terminals/{page.session}/links", {"mode": "type"})["key"]
    guest = ground.keep(helper.back(page.session, key=key))
    back = ground.keep(ground.admin.back(page.session, after=page.position, client="owner"))
    assert page.wait_closed() == 4409
    guest.say("ping")
    guest.wait_op("pong")
    for one in guest.ops("people"):
        assert [p["mode"] for p in one["people"] if p["keyboard"]] == ["own"], one
    assert back.run("echo mine").strip() == "mine"


def test_a_guest_cannot_lock_the_owners_keyboard(ground: TerminalGround) -> None:
    """A guest fills the input of a program that does not read: they are shown out, the owner's
    keys are taken."""
    page = ground.terminal(["sh", "-c", "stty raw -echo; echo go; sleep 100000"])
    page.wait_for("go\n")
    helper = ground.person("filler")
    key = ground.admin.made(f"/terminals/{page.session}/links", {"mode": "type"})["key"]
    guest = ground.keep(helper.back(page.session, key=key))
    for _ in range(12):
        if guest.closed:
            break
        try:
            guest.send(b"x" * (MIB // 2))
        except Exception:  # it was closed meanwhile
            break
    assert guest.wait_closed(20) == 4413
    for _ in range(3):
        page.send(b"key")
        heard = len(page.heard)
        page.say("ping")
        page.wait_op("pong", after=heard)
    assert not page.closed


def test_a_first_message_that_is_refused_opens_nothing(ground: TerminalGround) -> None:
    """A good ticket with a name of a tab that cannot be one: an error, and no shell behind it."""

    def there() -> set[str]:
        return {one["id"] for one in ground.admin.got("/terminals")["terminals"]}

    before = there()  # those of other tests may still be ending
    made = ground.admin.ticket(ground.name)
    one = ground.raw()
    one.say(**{k: made[k] for k in TICKET}, columns=80, rows=24, client="not a name")
    one.refused()
    assert there() <= before
