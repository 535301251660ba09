"""The console page of 2017: its texts, from the ticket to the end, without subprotocol or with its own."""

from __future__ import annotations

import base64
import json
import random

import pytest

from tests.faults.conftest import TerminalGround
from tests.support import wait_until
from tests.terminal_support import TICKET, Console

pytestmark = pytest.mark.engine


def first(ground: TerminalGround, command: list[str] | None = None) -> dict[str, str]:
    made = ground.admin.ticket(ground.name, command)
    assert len(made["Md5"]) == 32
    assert set(made["Md5"]) <= set("0123456789abcdef")
    return {key: made[key] for key in TICKET}


def resized(console: Console, columns: int, rows: int) -> None:
    """Say a new size, and wait until the shell has heard of it."""
    console.resize(columns, rows)

    def heard() -> bool:
        start = len(console.output)
        console.type("stty size; echo do''ne\n")
        end = console.wait_for("done\r\n", start=start)
        return f"{rows} {columns}\r\n".encode() in console.output[start:end]

    wait_until(heard, what=f"{columns} columns and {rows} rows")


@pytest.mark.parametrize("path", ["/docker_console", "/ws"])
@pytest.mark.parametrize("subprotocol", ["", "gotty", "webtty"])
def test_the_old_page_gets_what_it_knows(
    ground: TerminalGround, path: str, subprotocol: str
) -> None:
    """Title, preferences and reconnect in texts; input, size, ping; output in base64."""
    console = ground.console(first(ground), subprotocol=subprotocol, path=path)
    assert ground.name in console.wait_other("2")
    # A page of 2017 throws at a preference that it does not know, and connects again, for ever and
    # with the ticket that it has used, where it is told to.
    assert json.loads(console.wait_other("3")) == {}
    assert console.wait_other("4") == "0"
    console.wait_for("# ")
    console.type("echo old''page\n")
    console.wait_for("\r\noldpage\r\n")
    resized(console, 111, 37)
    console.ping()
    console.wait_other("1")
    assert all(isinstance(message, str) for message in console.messages)


def test_text_of_every_kind_goes_both_ways(ground: TerminalGround) -> None:
    """Chinese and emoji typed and printed: whole characters in each message."""
    console = ground.console(first(ground, ["sh", "-c", "stty -echo; echo go; exec cat"]))
    console.wait_for("go\r\n")
    text = "云帮 終端 😀 é\n" * 50
    console.type(text)
    console.wait_for(text.replace("\n", "\r\n"))
    for message in console.messages:
        if str(message).startswith("0"):
            base64.b64decode(str(message)[1:]).decode()


@pytest.mark.parametrize("times", [5])
def test_the_tail_is_whole_on_the_old_page(ground: TerminalGround, times: int) -> None:
    """``seq 1 20000`` ends at once: every byte, then the close."""
    wanted = "".join(f"{n}\r\n" for n in range(1, 20_001)).encode()
    for _ in range(times):
        console = ground.console(first(ground, ["seq", "1", "20000"]))
        assert console.wait_closed(30) == 1000
        assert bytes(console.output[: len(wanted)]) == wanted


def test_nonsense_on_the_old_page_leaves_the_session(ground: TerminalGround) -> None:
    """Unknown first characters, empty texts, sizes that are none, bytes."""
    console = ground.console(first(ground))
    console.wait_for("# ")
    nonsense = ["", "9", "x", "2", "2{", "2null", '2{"columns":0,"rows":-1}', '2{"columns":"x"}']
    nonsense += ['2{"columns":1e99,"rows":[]}', "2[]", "\0", "3{}", "1x", '{"op":"ping"}']
    for message in nonsense:
        console.socket.send(message)
    resized(console, 90, 20)
    assert not console.closed


def test_a_large_paste_on_the_old_page(ground: TerminalGround) -> None:
    """Half a mebibyte of text in one message, in order."""
    size = 500_000
    text = "".join(random.Random(5).choices("abcdefgh 漢", k=size))
    count = len(text.encode())
    console = ground.console(
        first(ground, ["sh", "-c", f"stty raw -echo; echo go; head -c {count} | wc -c; sleep 1000"])
    )
    console.wait_for("go\n")
    console.type(text)
    console.wait_for(str(count), 30)


def test_two_old_pages_are_two_sessions(ground: TerminalGround) -> None:
    """Each ticket is a session of its own; the end of one leaves the other."""
    one, two = (ground.console(first(ground)) for _ in range(2))
    for console in (one, two):
        console.wait_for("# ")
    one.type("exit 3\n")
    assert one.wait_closed() == 1000
    two.type("echo still''here\n")
    two.wait_for("stillhere")

    def with_people() -> int:
        return sum(bool(one["people"]) for one in ground.admin.got("/terminals")["terminals"])

    wait_until(lambda: with_people() == 1, what="one of them to be left")


def test_a_closed_old_page_leaves_nothing_behind_in_the_end(ground: TerminalGround) -> None:
    """It knows no way back: what is known of its session is in the list, and it can be ended."""
    console: Console = ground.console(first(ground))
    console.wait_for("# ")
    console.close()
    # The old page reconnects with a new ticket; the shell it left is ended by time, or by hand.
    for one in ground.admin.got("/terminals")["terminals"]:
        assert ground.admin.ask("DELETE", f"/terminals/{one['id']}").status_code == 204
    wait_until(lambda: ground.admin.got("/terminals")["terminals"] == [], what="none to be left")
