"""A minute of 2,000 lines/s from each of 10 containers with 50 viewers, 5 of them stuck."""

from __future__ import annotations

import uuid
from typing import Any

from bench.bench_live import private_engine, remove, serving
from tests.faults.soak import soak

SECONDS = 60


def run() -> list[dict[str, object]]:
    made: list[Any] = []
    with private_engine() as (engine, image), serving(engine) as server:

        def start(command: str) -> Any:
            made.append(
                engine.client.containers.run(
                    image,
                    ["sh", "-c", command],
                    name=f"soak-{uuid.uuid4().hex[:8]}",
                    network_mode="none",
                    stop_signal="KILL",
                    detach=True,
                )
            )
            return made[-1]

        result = soak(server, start, seconds=SECONDS)
        remove(made)
    reading = [viewer for viewer in result.viewers if not viewer["stuck"]]
    lost = sum(viewer["missed"] + viewer["repeated"] for viewer in result.viewers)
    late = sum(viewer["gaps"] for viewer in reading)
    what = f"{SECONDS} s, 10 containers, 50 viewers (5 stuck)"

    def row(name: str, value: float, unit: str, limit: float | None) -> dict[str, object]:
        return {
            "name": f"{what}: {name}",
            "value": value,
            "unit": unit,
            "limit": limit,
            "better": "lower",
        }

    return [
        # Compared line by line: a difference would have ended the run.
        {**row("lines stored, all exactly once", result.lines, "lines", 1), "better": "higher"},
        row("lines missed or doubled by a viewer", lost, "lines", 0),
        row("gaps sent to viewers that read", late, "gaps", 0),
        row("loop lag p99", result.lag_p99 * 1000, "ms", 50),
        row("a process that only sleeps, woken late, p99", result.machine_lag * 1000, "ms", None),
        row("memory growth after warming up", result.growth / 1e6, "MB", 20),
        row("processor", result.cpu, "cores", None),
    ]
