"""Business traffic over ten million lines out of a million different paths: memory stays as it is.

What was not counted within an hour is said. Only when it is named: ``python -m bench traffic_long``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.bench_traffic import Counting, memory, resident

LINES, WITHIN = 10_000_000, 3600.0


def run() -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as name:
        counting = Counting(Path(name))
        try:
            return memory(counting, resident(), LINES, WITHIN)
        finally:
            counting.close()
