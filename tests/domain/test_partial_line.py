"""Lines that are not ended, as the decoders of the engine's streams tell of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.docker_stream import PART, MultiplexedDecoder, TtyDecoder
from cloudbang.domain.partial_line import newest_state
from cloudbang.domain.seen_text import seen_text
from tests.domain.test_docker_stream import ID, T1, T2, cut, frame


def test_what_is_not_ended_is_told_as_it_is_now():
    """Of each stream the newest state of the line that goes on, until it ends."""
    decoder = MultiplexedDecoder(ID)
    bar = b"".join(b"\rframe %06d of 38000" % n for n in range(2000))
    decoder.feed(frame(T1 + b" " + bar[:PART]) + frame(T2 + b" whole\n", 2))
    assert decoder.is_open
    (told,) = decoder.partial()
    assert (told.time, told.container, told.stream) == (T1.decode(), ID, "stdout")
    assert told.text == "frame 000744 of 38000"
    decoder.feed(frame(T1 + b" " + b"\rFINISHED\n"))
    assert not decoder.is_open
    assert decoder.partial() == []


def test_what_a_terminal_has_not_ended_is_told_without_the_times_of_its_parts():
    """Those stand before each part, and are no part of the text."""
    decoder = TtyDecoder(ID)
    decoder.feed(T1 + b" Password: ")
    assert decoder.is_open
    assert [one.text for one in decoder.partial()] == ["Password: "]
    decoder.feed(b"\r\n" + b"".join(T2 + b" " + b"%d " % n * (PART // 2) for n in range(1, 4)))
    (told,) = decoder.partial()
    assert told.time == T2.decode()
    assert told.text.startswith("1 1 ")
    assert told.text.endswith("3 3 ")
    decoder.feed(b"\r\n")
    assert decoder.partial() == []


@given(st.binary(max_size=300), st.lists(st.integers(0, 400), max_size=5))
def test_what_is_not_ended_never_fails(data: bytes, places: list[int]):
    """Whatever comes, cut anywhere."""
    for decoder, whole in (
        (TtyDecoder(ID), T1 + b" " + data),
        (MultiplexedDecoder(ID), frame(data)),
    ):
        for chunk in cut(whole * 3, places):
            decoder.feed(chunk)
            assert bool(decoder.partial()) == decoder.is_open


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("  5 1234k    5  61k\r 10 1234k   10 123k", " 10 1234k   10 123k"),  # curl
        ("\r0% [Working]\r            \r0% [Connecting to deb]", "0% [Connecting to deb]"),  # apt
        ("\x1b[1G\x1b[0K⠙ reify:x\x1b[1G\x1b[0K⠹ reify:y", "⠹ reify:y"),  # npm
        ("\x1b[?25l   \x1b[90m━━\x1b[0m 0.0/5 MB\r\x1b[2K   ━━ 1.0/5 MB", "   ━━ 1.0/5 MB"),  # pip
        ("\r  0%|  | 0/10\x1b[A\r 10%|█ | 1/10", " 10%|█ | 1/10"),  # tqdm, one in the other
        ("frame= 123 fps=25    \rframe= 150 fps=25    \r", "frame= 150 fps=25    "),  # ffmpeg
        ("remote: 12% (1/8)\x1b[K\rremote: 25% (2/8)\x1b[K\r", "remote: 25% (2/8)"),  # git
        (
            "\x1b[1A\x1b[2K\r1f2e: Downloading 1MB/9MB\x1b[1B",
            "1f2e: Downloading 1MB/9MB",
        ),  # docker pull
        ("Solving: - \b\b\\ \b\b| \b\b", "Solving: | "),  # conda
        ("Downloading (0%)\b\b\b\b(12%)", "Downloading (12%)"),  # composer
        ("<==--> 12%\x1b[m\x1b[10D<===-> 13%\x1b[m\x1b[10D", "<===-> 13%"),  # gradle
        ("\x1b7  1% █  \x1b8\x1b[0K\x1b7 12% ██ \x1b8\x1b[0K", " 12% ██ "),  # apk
    ],
)
def test_progress_of_tools_is_seen_as_it_is_now(written: str, seen: str) -> None:
    """As a terminal would show it, whichever way it goes back."""
    assert seen_text(newest_state(written.encode())) == seen
