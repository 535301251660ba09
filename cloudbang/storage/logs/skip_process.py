"""``python -m cloudbang.storage.logs.skip_process [idle]``: writes skip indexes, a request a line.

Takes one line of JSON (a segment, its blocks, its file of parts) and gives one: how many of the blocks
the file is about now, and its size. ``idle``: it has the processor when nobody else wants it. It may be
ended at any moment: a part that is not whole is written again.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from typing import Any

import zstandard

from cloudbang.domain.skip_terms import terms_of_block
from cloudbang.storage.asked_process import answer
from cloudbang.storage.logs.skip_index import (
    LEAST_BLOCKS,
    PART_BLOCKS,
    PartBuilder,
    append,
    covered,
)

EXPENDABLE = 600
IDLE = "idle"


def answer_to(asked: dict[str, Any]) -> dict[str, Any]:
    """``{"covered": blocks, "added": blocks, "size": bytes}`` after so many ``seconds``, or when there is nothing more
    to do; ``{"gone": true}`` where the segment is not there any more, ``{"error": …}``."""
    try:
        return _grown(asked)
    except FileNotFoundError:
        return {"gone": True}
    except OSError as e:
        return {"error": e.strerror or str(e)}


def _grown(asked: dict[str, Any]) -> dict[str, Any]:
    path, blocks = asked["skip"], asked["blocks"]
    told = [(block[0], block[1], block[4], block[5]) for block in blocks]
    fd = os.open(asked["segment"], os.O_RDONLY | os.O_CLOEXEC)
    try:
        known, size = covered(_content(path), told)
        added = -known
        deadline = time.monotonic() + asked["seconds"]
        while known < len(blocks) and time.monotonic() < deadline:
            its = blocks[known : known + PART_BLOCKS]
            if len(its) < (LEAST_BLOCKS if asked["closed"] else PART_BLOCKS):
                break
            _leave_room(path, asked["keep_free"])
            builder = PartBuilder()
            for block, one in zip(its, told[known : known + PART_BLOCKS], strict=True):
                plain = _text(fd, asked["compressed"], *block[2:5])
                builder.add(one, None if plain is None else terms_of_block(plain))
            size = append(path, size, builder.build())
            known += len(its)
        return {"covered": known, "added": added + known, "size": size}
    finally:
        os.close(fd)


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def _text(fd: int, compressed: bool, at: int, stored: int, plain: int) -> bytes | None:
    """The text of a block; None where that is damaged."""
    raw = os.pread(fd, stored, at)
    if compressed:
        try:
            raw = zstandard.ZstdDecompressor().decompress(raw, max_output_size=plain)
        except zstandard.ZstdError:
            return None
    return raw if len(raw) == plain and raw.endswith(b"\n") else None


def _leave_room(path: str, keep_free: int) -> None:
    disk = os.statvfs(os.path.dirname(path))
    if disk.f_bavail * disk.f_frsize < keep_free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


if __name__ == "__main__":
    sys.exit(answer(answer_to, expendable=EXPENDABLE, idle=sys.argv[1:] == [IDLE]))
