"""``make bench``: every benchmark, each in a process of its own, as one table.

A benchmark is a module ``bench/bench_*.py`` with ``run() -> list[dict]``; a row has ``name``,
``value``, ``unit``, ``limit`` (None where there is none) and ``better`` (``higher`` or ``lower``).
What is compared is compared within one run. ``python -m bench fanout store`` runs only those; what
takes many minutes (``LONG``) runs only when it is named. Each has ten minutes, those more than an hour.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
LIMIT_SECONDS = 600
LONG = {"bench_traffic_long": 4000}  # seconds


def measure(name: str) -> list[dict[str, object]]:
    """The rows of one benchmark, from a fresh process."""
    within = LONG.get(name, LIMIT_SECONDS)
    code = (
        "from gevent import monkey; monkey.patch_all()\n"
        f"import json; from bench import {name} as b\n"
        "print('ROWS ' + json.dumps(b.run()))"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=HERE.parent,
            stdout=subprocess.PIPE,
            timeout=within,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [{"name": f"{name} has not ended within {within} s", "value": None}]
    for text in reversed(done.stdout.splitlines()):
        if text.startswith("ROWS "):
            rows: list[dict[str, object]] = json.loads(text.removeprefix("ROWS "))
            return rows
    return [{"name": f"{name} failed (exit {done.returncode})", "value": None}]


def number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else "-"


def verdict(row: dict[str, object]) -> str:
    value, limit = row.get("value"), row.get("limit")
    if not isinstance(value, int | float):
        return "failed"
    if not isinstance(limit, int | float):
        return ""
    met = value >= limit if row.get("better") == "higher" else value <= limit
    return "holds" if met else "misses"


def main() -> int:
    names = sorted(p.stem for p in HERE.glob("bench_*.py"))
    if wanted := sys.argv[1:]:
        names = [n for n in names if n in wanted or n.removeprefix("bench_") in wanted]
    else:
        names = [n for n in names if n not in LONG]
    cores = len(os.sched_getaffinity(0))
    print(f"{platform.platform()}, {cores} cores, Python {platform.python_version()}\n")
    print(f"| {'what':<72} | {'measured':>12} | {'limit':>12} | unit | |")
    print(f"| {'-' * 72} | {'-' * 11}: | {'-' * 11}: | --- | --- |")
    missed, took = 0, dict[str, float]()
    for name in names:
        began = time.monotonic()
        rows = measure(name)
        took[name] = time.monotonic() - began
        for row in rows:
            word = verdict(row)
            missed += word in ("misses", "failed")
            sign = {"higher": "≥ ", "lower": "≤ "}.get(str(row.get("better")), "")
            limit = sign + number(row["limit"]) if row.get("limit") is not None else ""
            print(
                f"| {row['name']!s:<72} | {number(row.get('value')):>12} | {limit:>12} "
                f"| {row.get('unit', '')} | {word} |",
                flush=True,
            )
    print("\n" + ", ".join(f"{n.removeprefix('bench_')} {took[n]:.0f} s" for n in names))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
