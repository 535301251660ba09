"""Framing and compression, without a network."""

from __future__ import annotations

import os
import random
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.web.server import frames
from cloudbang.web.server.deflate import negotiate
from cloudbang.web.server.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    RSV1,
    TEXT,
    WORKING,
    Closing,
    Decoder,
    PeerViolation,
    Ping,
    Pong,
    SharedFrame,
    Working,
)

MASK = b"\x37\xfa\x21\x3d"
MIB = 1024 * 1024


def client(payload: bytes, opcode: int = TEXT, first: int = FIN, mask: bytes = MASK) -> bytes:
    """A frame as a client sends it."""
    head = bytearray(frames.header(opcode, len(payload), first))
    head[1] |= 0x80
    return bytes(head) + mask + frames.xor(payload, mask)


def events(decoder: Decoder, pieces: Iterable[bytes]) -> list[object]:
    """All events but WORKING that the pieces decode to."""
    found: list[object] = []
    for piece in pieces:
        decoder.feed(piece)
        while (event := decoder.next()) is not None:
            if not isinstance(event, Working):
                found.append(event)
    return found


def decode(data: bytes, *, step: int = 0, max_message: int = MIB, deflates: bool = False):
    decoder = Decoder(max_message, deflates)
    step = step or max(len(data), 1)
    return events(decoder, (data[at : at + step] for at in range(0, len(data), step)))


def refused(data: bytes, **options: object) -> int:
    """The close code that ``data`` earns."""
    with pytest.raises(PeerViolation) as caught:
        decode(data, **options)  # type: ignore[arg-type]
    assert str(caught.value.close_code) in str(caught.value)
    return caught.value.close_code


def slowly(payload: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_xor_is_the_mask_of_rfc_6455(payload: bytes, mask: bytes) -> None:
    """Masking by one big integer gives what masking byte by byte gives."""
    assert frames.xor(payload, mask) == slowly(payload, mask)


def test_xor_of_a_slice_with_the_spread_mask() -> None:
    """A full slice with the mask spread beforehand is masked the same."""
    payload = os.urandom(frames.SLICE)
    assert frames.xor(payload, MASK, frames.spread(MASK)) == slowly(payload, MASK)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.text(max_size=200), st.binary(max_size=200)),
            st.integers(1, 4),
            st.booleans(),
        ),
        max_size=6,
    ),
    st.integers(1, 60),
    st.booleans(),
)
def test_any_cut_and_fragmentation_decodes_to_the_same(messages, step: int, deflates: bool) -> None:
    """Messages come out whole whatever the frames and the reads they arrive in."""
    data, expected = b"", []
    for message, parts, packed in messages:
        packed = packed and deflates
        payload = message.encode() if isinstance(message, str) else message
        payload = frames.deflate(payload) if packed else payload
        opcode = TEXT if isinstance(message, str) else BINARY
        size = len(payload) // parts + 1
        for part in range(parts):
            bits = (FIN if part == parts - 1 else 0) | (RSV1 if packed and not part else 0)
            data += client(payload[part * size : (part + 1) * size], opcode, bits)
            data += client(b"?", PING) if part < parts - 1 else b""
            opcode = CONTINUATION
        expected += [Ping(b"?")] * (parts - 1) + [message]
    assert decode(data, step=step, deflates=deflates) == expected


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 65535, 65536, 300_001])
@pytest.mark.parametrize("step", [0, 997, 4096])
def test_every_length_of_header(size: int, step: int) -> None:
    """The three ways to write a length, and masks that go on over slices and reads."""
    payload = random.Random(size).randbytes(size)
    assert decode(client(payload, BINARY), step=step) == [payload]
    text = "é漢x" * (size // 6)
    assert decode(client(text.encode()), step=step) == [text]


def test_control_frames_between_fragments() -> None:
    """Pings, pongs and a close are seen inside a fragmented message."""
    data = client(b"a", TEXT, 0) + client(b"1", PING) + client(b"2", PONG)
    data += client(b"b", CONTINUATION) + client(b"\x03\xe8bye", CLOSE)
    assert decode(data, step=1) == [Ping(b"1"), Pong(b"2"), "ab", Closing(1000, "bye")]
    assert decode(client(b"", CLOSE)) == [Closing(None, "")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x02hi", 1002),  # not masked
        (client(b"", 3), 1002),
        (client(b"", 7), 1002),
        (client(b"", 11), 1002),
        (client(b"", 15), 1002),
        (client(b"a", TEXT, FIN | 0x40), 1002),
        (client(b"a", TEXT, FIN | 0x20), 1002),
        (client(b"a", TEXT, FIN | 0x10), 1002),
        (client(b"a", PING, FIN | 0x40), 1002),
        (client(b"a" * 126, PING), 1002),
        (client(b"a", PING, 0), 1002),
        (client(b"a", CONTINUATION), 1002),
        (client(b"a", TEXT, 0) + client(b"b", TEXT), 1002),
        (b"\x82\xff" + b"\xff" * 8 + MASK, 1002),  # a length of 2**64 - 1
        (b"\x82\xff" + b"\x7f" + b"\xff" * 7 + MASK, 1009),
        (client(b"\x03", CLOSE), 1002),
        (client(b"\x03\xe8\xff", CLOSE), 1007),
        (client(b"\xff"), 1007),
        (client(b"\xed\xa0\x80"), 1007),  # a surrogate
        (client(b"\xc0\x80"), 1007),  # overlong
        (client(b"\xf4\x90\x80\x80"), 1007),  # beyond U+10FFFF
        (client("é".encode()[:1]), 1007),  # cut short
        (client(b"\xce\xba", TEXT, 0) + client(b"\xe1", CONTINUATION), 1007),
    ],
)
@pytest.mark.parametrize("step", [0, 1])
def test_what_breaks_the_protocol_is_refused(data: bytes, code: int, step: int) -> None:
    """Each way to break RFC 6455 has its close code, however the bytes arrive."""
    assert refused(data, step=step) == code


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000])
def test_close_codes_that_may_not_be_sent(code: int) -> None:
    """Reserved and unassigned close codes are a protocol error."""
    assert refused(client(code.to_bytes(2, "big"), CLOSE)) == 1002


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999])
def test_close_codes_that_may_be_sent(code: int) -> None:
    """Assigned, registered and private close codes are read."""
    assert decode(client(code.to_bytes(2, "big"), CLOSE)) == [Closing(code, "")]


def test_utf8_fails_at_once() -> None:
    """A bad byte is refused before the rest of its frame has come."""
    data = client(b"\xce\xba\xf4\x90" + b"x" * 1000)
    decoder = Decoder(MIB)
    with pytest.raises(PeerViolation):
        events(decoder, [data[:12]])


@pytest.mark.parametrize("text", ["κόσμε", "\U0010ffff\ud7ff\ue000￿", "a\u0000b", ""])
def test_utf8_that_is_valid_passes_byte_by_byte(text: str) -> None:
    """Code points at the edges pass whatever the cut."""
    assert decode(client(text.encode()), step=1) == [text]


def test_a_message_over_the_limit_is_refused_by_its_header() -> None:
    """Size is checked before the payload comes, over all fragments together."""
    exact = client(b"a" * 60, BINARY, 0) + client(b"a" * 40, CONTINUATION)
    assert decode(exact, max_message=100) == [b"a" * 100]
    over = client(b"a" * 60, BINARY, 0) + client(b"a" * 41, CONTINUATION)
    assert refused(over[:-41], max_message=100) == 1009


def test_a_deflated_bomb_is_refused_early() -> None:
    """What inflates beyond the limit is refused after the limit, not after inflating all."""
    bomb = frames.deflate(bytes(64 * MIB))
    decoder = Decoder(MIB, True)
    decoder.feed(client(bomb, BINARY, FIN | RSV1))
    # The tail of the bomb, its last byte, is not needed to find out.
    for _ in range(MIB // frames.SLICE + 1):
        assert decoder.next() is WORKING
    with pytest.raises(PeerViolation) as caught:
        decoder.next()
    assert caught.value.close_code == 1009


def test_what_cannot_be_inflated_is_refused() -> None:
    """Garbage where deflated data should be is a protocol error."""
    assert refused(client(b"\xff\xff\xff\xff", TEXT, FIN | RSV1), deflates=True) == 1002


def test_a_large_message_is_worked_on_in_slices() -> None:
    """Between two slices the decoder says so, so that others can run."""
    payload = os.urandom(MIB)
    decoder = Decoder(MIB)
    decoder.feed(client(payload, BINARY))
    seen = []
    while (event := decoder.next()) is not None:
        seen.append(event)
    assert seen[:-1] == [WORKING] * (MIB // frames.SLICE - 1)
    assert seen[-1] == payload


def test_final_deflate_blocks_are_read() -> None:
    """A sender may mark its block as the last (RFC 7692, 7.2.3.4)."""
    pack = zlib.compressobj(wbits=-15)
    payload = pack.compress(b"Hello" * 100) + pack.flush(zlib.Z_FINISH) + b"\x00"
    assert decode(client(payload, TEXT, FIN | RSV1), deflates=True) == ["Hello" * 100]


def test_the_examples_of_rfc_7692() -> None:
    """Section 7.2.3: one block, two fragments, no compression, an empty last block."""
    hello = bytes.fromhex("f248cdc9c90700")
    assert decode(client(hello, TEXT, FIN | RSV1), deflates=True) == ["Hello"]
    halves = client(hello[:3], TEXT, RSV1) + client(hello[3:], CONTINUATION)
    assert decode(halves, step=1, deflates=True) == ["Hello"]
    stored = bytes.fromhex("000500faff48656c6c6f00")
    assert decode(client(stored, TEXT, FIN | RSV1), deflates=True) == ["Hello"]
    final = bytes.fromhex("f348cdc9c9070000")
    assert decode(client(final, TEXT, FIN | RSV1), deflates=True) == ["Hello"]
    two = bytes.fromhex("f248050000 00ffffcac9c90700".replace(" ", ""))
    assert decode(client(two, TEXT, FIN | RSV1), deflates=True) == ["Hello"]


@pytest.mark.parametrize("bits", range(8, 16))
def test_a_deflated_message_fits_the_window_it_was_asked_for(bits: int) -> None:
    """What is made for a window inflates with that window, 8 bits (made with 9) included."""
    data = b"".join(random.Random(7).choices([b"abcd", b"efgh", b"0123456789"], k=5000))
    inflater = zlib.decompressobj(-max(bits, 8))
    assert inflater.decompress(frames.deflate(data, bits) + frames.DEFLATE_TAIL) == data


def test_a_shared_frame_is_made_once() -> None:
    """Plain and deflated are each made once and say the same."""
    payload = b'["line",' * 500
    shared = SharedFrame(payload)
    assert shared.deflated is shared.deflated
    assert len(shared.deflated) < len(shared.plain)
    packed = shared.deflated[2:]
    assert shared.deflated[1] == len(packed) < 126
    assert shared.deflated[0] == FIN | RSV1 | TEXT
    assert zlib.decompressobj(-15).decompress(packed + frames.DEFLATE_TAIL) == payload


def test_a_shared_frame_stays_plain_where_deflating_does_not_pay() -> None:
    """Small and incompressible messages are not deflated."""
    for payload in (b"{}", os.urandom(5000)):
        shared = SharedFrame(payload, BINARY)
        assert shared.deflated is shared.plain


BOTH = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


@pytest.mark.parametrize(
    ("offer", "response"),
    [
        ("permessage-deflate", BOTH),
        ("permessage-deflate; client_max_window_bits", BOTH),
        ('permessage-deflate; client_max_window_bits="10"', BOTH),
        ("permessage-deflate;server_no_context_takeover;client_no_context_takeover", BOTH),
        ("permessage-deflate; server_max_window_bits=9", f"{BOTH}; server_max_window_bits=9"),
        ("permessage-deflate; server_max_window_bits=8", f"{BOTH}; server_max_window_bits=8"),
        ("x-webkit-deflate-frame, permessage-deflate", BOTH),
        # the first offer cannot be accepted, the second can
        ("permessage-deflate; server_max_window_bits=7, permessage-deflate", BOTH),
        (
            "permessage-deflate; unknown=1, permessage-deflate; server_max_window_bits=12",
            f"{BOTH}; server_max_window_bits=12",
        ),
        ("", None),
        ("permessage-bzip2", None),
        ("permessage-deflate; server_max_window_bits", None),
        ("permessage-deflate; server_max_window_bits=16", None),
        ("permessage-deflate; server_max_window_bits=09", None),
        ("permessage-deflate; client_max_window_bits=7", None),
        ("permessage-deflate; client_max_window_bits=", None),
        ("permessage-deflate; server_no_context_takeover=1", None),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
        ("permessage-deflate; ", None),
    ],
)
def test_offers_of_compression(offer: str, response: str | None) -> None:
    """The first acceptable offer is taken, as RFC 7692 says, without context takeover."""
    agreement = negotiate(offer)
    assert (agreement.response if agreement else None) == response
