"""What a terminal printed is cut between characters, kept by offset, and begun again in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.scrollback import BLOCK, Cutter, Modes, Scrollback, incomplete_tail

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
    modes = Modes()
    modes.feed(data[:cut])
    modes.feed(data[cut:])
    assert modes.restore() == "\x1b[?1000h\x1b[?1006h\x1b[?25l\x1b(0"


def test_a_reset_and_defaults_leave_nothing_to_restore() -> None:
    modes = Modes()
    modes.feed(b"\x1b[?1049h\x1b[?25l\x1b[?1049l\x1b[?25h\x1b[?7h")
    assert modes.restore() == ""
    modes.feed(b"\x1b[?2004h\x1b=\x1bc")
    assert modes.restore() == ""


def _pieces(data: bytes, steps: list[int]) -> list[bytes]:
    cutter, found, at = Cutter(), [], 0
    for step in [*steps, len(data) + 1]:
        found.append(cutter.feed(data[at : at + step]))
        at += step
    return [*found, cutter.flush()]
