"""Secrets in what containers print."""

from __future__ import annotations

from cloudbang.domain.docker_stream import decoder_for
from cloudbang.domain.masking import MASK, MaskedDecoder, pattern_of

SHORT = "0123456789ab"
TIME = b"2026-11-30T10:00:00.000000000Z"


def frame(text: bytes) -> bytes:
    body = TIME + b" " + text
    return b"\x01\0\0\0" + len(body).to_bytes(4, "big") + body


def decoder(*secrets: str, tty: bool = False) -> MaskedDecoder:
    secret = pattern_of(secrets)
    assert secret is not None
    return MaskedDecoder(decoder_for(SHORT, tty=tty), secret)


def text_of(record: bytes) -> bytes:
    assert record.startswith(TIME + b" " + SHORT.encode() + b" stdout ")
    return record[len(TIME) + len(SHORT) + 9 :]


LINES = [b"key is hunter2-hunter2 and hunter2", b"nothing", b"hunter2"]
SHOWN = [b"key is " + MASK + b" and " + MASK, b"nothing", MASK]


def fed(one: MaskedDecoder, data: bytes) -> list[bytes]:
    """However the bytes were cut."""
    records: list[bytes] = []
    for at in range(0, len(data), 7):
        records += one.feed(data[at : at + 7])
    return [text_of(record).rstrip(b"\r\n") for record in records]


def test_what_they_hold_is_in_no_record() -> None:
    """What stands around it stays, and so do the other lines."""
    one = decoder("hunter2", "hunter2-hunter2")
    assert fed(one, b"".join(frame(line + b"\n") for line in LINES)) == SHOWN


def test_it_is_in_no_line_that_is_not_ended() -> None:
    one = decoder("hunter2", "hunter2-hunter2", tty=True)
    data = b"".join(TIME + b" " + line + b"\r\n" for line in LINES)
    assert fed(one, data + TIME + b" Password: hunter2") == SHOWN
    assert one.is_open
    assert [line.text for line in one.partial()] == ["Password: •••"]
    assert [text_of(record).rstrip(b"\n") for record in one.flush()] == [b"Password: " + MASK]


def test_a_secret_that_is_like_a_time_or_a_container_leaves_those() -> None:
    """A line is found again by what stands before its text."""
    one = decoder("2026-11-30T10", SHORT, "stdout")
    (record,) = one.feed(frame(b"at 2026-11-30T10:00 in " + SHORT.encode() + b" to stdout\n"))
    assert text_of(record) == b"at " + MASK + b":00 in " + MASK + b" to " + MASK + b"\n"


def test_what_is_too_short_is_in_every_text() -> None:
    """Of a file that is a secret, most lines are words that any program says."""
    assert pattern_of(["abc", "", "a\nb", "app\ntrue\n"]) is None
    secret = pattern_of(["debug: true\nport\npassword: hunter2\n"])
    assert secret is not None
    assert secret.sub(b"-", b"port debug: true password: hunter2") == b"port - -"
