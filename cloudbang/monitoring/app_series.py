"""The series of one app, or of the node, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from cloudbang.domain.metrics.catalogue import OF_APPS, OF_NODES, SLOW, Metric
from cloudbang.domain.metrics.exposed import Why
from cloudbang.domain.metrics.own_samples import NotTaken, Sample
from cloudbang.domain.metrics.series import Labels
from cloudbang.domain.metrics.sweep import InstanceSample
from cloudbang.monitoring.own import OwnMetrics
from cloudbang.monitoring.ring import KEPT, Ring

SHORT = 12  # digits of a container's id
OWN_STEP = 10
ACTIVE = 60  # seconds without a value after which nobody waits for the next one

Id = tuple[str, Labels]


class AppSeries:
    """``rings`` of the app as a whole, its own metrics among them; ``instances`` by the short ids of
    its containers, while it has more than one; ``quantiles`` of what is distributed, which are shown
    and never written down: those of a longer time come from its counts. ``why``: what is not measured,
    by short id and metric; ``not_exposed``: what it exposes itself and is not read, by short id."""

    __slots__ = (
        *("_catalogue", "_ids", "instances", "own", "quantiles", "rings", "seen", "why"),
        *("refused", "last_refused", "not_exposed"),
    )

    def __init__(self, *, node: bool = False) -> None:
        self._catalogue: Mapping[str, Metric] = OF_NODES if node else OF_APPS
        self.rings: dict[Id, Ring] = {}
        self.instances: dict[str, dict[str, Ring]] = {}
        self.quantiles: dict[Id, Ring] = {}
        self.own: OwnMetrics | None = None
        self.why: dict[str, dict[str, str]] = {}
        self.not_exposed: dict[str, Why] = {}
        self.seen = 0  # when something was measured last
        self.refused = 0  # samples of its own
        self.last_refused: tuple[int, NotTaken] | None = None
        self._ids: dict[str, Id] = {}  # one tuple for all seconds

    # --- what comes ----------------------------------------------------------------------------

    def take(self, time: int, expected: Sequence[str], found: Sequence[InstanceSample]) -> None:
        """What was measured of its instances; names that nobody knows, of an agent that is newer, are
        left out. Where one is missing that runs, there is no value of
        the app: a gap, not a dip."""
        self.seen = time
        if len(expected) == 1:
            if found and found[0].container == expected[0]:
                for name, value in found[0].values.items():
                    if name in self._catalogue:
                        self.put(time, name, value)
            return
        values: dict[str, list[float]] = {}
        for sample in found:
            if sample.container in expected:
                rings = self.instances.setdefault(sample.container[:SHORT], {})
                for name, value in sample.values.items():
                    if name not in self._catalogue:
                        continue
                    values.setdefault(name, []).append(value)
                    if name not in rings:
                        rings[name] = Ring(self._catalogue[name].step)
                    rings[name].put(time, value)
        for name, measured in values.items():
            over = self._catalogue[name].over
            if over != "one" and len(measured) == len(expected):
                self.put(time, name, sum(measured) if over == "sum" else max(measured))

    def put(self, time: int, name: str, value: float, labels: Labels = ()) -> None:
        """A value of the app as a whole."""
        key = (name, labels) if labels else self._ids.setdefault(name, (name, ()))
        ring = self.rings.get(key)
        if ring is None:
            ring = self.rings[key] = Ring(self._catalogue[name].step)
        ring.put(time, value)
        self.seen = max(self.seen, time)

    def put_quantile(self, time: int, key: Id, value: float | None) -> None:
        if key not in self.quantiles:
            self.quantiles[key] = Ring(OWN_STEP)
        self.quantiles[key].put(time, value)

    def take_own(self, sample: Sample) -> list[tuple[str, Labels, float]]:
        """A sample that a program sent: what it came to, now. Raises NotTaken."""
        if self.own is None:
            self.own = OwnMetrics()
        told = self.own.take(sample)
        for one in told:
            key = one.name, one.labels
            if key not in self.rings:
                self.rings[key] = Ring(OWN_STEP, "d")
            begin = one.time - one.time % OWN_STEP
            self.rings[key].put(one.time, self.own.open(begin).points[key].mean)
            self.seen = max(self.seen, one.time)
        return [(one.name, one.labels, one.value) for one in told]

    def refuse(self, time: int, why: NotTaken) -> None:
        self.refused += 1
        self.last_refused = time, why

    def own_unit(self, name: str, labels: Labels) -> str:
        """Of a metric of its own."""
        return (self.own and self.own.unit_of(name, labels)) or "1"

    def cut(self, time: int) -> None:
        """The clock was set back to ``time``."""
        for ring in self.all_rings():
            ring.cut(time)
        self.seen = min(self.seen, time)

    def tidy(self, time: int) -> None:
        """Let go of what has nothing any more that is kept."""
        for container, rings in list(self.instances.items()):
            if all(ring.end <= time - KEPT for ring in rings.values()):
                del self.instances[container]
        for kept in (self.rings, self.quantiles):
            for key in [key for key, ring in kept.items() if ring.end <= time - KEPT]:
                del kept[key]

    def say(self, container: str, why: dict[str, str]) -> None:
        short = container[:SHORT]
        if why:
            self.why[short] = dict(why)
        else:
            self.why.pop(short, None)

    def say_exposed(self, container: str, why: Why | None) -> None:
        """Why what an instance exposes is not read, or not all of it; None when it is."""
        short = container[:SHORT]
        if why is None:
            self.not_exposed.pop(short, None)
        else:
            self.not_exposed[short] = why

    # --- what there is -------------------------------------------------------------------------

    def all_rings(self) -> Iterator[Ring]:
        yield from self.rings.values()
        yield from self.quantiles.values()
        for rings in self.instances.values():
            yield from rings.values()

    def ring_of(self, name: str, labels: Labels) -> Ring | None:
        key = name, labels
        if (found := self.rings.get(key) or self.quantiles.get(key)) is not None:
            return found
        if len(labels) == 1 and labels[0][0] == "container":
            return self.instances.get(labels[0][1], {}).get(name)
        return None

    def history(self, newest: int, seconds: int) -> list[dict[str, object]]:
        """What is live, one list of values each: see docs/protocols/metrics.md. Without units."""
        told: list[dict[str, object]] = []
        for name, labels, ring in self.series():
            begin = newest - newest % ring.step
            end = begin + ring.step if ring.end > begin or ring.step == 1 else begin
            values = [rounded(value) for value in ring.between(end - seconds, end)]
            if any(value is not None for value in values):
                told.append(
                    {
                        "name": name,
                        "labels": dict(labels),
                        "step": ring.step,
                        "end": end - ring.step,
                        "values": values,
                    }
                )
        return told

    def series(self) -> Iterator[tuple[str, Labels, Ring]]:
        """All that is live, those of single instances as well."""
        for shown in (self.rings, self.quantiles):
            for (name, labels), ring in shown.items():
                yield name, labels, ring
        for container, rings in self.instances.items():
            for name, ring in rings.items():
                yield name, (("container", container),), ring

    def written(self) -> Iterator[tuple[str, Labels, Ring]]:
        """Those whose slabs are made of what is in memory: what programs measure of themselves has
        slabs of its own, made as it comes."""
        for (name, labels), ring in list(self.rings.items()):
            if name in self._catalogue:
                yield name, labels, ring
        for container, by_name in list(self.instances.items()):
            for name, ring in list(by_name.items()):
                yield name, (("container", container),), ring

    def now(self, time: int, slow: bool) -> list[list[object]]:
        """What was measured at ``time``, as it is told: ``[name, labels, value]``. None for what was
        due and could not be."""
        told: list[list[object]] = []
        for name, labels, ring in self.series():
            if ring.step > SLOW or (ring.step == SLOW and not slow):
                continue  # told when it comes; not due
            begin = time - time % ring.step
            if ring.end > begin:
                (value,) = ring.between(begin, begin + 1)
                told.append([name, dict(labels), rounded(value)])
            elif ring.end > time - ACTIVE:
                told.append([name, dict(labels), None])
        return told

    def not_measured(self, say: Callable[[str], str]) -> list[dict[str, str]]:
        """``name`` (empty: what it exposes itself), ``container`` (short, empty: of the whole) and
        ``why``, in the language of ``say``."""
        found = [
            {"name": name, "container": container, "why": say(why)}
            for container, whys in sorted(self.why.items())
            for name, why in sorted(whys.items())
        ]
        for container, (sentence, facts) in sorted(self.not_exposed.items()):
            why = say(sentence).format(**facts)
            found.append({"name": "", "container": container, "why": why})
        return found


def rounded(value: float | None) -> float | None:
    """To six digits: what is in memory has no more."""
    return None if value is None else float(f"{value:.6g}")
