"""The page of a log while 2,000 lines/s come, as somebody sees it: frames that took too long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.bench_names import secret_of, serving
from bench.bench_pipeline import peer

RATE = 2_000  # lines a second
SECONDS = 10 if os.environ.get("CI") else 30
# Every tenth line passes the filter.
LOOKS = {
    "without a filter": "",
    "filter on": "?q=5+x&hide=1",
    "what is looked for marked": "?q=5+x",
}


def run() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as server,
        peer(server, role="put", app="live", rate=RATE, bus=server.bus_sub),
    ):
        for named, query in LOOKS.items():
            url = f"{server.url}/apps/live/logs{query}"
            done = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "bench.log_page_browser",
                    url,
                    secret_of(server),
                    str(SECONDS),
                ],
                cwd=Path(__file__).parent.parent,
                stdout=subprocess.PIPE,
                text=True,
                timeout=SECONDS + 120,
                check=True,
            )
            found = json.loads(done.stdout.splitlines()[-1])
            if not found["moved"]:
                raise AssertionError("no lines came")
            what = f"{RATE:,} lines/s on the page of a log, {named}"
            frames = f"{what}: frames over 50 ms in {SECONDS} s"
            limit = 0 if named == "filter on" else None
            rows.append(_row(frames, len(found["long"]), "", limit))
            longest = max((script for _, script in found["long"]), default=0.0)
            rows.append(_row(f"{what}: the longest script of those", longest, "ms", None))
    return rows


def _row(name: str, value: float, unit: str, limit: float | None) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}
