"""What is written of a closed segment's blocks is read back as it was, in whichever way."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudbang.storage.logs import index
from cloudbang.storage.logs.index import Block, CorruptIndex

OUT, ERR = b"0123456789ab stdout", b"0123456789ab stderr"
ALIKE = [frozenset({OUT})] * 3
PAIRS = [frozenset({OUT, ERR}), frozenset({OUT, b"ba9876543210 stdout"})]
MIXED = [frozenset({OUT}), frozenset({OUT, ERR}), frozenset({ERR})]
# As long together as three entries of one key each would be, were each looked at by itself.
SHIFTED = [frozenset({OUT, ERR}), frozenset[bytes](), frozenset({ERR})]
MANY = [None, frozenset({OUT}), None]


def blocks(keys: list[frozenset[bytes] | None]) -> list[Block]:
    times = (b"2026-11-28T10:00:00.000000000Z", b"2026-11-28T10:00:01.000000000Z")
    return [Block(n * 2000, 2000, n * 300, 290, 262_000 + n, *times, k) for n, k in enumerate(keys)]


def read(raw: bytes) -> list[Block]:
    """As a segment's index is read."""
    index.check_listed(raw)
    return index.entries(raw, True, True, 900)


@pytest.mark.parametrize("keys", [[], ALIKE, PAIRS, MIXED, SHIFTED, MANY])
def test_what_is_saved_is_read(tmp_path: Path, keys: list[frozenset[bytes] | None]) -> None:
    path, wanted = tmp_path / "one.idx", blocks(keys)
    index.save(str(path), True, True, 900, wanted)
    assert read(path.read_bytes()) == wanted


@pytest.mark.parametrize("keys", [ALIKE, MIXED])
def test_a_byte_that_changed_is_found(tmp_path: Path, keys: list[frozenset[bytes] | None]) -> None:
    """Wherever it is: what an index says is not believed without its sums."""
    path = tmp_path / "one.idx"
    index.save(str(path), True, True, 900, blocks(keys))
    raw = path.read_bytes()
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 0x41
        with pytest.raises(CorruptIndex):
            read(bytes(changed))
