"""Comparing what CloudBang stored with what the engine has: every line, once, in order."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from typing import Any

from tests.support import ServerProcess, wait_until

Lines = list[tuple[str, str]]  # (time, text) of one container's stream, in order

TICKER = (
    "i=0; while :; do n=0; while [ $n -lt {burst} ]; do i=$((i+1)); n=$((n+1)); "
    'echo "{name} line $i of what this container has to say"; done; usleep {pause}; done'
)


def ticker(name: str = "out", per_second: int = 1000, burst: int = 20) -> str:
    """A shell loop that logs ``name line <n> …`` with n from 1, about so often a second."""
    return TICKER.format(name=name, burst=burst, pause=burst * 1_000_000 // per_second)


def two_streams(per_second: int = 1000) -> str:
    """:func:`ticker` on standard output and on standard error at once."""
    half = per_second // 2
    return f"({ticker('out', half)}) & ({ticker('err', half)}) >&2"


def engine_lines(container: Any, tty: bool = False) -> dict[str, Lines]:
    """stream -> lines as the engine has them now."""
    found: dict[str, Lines] = {}
    for stream in ("stdout",) if tty else ("stdout", "stderr"):
        raw = container.logs(timestamps=True, stdout=stream == "stdout", stderr=stream == "stderr")
        whole = raw.decode("utf-8", "replace").removesuffix("\n")
        parts = [line.rstrip("\r").split(" ", 1) for line in whole.split("\n") if line]
        found[stream] = [(part[0], part[1] if len(part) > 1 else "") for part in parts]
    return {stream: lines for stream, lines in found.items() if lines}


def lines_of(rows: list[list[Any]], container: Any) -> dict[str, Lines]:
    """stream -> lines of one container among those the API gave, markers among them."""
    found: dict[str, Lines] = defaultdict(list)
    for _, time, short, stream, text in rows:
        if short == container.id[:12]:
            found[stream].append((time, text))
    return dict(found)


def assert_same(server: ServerProcess, app: str, container: Any, tty: bool = False) -> int:
    """What is stored is what the engine has: nothing lost, doubled or swapped. Its line count.

    The container must have ended. Waits until as many lines are stored as the engine has.
    """
    wanted = engine_lines(container, tty)
    total = sum(map(len, wanted.values()))

    def caught_up() -> bool:
        return server.get(f"/api/v1/apps/{app}/lines", limit=1)["next"] > total

    with contextlib.suppress(AssertionError):  # the comparison says it better
        wait_until(caught_up, 30, f"{total} lines of {app}", every=0.1)
    rows = server.lines(app)
    stored = lines_of(rows, container)
    for stream in {*wanted, *stored}:
        _assert_equal(f"{app} {stream}", stored.get(stream, []), wanted.get(stream, []))
    seqs = [row[0] for row in rows]
    assert seqs == list(range(1, len(seqs) + 1)), f"{app}: seqs do not grow by one from 1"
    return total


def _assert_equal(what: str, stored: Lines, wanted: Lines) -> None:
    if stored == wanted:
        return
    have, want = set(stored), set(wanted)
    first = next(
        (i for i, (a, b) in enumerate(zip(stored, wanted, strict=False)) if a != b),
        min(len(stored), len(wanted)),
    )
    raise AssertionError(
        f"{what}: {len(stored)} stored, {len(wanted)} on the engine; "
        f"{len(want - have)} missing, {len(have - want)} not the engine's, "
        f"{len(stored) - len(have)} doubled; first difference at {first}:\n"
        f"  stored {stored[max(0, first - 1) : first + 3]}\n"
        f"  engine {wanted[max(0, first - 1) : first + 3]}"
    )
