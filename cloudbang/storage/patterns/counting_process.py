"""``python -m cloudbang.storage.patterns.counting_process``: counts what it is asked, a line each.

Takes one line of JSON (which blocks, of which two stretches of time, for how long) and gives one.
It ends with who started it. It is the first that gives way where somebody needs the processor or the
memory: what it knows can be counted again.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from typing import Any

import orjson

from cloudbang.storage.logs.index import Block
from cloudbang.storage.logs.segment import Segment
from cloudbang.storage.patterns.counter import Counter, Ref, Stretch

_PR_SET_PDEATHSIG = 1
NICE = 10
MEMORY = 512 * 1024 * 1024  # bytes it may have
EXPENDABLE = "500"


def answer_to(counter: Counter, asked: dict[str, Any]) -> dict[str, Any]:
    """``{"gone": true}`` where a file is not there any more, ``{"error": …}`` where one cannot be read."""
    refs = [
        [
            Ref(
                segment, _block(block), segment.first + block[0], end, grows and block is blocks[-1]
            )
            for (*told, end, grows, blocks) in its
            for segment in (Segment(*told),)
            for block in blocks
        ]
        for its in asked["blocks"]
    ]
    stretches = [
        Stretch(since.encode(), until.encode(), its)
        for (since, until), its in zip(asked["times"], refs, strict=True)
    ]
    try:
        counter.count(asked["app"], stretches, asked["seconds"])
    except FileNotFoundError:
        return {"gone": True}
    except OSError as e:
        return {"error": e.strerror or str(e)}
    return counter.answer(asked["app"], stretches, asked["limit"])


def _block(told: list[Any]) -> Block:
    number, lines, at, stored, plain, oldest, newest = told
    return Block(number, lines, at, stored, plain, oldest.encode(), newest.encode(), None)


def main() -> int:
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return 1
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(EXPENDABLE)
    counter = Counter()
    for line in sys.stdin.buffer:
        told = answer_to(counter, orjson.loads(line))
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
