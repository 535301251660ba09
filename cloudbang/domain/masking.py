"""What an app's secrets hold is in no line that is kept or shown, whoever printed it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cloudbang.domain.docker_stream import Decoder
from cloudbang.domain.partial_line import PartialLine

MASK = b"\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"  # •••
SHORTEST = 4  # bytes of a secret that is looked for: a shorter one is in every text
SHORTEST_LINE = 8  # and of one line of several, as of a file: "true" or "server {" are no secrets
_STREAM_AT = 44  # bytes before the stream in a record: its time, its container, two blanks

Secret = re.Pattern[bytes]
"""What is not to be seen of an app."""


def pattern_of(secrets: Iterable[str]) -> Secret | None:
    """What matches any of them, the longest first; None where there is nothing to look for. Of one
    with several lines each line: they come one by one."""
    parts: set[bytes] = set()
    for value in secrets:
        lines = [line.strip().encode() for line in value.strip().split("\n")]
        least = SHORTEST if len(lines) == 1 else SHORTEST_LINE
        parts.update(line for line in lines if len(line) >= least)
    found = sorted(parts, key=len, reverse=True)
    return re.compile(b"|".join(map(re.escape, found))) if found else None


def masked(records: list[bytes], secret: Secret) -> list[bytes]:
    """The same records without what the secrets hold; their times and containers stay."""
    if not secret.search(b"".join(records)):
        return records
    return [_masked(record, secret) for record in records]


def _masked(record: bytes, secret: Secret) -> bytes:
    at = record.index(b" ", _STREAM_AT) + 1
    return record[:at] + secret.sub(MASK, record[at:])


class MaskedDecoder:
    """A decoder whose records have no secret in them. Before anything else looks at them: what is
    read again is compared with what is stored, byte by byte."""

    def __init__(self, decoder: Decoder, secret: Secret) -> None:
        self._decoder, self._secret = decoder, secret

    @property
    def problems(self) -> list[str]:
        return self._decoder.problems

    @property
    def is_open(self) -> bool:
        return self._decoder.is_open

    def partial(self) -> list[PartialLine]:
        return [line._replace(text=self._shown(line.text)) for line in self._decoder.partial()]

    def feed(self, data: bytes) -> list[bytes]:
        return masked(self._decoder.feed(data), self._secret)

    def flush(self) -> list[bytes]:
        return masked(self._decoder.flush(), self._secret)

    def _shown(self, text: str) -> str:
        return self._secret.sub(MASK, text.encode("utf-8", "replace")).decode("utf-8", "replace")


AnyDecoder = Decoder | MaskedDecoder
