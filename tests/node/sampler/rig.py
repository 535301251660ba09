"""A sampler on an engine, and a sink that keeps what it is given."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from cloudbang.config import EngineSettings, NodeSettings
from cloudbang.core.notices import Notices
from cloudbang.domain.metrics import cgroup
from cloudbang.domain.metrics.series import Labels
from cloudbang.domain.metrics.sweep import InstanceSample, Sweep
from cloudbang.engine import Engine
from cloudbang.node.inventory import Inventory
from cloudbang.node.sampler import Sampler
from cloudbang.node.sampler.controllers import Raw
from cloudbang.node.sampler.hierarchies import Group
from tests.support import wait_until


class Sink:
    """What was taken and said."""

    def __init__(self) -> None:
        self.sweeps: list[Sweep] = []
        self.said: dict[str, dict[str, str]] = {}

    def take(self, sweep: Sweep) -> None:
        self.sweeps.append(sweep)

    def say(self, app: str, container: str, why: dict[str, str]) -> None:
        self.said[container] = why

    def samples(self, container: str) -> list[tuple[int, InstanceSample]]:
        return [
            (s.time, one) for s in self.sweeps for one in s.instances if one.container == container
        ]

    def values(self, container: str, metric: str) -> list[float]:
        """What was measured of it, the oldest first; gaps are left out."""
        return [one.values[metric] for _, one in self.samples(container) if metric in one.values]

    def node(self, metric: str, labels: Labels = ()) -> list[float]:
        return [s.node[metric, labels] for s in self.sweeps if (metric, labels) in s.node]


@dataclass
class Row:
    """``at``: of its counters, by the sampler's clock; ``before`` and ``after``: what is known from
    elsewhere, around the reading, between which others may have had the processor for long."""

    at: float
    before: float
    after: float
    values: dict[str, float]


class Beside:
    """At each reading of a container, what is known of it from elsewhere at that moment."""

    def __init__(self, rig: SamplerRig, container: str, ask: Callable[[], float]) -> None:
        self.rows: list[Row] = []
        known = rig.sampler._known
        wait_until(lambda: container in known, what="it to be known")
        self._measured, self._ask, self._at = known[container], ask, 0.0
        self._sample, self._values = self._measured.sample, self._measured._values

    def __enter__(self) -> Beside:
        vars(self._measured).update(sample=self._sampled, _values=self._valued)
        return self

    def __exit__(self, *_: object) -> None:
        del self._measured.sample, self._measured._values  # the class's own are left

    def _sampled(self, slow: bool) -> InstanceSample:
        before = self._ask()
        taken = self._sample(slow)
        if taken.values:
            self.rows.append(Row(self._at, before, self._ask(), taken.values))
        return taken

    def _valued(self, taken: InstanceSample, raw: Raw, at: float, least: float) -> None:
        self._at = at
        self._values(taken, raw, at, least)

    def counted(self, metric: str) -> tuple[float, float, float]:
        """How much it says happened between the first and the last reading, and the least and the
        most that did."""
        told = sum(row.values[metric] * (row.at - before.at) for before, row in pairwise(self.rows))
        first, last = self.rows[0], self.rows[-1]
        return told, last.before - first.after, last.after - first.before

    def off(self, metric: str) -> float:
        """By how much it mostly says something else than there was at that moment."""
        off = sorted(
            max(0.0, row.before - row.values[metric], row.values[metric] - row.after)
            for row in self.rows
        )
        return off[len(off) // 2]


def ran(pid: int) -> float:
    """Seconds that the scheduler gave a process: no control group has a part in it."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def used(memory: Group) -> float:
    """Bytes, as Docker counts them, of a control group now."""
    one = memory.version == 1
    current = Path(memory.folder, "memory.usage_in_bytes" if one else "memory.current")
    stat = Path(memory.folder, "memory.stat").read_bytes()
    inactive = cgroup.field(stat, b"total_inactive_file" if one else b"inactive_file")
    return cgroup.used(int(current.read_text()), inactive or 0)


class _Names:
    """Every container goes by its own name."""

    def app_of(self, container: str, name: str, app: str) -> str:
        return app

    def known(self, container: str) -> str | None:
        return None

    def keep(self, containers: Collection[str]) -> None:
        pass

    def forget(self, container: str) -> None:
        pass


class _Events:
    def record(self, *_: Any) -> None:
        pass


class SamplerRig:
    """Started at once; ``close`` it."""

    def __init__(self, host: str, settings: NodeSettings = NodeSettings(), **options: Any) -> None:  # noqa: B008
        self.engine = Engine(EngineSettings(host=host))
        self.sink = Sink()
        self.inventory = Inventory(self.engine, _Events(), Notices(), _Names())
        self.sampler = Sampler(self.engine, self.inventory, self.sink, settings, **options)
        self.inventory.start()
        self.sampler.start()

    def measured(
        self, container: str, metric: str, count: int = 1, within: float = 20
    ) -> list[float]:
        """Wait until there are so many values more than now; these."""
        before = len(self.sink.values(container, metric))
        wait_until(
            lambda: len(self.sink.values(container, metric)) >= before + count,
            within,
            f"{count} of {metric}",
        )
        return self.sink.values(container, metric)[before:]

    def close(self) -> None:
        self.sampler.stop()
        self.inventory.stop()
        self.engine.close()
