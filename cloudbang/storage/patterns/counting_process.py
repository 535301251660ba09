"""``python -m cloudbang.storage.patterns.counting_process``: counts what it is asked, a line each.

Takes one line of JSON (which blocks, of which two stretches of time, for how long) and gives one.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from cloudbang.storage.asked_process import answer
from cloudbang.storage.logs.index import Block
from cloudbang.storage.logs.segment import Segment
from cloudbang.storage.patterns.counter import Counter, Ref, Stretch

EXPENDABLE = 500


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


if __name__ == "__main__":
    sys.exit(answer(partial(answer_to, Counter()), expendable=EXPENDABLE))
