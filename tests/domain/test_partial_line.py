"""Lines that are not ended, as the decoders of the engine's streams tell of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.docker_stream import PART, MultiplexedDecoder, TtyDecoder
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
