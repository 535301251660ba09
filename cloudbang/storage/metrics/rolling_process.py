"""``python -m cloudbang.storage.metrics.rolling_process PATH JSON``: once through all that is to be done.

Prints one line of JSON: what is told of it to who started it, and ends when that one does.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cloudbang.errors import CloudBangError
from cloudbang.storage.metrics import metrics_file
from cloudbang.storage.metrics.blocks import Blocks
from cloudbang.storage.metrics.metrics_file import Kind
from cloudbang.storage.metrics.retention import Limits, Retention
from cloudbang.storage.metrics.rolling import Rolling
from cloudbang.storage.sqlite import in_words

_PR_SET_PDEATHSIG = 1
NICE = 10


def once(
    connection: sqlite3.Connection,
    now: int,
    limits: Limits,
    steady: bool,
    at: Callable[[str], None] = lambda step: None,
) -> dict[str, Any]:
    """Turn slabs into blocks, roll up, delete. ``steady``: whether the clock has been right for long
    enough to say what is old."""
    rolling = Rolling(connection, now, at)
    retention = Retention(connection, now, limits, at)
    retention.forgotten()
    rolling.run()
    if steady:
        retention.too_old()
    shrunk = retention.too_much()
    retention.give_back()
    first = next(Blocks(connection).starts(Kind.HOUR), None)
    return {
        "damaged": rolling.damaged,
        "shrunk": shrunk,
        "used": retention.used(),
        "kept": None if first is None else max(0, now - first),
        "series": connection.execute("SELECT count(*) FROM series").fetchone()[0],
    }


def main(path: str, told: str) -> int:
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return 1
    os.nice(NICE)
    asked = json.loads(told)
    connection = None
    try:
        connection = metrics_file.connect(Path(path))
        limits = Limits(**asked["limits"])
        sys.stdout.write(json.dumps(once(connection, asked["now"], limits, asked["steady"])))
    except sqlite3.Error as e:
        error: CloudBangError = in_words(Path(path), e, 0)
        sys.stdout.write(json.dumps({"error": error.code, "reason": str(error)}))
        return 1
    finally:
        if connection is not None:
            connection.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
