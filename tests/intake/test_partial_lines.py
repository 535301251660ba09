"""Lines that are not ended: who looks is told what they are now."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import orjson
import pytest

from cloudbang.domain.partial_line import LONGEST, PartialLine, newest_state
from cloudbang.intake import partial_lines
from cloudbang.intake.partial_lines import TOLD, PartialLines
from tests.support import wait_until

WEB, DB = "0123456789ab", "ba9876543210"


class Told:
    """A bus of which every message is kept."""

    def __init__(self) -> None:
        self.nobody: set[str] = set()
        self.messages: list[tuple[str, list[list[str]]]] = []

    def send(self, topic: str, header: bytes, body: bytes) -> None:
        assert orjson.loads(header) == {"v": 1}
        self.messages.append((topic, orjson.loads(body)))

    def wanted(self, topic: str) -> bool:
        return topic not in self.nobody


def line(text: str, time: str = "1", container: str = WEB, stream: str = "stdout") -> PartialLine:
    return PartialLine(f"2026-02-01T09:00:0{time}.000000000Z", container, stream, text)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def lines(told: Told, monkeypatch: pytest.MonkeyPatch) -> Iterator[PartialLines]:
    monkeypatch.setattr(partial_lines, "EVERY", 0.01)
    monkeypatch.setattr(partial_lines, "SETTLED", 0.05)
    made = PartialLines(told)
    made.start()
    yield made
    made.stop()


def test_what_is_told_is_the_newest_state_and_then_nothing(told: Told, lines: PartialLines) -> None:
    """Each change once, all lines of the app each time, an empty list when they have ended."""
    lines.put("web", WEB, [line("10 %")])
    lines.put("web", DB, [line("copying", container=DB)])
    wait_until(lambda: told.messages and len(told.messages[-1][1]) == 2)  # both have settled
    texts = [text for _, _, _, text in told.messages[-1][1]]
    assert texts == ["10 %", "copying"] == [one.text for one in lines.of("web")]
    lines.put("web", WEB, [line("20 %")])
    wait_until(lambda: told.messages[-1][1][0][3] == "20 %")
    lines.put("web", WEB, [])
    lines.put("web", DB, [])
    wait_until(lambda: told.messages[-1] == ("partial/web/", []))
    assert lines.of("web") == []


def test_a_line_that_just_comes_is_not_told(told: Told, lines: PartialLines) -> None:
    """What the network cut is ended a moment later: nothing flickers."""
    for n in range(100):
        lines.put("web", WEB, [line("half of a", time=str(n % 10))])
        lines.put("web", WEB, [])
        gevent.sleep(0)
    lines.put("done", WEB, [line("stays")])
    wait_until(lambda: told.messages)
    assert {topic for topic, _ in told.messages} == {"partial/done/"}


def test_who_comes_later_is_told_what_is(told: Told, lines: PartialLines) -> None:
    """Nothing is sent where nobody looks; the state is there all the same."""
    told.nobody.add("partial/web/")
    lines.put("web", WEB, [line("Password: ")])
    wait_until(lambda: lines.of("web"))
    assert told.messages == []


def test_of_many_the_newest_are_told(told: Told, lines: PartialLines) -> None:
    """A message is bounded, whatever an app has."""
    for n in range(TOLD + 5):
        lines.put(
            "web", f"{n:012d}", [line("x" * LONGEST, container=f"{n:012d}", time=str(n % 10))]
        )
    wait_until(lambda: lines.of("web"))
    wait_until(lambda: told.messages and len(told.messages[-1][1]) == TOLD)
    assert len(orjson.dumps(told.messages[-1][1])) < TOLD * (LONGEST + 200)


@pytest.mark.parametrize(
    ("end", "under", "state"),
    [
        (b"Password: ", b"", "Password: "),
        (b"\r10 %\r20 %", b"", "20 %"),
        (b"\r10 %\r", b"", "10 %"),
        (b"\rframe 000123 of 9\rframe 0001", b"", "frame 000123 of 9"),
        (b"\rframe 0001", b"frame 000123 of 9", "frame 000123 of 9"),
        (b"\r\x1b[32m2", b"\x1b[32m1 of 9", "\x1b[32m2"),
        (b"\r", b"", ""),
        ("\r一二三\r四".encode(), b"", "四二三"),
    ],
)
def test_the_newest_state_is_what_a_terminal_shows(end: bytes, under: bytes, state: str) -> None:
    """One that is just being drawn lies over the one before it."""
    assert newest_state(end, b"", under) == state


def test_of_a_long_one_the_middle_goes() -> None:
    """How it begins, and what is new; whole characters."""
    text = newest_state("日".encode() * 2000 + b"end", b"start" + "日".encode() * 2000)
    assert text.startswith("start日")
    assert text.endswith("日end")
    assert "\ufffd" not in text
    assert len(text.encode()) <= LONGEST + 10
