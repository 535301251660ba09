"""A sampler on an engine, and a sink that keeps what it is given."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from cloudbang.config import EngineSettings, NodeSettings
from cloudbang.core.notices import Notices
from cloudbang.domain.metrics.series import Labels
from cloudbang.domain.metrics.sweep import InstanceSample, Sweep
from cloudbang.engine import Engine
from cloudbang.node.inventory import Inventory
from cloudbang.node.sampler import Sampler
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
