"""What a terminal printed is cut between characters, kept by offset, and begun again in order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.screen_state import ScreenState
from cloudbang.domain.scrollback import BLOCK, SIZES, Cutter, Scrollback, incomplete_tail
from cloudbang.domain.terminals import Size

TEXT = "héllo 你好 👩‍👩‍👧 \x1b[31mred\x1b[0m\r\n"


@given(st.binary(max_size=300), st.lists(st.integers(1, 7), max_size=100))
def test_a_cutter_loses_and_changes_nothing(data: bytes, steps: list[int]) -> None:
    """Whatever the bytes and wherever they are cut, the pieces are the bytes."""
    assert b"".join(_pieces(data, steps)) == data


@given(st.text(max_size=200), st.lists(st.integers(1, 5), max_size=200))
def test_every_piece_of_text_is_text(text: str, steps: list[int]) -> None:
    """However UTF-8 arrives, each piece decodes by itself."""
    assert "".join(piece.decode() for piece in _pieces(text.encode(), steps)) == text


def test_a_byte_that_begins_nothing_is_not_held_back() -> None:
    for data in (b"\xff", b"a\x80", b"\xc3(", b"\xf8", b"abc", b""):
        assert incomplete_tail(data) == 0
    assert [incomplete_tail(data) for data in (b"\xc3", b"\xe4\xbd", b"\xf0\x9f\x91")] == [1, 2, 3]


@given(st.lists(st.integers(0, 3 * BLOCK), max_size=40), st.integers(1, 5000))
def test_what_is_kept_is_read_back_by_offset(sizes: list[int], limit: int) -> None:
    """From any offset that is kept, reading on gives the rest to its end, in whole characters."""
    back, whole = Scrollback(keep=4 * BLOCK), bytearray()
    for number, size in enumerate(sizes):
        piece = (TEXT * (size // len(TEXT) + 1) + str(number)).encode()
        back.append(piece)
        whole += piece
    assert back.end == len(whole)
    assert len(whole) - back.start >= min(len(whole), 4 * BLOCK)
    assert len(whole) - back.start <= 4 * BLOCK + 5 * BLOCK
    at, limit = back.start, max(limit, 4)
    while at < back.end:
        piece = back.read(at, limit)
        assert 0 < len(piece) <= limit
        piece.decode()
        assert piece == whole[at : at + len(piece)]
        at += len(piece)


def test_a_fresh_screen_begins_after_a_line_with_its_modes() -> None:
    """What fell out of memory still says which keys and which screen the rest is meant for."""
    back = Scrollback(keep=BLOCK)
    back.append(b"\x1b[?1049h\x1b[?1h\x1b=\x1b[?25l\x1b[2;20r")
    for number in range(20_000):
        back.append(b"line %d\r\n" % number)
    begin, restore = back.fresh()
    assert begin > 0
    assert back.read(begin, 100).startswith(b"line ")
    assert restore == "\x1b[?1049h\x1b[?1h\x1b[?25l\x1b[2;20r\x1b="


@given(st.integers(0, 40))
def test_a_sequence_that_is_cut_counts(cut: int) -> None:
    data = b"x\x1b[?1000;1006hy\x1b[?25l\x1b(0z"
    state = ScreenState()
    state.feed(data[:cut])
    state.feed(data[cut:])
    assert state.restore() == "\x1b[?1000h\x1b[?1006h\x1b[?25l\x1b(0"


def test_a_reset_and_defaults_leave_nothing_to_restore() -> None:
    state = ScreenState()
    state.feed(b"\x1b[?1049h\x1b[?25l\x1b[?1049l\x1b[?25h\x1b[?7h")
    assert state.restore() == ""
    state.feed(b"\x1b[?2004h\x1b=\x1bc")
    assert state.restore() == ""


STATE = {
    "the shape of the cursor": ("\x1b[4 q", "\x1b[4 q"),
    "insert": ("\x1b[4h", "\x1b[4h"),
    "insert that ended": ("\x1b[4h\x1b[4l", ""),
    "a line end that begins a line": ("\x1b[20;4h", "\x1b[20h\x1b[4h"),
    "the second character set": ("\x1b)0\x0e", "\x1b)0\x0e"),
    "and back": ("\x1b)0\x0e\x0f", "\x1b)0"),
    "a title": ("\x1b]0;one\x07\x1b]2;the 中 title\x1b\\", "\x1b]2;the 中 title\x07"),
    "of a title what may be shown": ("\x1b]2;a\tb\u202ec\x07", "\x1b]2;abc\x07"),
    "colours": (
        "\x1b]4;1;#ff0000;300;red;2;?\x07\x1b]10;red;blue\x07\x1b]12;?\x07",
        "\x1b]4;1;#ff0000\x07\x1b]10;red\x07\x1b]11;blue\x07",
    ),
    "colours that were taken back": (
        "\x1b]4;1;red;2;green\x07\x1b]11;red\x07\x1b]104;1\x07\x1b]111\x07",
        "\x1b]4;2;green\x07",
    ),
    "all colours that were taken back": ("\x1b]4;1;red;2;green\x07\x1b]104\x07", ""),
    "how letters look": (
        "\x1b[1m\x1b[31mred\x1b[m \x1b[4;32m\x1b[38:5:7m",
        "\x1b[4;32m\x1b[38:5:7m",
    ),
    "letters as they were": ("\x1b[1m\x1b[0m", ""),
    "all of it reset": ("\x1b[4 q\x1b[4h\x1b)0\x0e\x1b]4;1;red\x07\x1b[31m\x1bc", ""),
}


@pytest.mark.parametrize("name", STATE)
def test_what_is_not_on_the_screen_outlives_it(name: str) -> None:
    """Wherever it is cut in two."""
    printed, restored = STATE[name]
    data = printed.encode()
    for cut in range(len(data)):
        state = ScreenState()
        state.feed(b"x" + data[:cut])
        state.feed(data[cut:] + b"y")
        assert state.restore() == restored
        assert state.copy().restore() == restored


@given(st.binary(), st.binary())
def test_what_is_restored_is_bounded_and_restores_the_same(one: bytes, two: bytes) -> None:
    state = ScreenState()
    for n in range(300):
        state.feed(b"\x1b[%dm\x1b]4;%d;%s\x07\x1b[?%dh" % (n, n, two[:9], n) + one)
    restored = state.restore()
    assert len(restored) < 16_000
    again = ScreenState()
    again.feed(restored.encode())
    again.feed(b"")
    assert set(again.restore()) <= set(restored)


def test_output_is_kept_with_the_sizes_it_was_printed_for() -> None:
    back = Scrollback(keep=4 * BLOCK)
    back.resized(Size(80, 24))
    back.resized(Size(100, 30))  # nothing was printed for the first
    back.append(b"x" * 10)
    back.resized(Size(100, 30))
    back.resized(Size(40, 10))
    back.append(b"x" * 10)
    assert back.sizes(0) == [[0, 100, 30], [10, 40, 10]]
    assert back.sizes(5) == [[5, 100, 30], [10, 40, 10]]
    assert back.sizes(20) == [[20, 40, 10]]
    # Somebody draws at a window for a minute: bounded, and those stay for which most was printed.
    back.append(b"x" * 500)
    for columns in range(2, 300):
        back.resized(Size(columns, 10))
        back.append(b"x" * 50)
    sizes = back.sizes(0)
    assert len(sizes) == SIZES
    assert sizes[-1][1] == 299
    assert sizes[0] == [0, 40, 10]
    for _ in range(20):
        back.append(b"x" * BLOCK)
    back.resized(Size(7, 7))
    assert back.sizes(back.start) == [[back.start, 299, 10], [back.end, 7, 7]]


def _pieces(data: bytes, steps: list[int]) -> list[bytes]:
    cutter, found, at = Cutter(), [], 0
    for step in [*steps, len(data) + 1]:
        found.append(cutter.feed(data[at : at + step]))
        at += step
    return [*found, cutter.flush()]
