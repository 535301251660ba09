"""Own messages are told from strangers' by a code over all of a message."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.bus.mark import Mark

TOPIC, HEADER, BODY = b"log/web/", b'{"v":1,"first":1,"next":2}', b'[[1,"a"]]'


def test_a_signed_header_is_the_same_object_and_a_mark() -> None:
    """What was in the header is still there, and the mark tells nothing else."""
    signed = orjson.loads(Mark().sign(TOPIC, HEADER, BODY))
    mark = signed.pop("mark")
    assert signed == orjson.loads(HEADER)
    assert len(bytes.fromhex(mark)) == 16


@given(part=st.sampled_from((0, 1, 2)), at=st.integers(0), change=st.integers(1, 255))
def test_a_message_with_any_byte_changed_is_a_strangers(part: int, at: int, change: int) -> None:
    """Topic, header with its mark, body: no byte of them can be another."""
    mark = Mark()
    message = [TOPIC, mark.sign(TOPIC, HEADER, BODY), BODY]
    assert mark.proves(*message)
    changed = bytearray(message[part])
    changed[at % len(changed)] ^= change
    message[part] = bytes(changed)
    assert not mark.proves(*message)


def test_bytes_do_not_move_between_the_parts() -> None:
    """The end of a topic and the beginning of a header are not the same."""
    mark = Mark()
    signed = mark.sign(b"log/a/", b'{"v":1}', b"x")
    assert not mark.proves(b"log/", signed, b"x")
    assert mark.sign(b"ab", b'c{"v":1}', b"")[-34:] != mark.sign(b"abc", b'{"v":1}', b"")[-34:]


@given(header=st.binary(max_size=80))
def test_whatever_a_stranger_writes_is_refused(header: bytes) -> None:
    """Headers that are no JSON, too short, or not even text are just not ours."""
    assert not Mark().proves(TOPIC, header, BODY)
    assert not Mark().proves(TOPIC, Mark().sign(TOPIC, HEADER, BODY), BODY)
