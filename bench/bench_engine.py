"""An engine that was stopped for a minute: how long until every container is read again."""

from __future__ import annotations

import time

from bench.bench_live import has_apps, private_engine, remove, serving
from cloudbang.domain.lines import format_time, parse_time
from tests.support import ServerProcess, wait_until

CONTAINERS, STOPPED = 20, 60.0


def _first(server: ServerProcess, app: str, since: float) -> float:
    """When the first line since then that is stored was printed, both in seconds since 1970; 0
    without one."""
    asked = f"since={format_time(int(since * 1e9))}&limit=2000"
    lines = server.get(f"/api/v1/apps/{app}/lines?{asked}")["lines"]
    return min((parse_time(line[1]) / 1e9 for line in lines), default=0.0)


def run() -> list[dict[str, object]]:
    with private_engine() as (engine, image), serving(engine) as server:
        made = [
            engine.client.containers.run(
                image,
                ["sh", "-c", "while :; do echo tick; usleep 50000; done"],
                name=f"tick{n}",
                network_mode="none",
                restart_policy={"Name": "always"},
                stop_signal="KILL",
                detach=True,
            )
            for n in range(CONTAINERS)
        ]
        names = [one.name for one in made]
        wait_until(lambda: has_apps(server, CONTAINERS), 60)
        wait_until(lambda: all(_first(server, name, 0) for name in names), 60)
        engine.stop()
        gone = time.time()
        time.sleep(STOPPED)
        engine.start()
        back = time.time()
        late = {}
        while len(late) < CONTAINERS and time.time() < back + 60:
            for name in names:
                if name not in late and (printed := _first(server, name, gone)):
                    # Some are started by the engine only a while after it answers.
                    late[name] = time.time() - max(back, printed)
            time.sleep(0.02)
        remove(made)
    return [
        {
            "name": f"engine stopped for {STOPPED:.0f} s, {CONTAINERS} containers: the last is read again",
            "value": max(late.values()) if len(late) == CONTAINERS else None,
            "unit": "s",
            "limit": 3.0,
            "better": "lower",
        }
    ]
