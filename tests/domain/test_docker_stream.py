"""The decoders of the engine's log streams, byte by byte."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.docker_stream import (
    PART,
    MultiplexedDecoder,
    StreamGarbled,
    TtyDecoder,
    decoder_for,
)
from cloudbang.domain.lines import MAX_TEXT, is_record

ID = "0123456789ab"
T1, T2, T3 = (f"2026-03-04T05:06:07.{n:09d}Z".encode() for n in (1, 20, 300))


PODMAN_PART = 8 * 1024  # what its conmon reads at once


def frame(body: bytes, kind: int = 1) -> bytes:
    return struct.pack(">BxxxI", kind, len(body)) + body


def rec(time: bytes, text: bytes, stream: bytes = b"stdout") -> bytes:
    return b"%b %b %b %b\n" % (time, ID.encode(), stream, text)


def multiplexed(*chunks: bytes) -> list[bytes]:
    decoder = MultiplexedDecoder(ID)
    return [record for chunk in chunks for record in decoder.feed(chunk)] + decoder.flush()


def tty(*chunks: bytes) -> list[bytes]:
    decoder = TtyDecoder(ID)
    return [record for chunk in chunks for record in decoder.feed(chunk)] + decoder.flush()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """``data`` in chunks."""
    at = sorted({p % (len(data) + 1) for p in places} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(at)]


def test_frames_become_records_of_their_stream():
    """Each frame is one line, on stdout or stderr."""
    data = frame(T1 + b" one\n") + frame(T2 + b" two\n", 2) + frame(T3 + b" \n")
    assert multiplexed(data) == [rec(T1, b"one"), rec(T2, b"two", b"stderr"), rec(T3, b"")]


def test_a_size_that_contains_a_newline_byte_is_no_newline():
    """A frame of 266 bytes has LF in its header."""
    body = T1 + b" " + b"x" * 234 + b"\n"
    assert len(body) == 266
    assert multiplexed(frame(body) * 3) == [rec(T1, b"x" * 234)] * 3


@pytest.mark.parametrize("tail", [b"", b"end", b"x" * (PART - 1)])
@pytest.mark.parametrize("newline", [b"\n", b""])
def test_parts_of_a_line_are_rejoined(tail, newline):
    """Parts carry the time of the first; the ``local`` driver forgets the LF of the last."""
    part = b"a" * PART
    data = (
        frame(T1 + b" " + part)
        + frame(T1 + b" " + part)
        + frame(T1 + b" " + tail + newline)
        + frame(T2 + b" next\n")
    )
    assert multiplexed(data) == [rec(T1, part * 2 + tail), rec(T2, b"next")]


def podman(*chunks: bytes) -> list[bytes]:
    decoder = MultiplexedDecoder(ID, podman=True)
    return [record for chunk in chunks for record in decoder.feed(chunk)] + decoder.flush()


@pytest.mark.parametrize("size", [2, PODMAN_PART])
@pytest.mark.parametrize("tail", [b"", b"end", b"x" * PODMAN_PART])
def test_parts_of_podman_are_rejoined(tail, size):
    """They are of any size, each has its own time, and the LF may come alone. The line has the
    time of its end: that of whatever is left of it where reading begins within it."""
    part = b"a" * size
    long = frame(T1 + b" " + part) + frame(T2 + b" " + part)
    for end in (frame(T3 + b" " + tail + b"\n"), frame(T3 + b" " + tail) + frame(T3 + b" \n")):
        data = long + end + frame(T3 + b" next\n")
        assert podman(data) == [rec(T3, part * 2 + tail), rec(T3, b"next")]
        assert podman(*cut(data, [100, 9000, 17000])) == podman(data)
    shared = long + frame(T2 + b" err\n", 2) + frame(T3 + b" end\n")
    assert podman(shared) == [rec(T2, b"err", b"stderr"), rec(T3, part * 2 + b"end")]


@pytest.mark.parametrize("seconds", [b"%02d.000000001Z", b"%02dZ"])
def test_what_podman_leaves_open_is_not_waited_for(seconds):
    """A prompt, a last line without LF: a row of its own once anything comes much later, be it of
    the other stream. Else a reader that reads again would not find where it began."""
    first, soon, late = (b"2026-03-04T05:06:" + seconds % n for n in (7, 7, 9))
    at, then = (b"%b.00000000%bZ" % (t[:19], b"1" if b"." in t else b"0") for t in (first, late))
    wanted = [rec(at, b"working"), rec(then, b"done")]
    started = frame(first + b" work") + frame(soon + b" ing")
    assert podman(started + frame(late + b" done\n")) == wanted
    of_both = started + frame(late + b" oh\n", 2) + frame(late + b" done\n")
    assert podman(of_both) == [wanted[0], rec(then, b"oh", b"stderr"), wanted[1]]
    assert podman(started) == wanted[:1]


def test_parts_of_both_streams_may_interleave():
    """A long line on stderr does not end up in one of stdout."""
    a, b = b"a" * PART, b"b" * PART
    data = (
        frame(T1 + b" " + a)
        + frame(T2 + b" " + b, 2)
        + frame(T1 + b" 1\n")
        + frame(T2 + b" 2\n", 2)
    )
    assert multiplexed(data) == [rec(T1, a + b"1"), rec(T2, b + b"2", b"stderr")]


def test_a_last_line_without_newline_is_not_joined_with_the_next_run():
    """A restarted container's first line stands by itself, even after a full part."""
    part = b"a" * PART
    assert multiplexed(frame(T1 + b" tail") + frame(T2 + b" next\n")) == [
        rec(T1, b"tail"),
        rec(T2, b"next"),
    ]
    assert multiplexed(frame(T1 + b" " + part) + frame(T2 + b" next\n")) == [
        rec(T1, part),
        rec(T2, b"next"),
    ]


def test_an_open_line_comes_out_only_when_the_stream_is_said_to_have_ended():
    """What may go on is held back."""
    decoder = MultiplexedDecoder(ID)
    assert decoder.feed(frame(T1 + b" " + b"a" * PART)) == []
    assert decoder.flush() == [rec(T1, b"a" * PART)]
    terminal = TtyDecoder(ID)
    assert terminal.feed(T1 + b" prompt> ") == []
    assert terminal.flush() == [rec(T1, b"prompt> ")]


@pytest.mark.parametrize("make", [multiplexed, tty])
def test_a_line_over_a_mebibyte_is_cut_and_says_so(make):
    """The text has at most 1 MiB, and its beginning and end; between them stands how much is cut,
    and no character is broken."""
    char = "汉".encode()
    line = b"begin" + char * (MAX_TEXT // 2 - 3) + b" end"
    parts = [line[i : i + PART] for i in range(0, len(line), PART)]
    if make is multiplexed:
        data = b"".join(frame(T1 + b" " + p) for p in parts) + frame(T1 + b" \n")
        after = frame(T2 + b" next\n")
    else:
        data = b"".join(T1 + b" " + p for p in parts) + T1 + b" \r\n"
        after = T2 + b" next\r\n"
    first, second = make(data + after)
    text = first[51:-1]
    assert MAX_TEXT - 100 < len(text) <= MAX_TEXT
    head, remark, tail = text.decode().split("…")
    assert set(head.removeprefix("begin")) == set(tail.removesuffix(" end")) == {"汉"}
    assert head.startswith("begin")
    assert tail.endswith("end")
    assert "1 MiB" in remark
    cut = int(remark.split()[1])
    assert cut == len(line) - len(head.encode()) - len(tail.encode())
    assert second == rec(T2, b"next")


def test_an_endless_tty_line_does_not_grow_without_bounds():
    """16 MiB without LF are not kept, and the line after them is read."""
    decoder = TtyDecoder(ID)
    decoder.feed(T1 + b" ")
    for _ in range(256):
        assert decoder.feed(b"x" * 65536) == []
        assert sum(map(len, decoder._rest)) <= 5 * MAX_TEXT
    long, short = decoder.feed(b"end\r\n" + T2 + b" next\r\n")
    assert len(long) < MAX_TEXT + 60
    assert long.endswith(b"xend\n")
    assert b"[cut: %d bytes" % (256 * 65536 + 3 - (len(long) - 52 - len(remark_of(long)))) in long
    assert short == rec(T2, b"next")


def remark_of(raw: bytes) -> bytes:
    """What stands in the place of the middle."""
    at = raw.index("… [cut".encode())
    return raw[at : raw.index("] …".encode()) + len("] …".encode())]


def progress(count: int, newline: bytes = b"") -> bytes:
    return b"".join(b"\r%06d frames" % n for n in range(count)) + newline


@pytest.mark.parametrize("make", [multiplexed, tty])
def test_progress_that_ends_no_line_is_seen_as_it_comes(make):
    """Of each full part what a CR overwrites is a line of its own, down to the newest state; what
    comes after it is seen with the next one, or at the end; no byte is lost."""
    text = progress(5000) + b"\rDONE"
    parts = [text[i : i + PART] for i in range(0, len(text), PART)]
    if make is multiplexed:
        chunks = [frame(T1 + b" " + part) for part in parts[:-1]]
        chunks.append(frame(T1 + b" " + parts[-1] + b"\n"))
    else:
        chunks = [T1 + b" " + part for part in parts[:-1]]
        chunks.append(T1 + b" " + parts[-1] + b"\r\n")
    decoder = MultiplexedDecoder(ID) if make is multiplexed else TtyDecoder(ID)
    seen = [decoder.feed(chunk) for chunk in chunks]
    late = 0 if make is multiplexed else 1  # a part of a TTY has no size: its end is the next one
    for number, records in enumerate(seen[late:-1]):
        newest = (number + 1) * PART // 14 - 1  # frames of 14 bytes
        assert records[-1].endswith(b"\r%06d frames\n" % newest)
    records = [raw for part in seen for raw in part] + decoder.flush()
    assert len(records) == len(parts)
    assert b"".join(raw[51:-1] for raw in records) == text
    assert records[-1].endswith(b"\rDONE\n")
    assert {raw[:30] for raw in records} == {T1}
    assert make(b"".join(chunks)) == records


def test_a_long_line_that_ends_in_cr_lf_is_one_line():
    """Also where a part ends between the two."""
    text = b"a" * (PART - 1) + b"\r"
    assert multiplexed(frame(T1 + b" " + text) + frame(T1 + b" \n")) == [rec(T1, text)]
    assert tty(T1 + b" " + text + T1 + b" \n") == [rec(T1, text[:-1])]


def test_carriage_returns_inside_a_line_stay():
    """A progress bar is one line; a TTY's CR before LF is not part of it."""
    assert tty(T1 + b" 10%\r20%\r\n") == [rec(T1, b"10%\r20%")]
    assert multiplexed(frame(T1 + b" 10%\r20%\r\n")) == [rec(T1, b"10%\r20%\r")]


def test_tty_lines_that_no_newline_divides_are_told_apart_by_their_times():
    """A last line without LF, then a restart: the engine sends both without anything between."""
    data = T1 + b" tail" + T2 + b" next\r\n"
    assert tty(data) == [rec(T1, b"tail"), rec(T2, b"next")]
    # As the local driver sends the end of a long line.
    part = b"a" * PART
    data = T1 + b" " + part + T1 + b" end\r" + T2 + b" next\r\n"
    assert tty(data) == [rec(T1, part + b"end"), rec(T2, b"next")]


def test_a_time_printed_by_the_application_divides_nothing():
    """It is not later than the engine's."""
    text = T1 + b" INFO started"
    assert tty(T2 + b" " + text + b"\r\n") == [rec(T2, text)]
    assert multiplexed(frame(T2 + b" " + text + b"\n")) == [rec(T2, text)]


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (b"2026-03-04T05:06:07Z", b"2026-03-04T05:06:07.000000000Z"),
        (b"2026-03-04T05:06:07.12Z", b"2026-03-04T05:06:07.120000000Z"),
        (b"2026-03-04T07:06:07.000000001+02:00", b"2026-03-04T05:06:07.000000001Z"),
    ],
)
def test_times_of_other_engines_are_made_the_same(written, normal):
    """Zones and short fractions become 30 characters of UTC."""
    assert multiplexed(frame(written + b" text here\n")) == [rec(normal, b"text here")]
    assert tty(written + b" text here\r\n") == [rec(normal, b"text here")]


def test_a_line_without_a_time_takes_that_of_the_one_before():
    """Nothing is thrown away because its time cannot be read."""
    assert multiplexed(frame(b"2026-03-04T05:06:07Z a\n") + frame(b"no time\n")) == [
        rec(b"2026-03-04T05:06:07.000000000Z", b"a"),
        rec(b"2026-03-04T05:06:07.000000000Z", b"no time"),
    ]


def test_newlines_within_a_frame_divide_it():
    """A journald message may have several lines; a record never has."""
    assert multiplexed(frame(T1 + b" a\nb\n")) == [rec(T1, b"a"), rec(T1, b"b")]


def test_what_the_engine_says_about_itself_is_no_line():
    """A frame of kind 3 is the engine's own error."""
    decoder = MultiplexedDecoder(ID)
    assert decoder.feed(frame(b"Error grabbing logs: EOF", 3)) == []
    assert decoder.problems == ["Error grabbing logs: EOF"]


@pytest.mark.parametrize("data", [T1 + b" a tty line\r\n", b"\xff" * 100])
def test_bytes_that_are_no_frames_are_refused(data):
    """So that nothing invented is stored."""
    with pytest.raises(StreamGarbled):
        multiplexed(data)


texts = st.one_of(
    st.integers(1000, 4000).map(progress),
    st.binary(max_size=60).map(lambda b: b.replace(b"\n", b"")),
    st.integers(PART - 2, PART * 2 + 2).map(lambda n: b"z" * n),
    st.just(b"y" * 234),
)
lines = st.lists(st.tuples(st.sampled_from([1, 2]), texts), max_size=12)
places = st.lists(st.integers(0, 200_000), max_size=12)


def engine_parts(text: bytes) -> list[bytes]:
    """As the engine cuts a line: full parts, then what is left with its LF."""
    whole = len(text) // PART * PART
    return [text[i : i + PART] for i in range(0, whole, PART)] + [text[whole:] + b"\n"]


def overwritten(parts: list[bytes]) -> list[bytes]:
    """What is a record of its own, of a line in these parts."""
    found, rest = [], b""
    for part in parts[:-1]:
        rest += part
        at = rest.rfind(b"\r", 1, len(rest) - 1)
        if at > 0 and rest[:at].strip(b"\r"):
            found.append(rest[:at])
            rest = rest[at:]
    return [*found, rest + parts[-1][:-1]]


@given(lines, places)
def test_the_cuts_of_the_network_do_not_matter_to_frames(lines, places):
    """Whatever the chunks, the records are those of the lines."""
    data, expected = b"", []
    for number, (kind, text) in enumerate(lines):
        time = b"2026-03-04T05:06:07.%09dZ" % number
        parts = engine_parts(text)
        data += b"".join(frame(time + b" " + part, kind) for part in parts)
        stream = (b"", b"stdout", b"stderr")[kind]
        expected += [rec(time, part, stream) for part in overwritten(parts)]
    found = multiplexed(*cut(data, places))
    assert found == expected
    assert all(map(is_record, found))


@given(lines, places)
def test_the_cuts_of_the_network_do_not_matter_to_a_tty(lines, places):
    """Whatever the chunks, the records are those of the lines."""
    data, expected = b"", []
    for number, (_, text) in enumerate(lines):
        time = b"2026-03-04T05:06:07.%09dZ" % number
        parts = engine_parts(text)
        data += b"".join(time + b" " + part for part in parts)[:-1] + b"\r\n"
        expected += [rec(time, part) for part in overwritten(parts)]
    assert tty(*cut(data, places)) == expected


@given(st.binary(max_size=400), places)
def test_garbage_never_breaks_more_than_its_own_stream(data, places):
    """Any bytes give records or StreamGarbled, and the same in any chunks."""

    def outcome(*chunks: bytes) -> list[bytes] | None:
        try:
            return multiplexed(*chunks)
        except StreamGarbled:
            return None

    assert outcome(data) == outcome(*cut(data, places))
    assert tty(data) == tty(*cut(data, places))
    assert all(map(is_record, tty(data)))


def test_the_decoder_is_chosen_by_the_tty():
    assert isinstance(decoder_for(ID, tty=True), TtyDecoder)
    assert isinstance(decoder_for(ID, tty=False), MultiplexedDecoder)
