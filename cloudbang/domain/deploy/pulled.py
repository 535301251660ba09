"""How far an image is fetched: layer by layer, from the lines in which an engine tells of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cloudbang.domain.names import is_container_id

MOST = 40  # layers that are told of one by one
_AGAIN = re.compile(r"Retrying in \d+ second")
DONE = ("Pull complete", "Already exists")
# Of these the first word of a layer is enough: the rest is what the bars show.
_SAID = frozenset({"Pull complete", "Already exists"})


@dataclass(frozen=True, slots=True)
class Layer:
    """``done`` of ``total`` bytes of what it does now; 0 where that is not known."""

    id: str
    status: str = ""
    done: int = 0
    total: int = 0
    size: int = 0  # bytes that had to be fetched, where that was told


class PullProgress:
    """Takes what the engine tells; ``told`` is how far it is."""

    def __init__(self) -> None:
        self._layers: dict[str, Layer] = {}
        self._retried: set[str] = set()

    def feed(self, layer: str, status: str, done: int = 0, total: int = 0) -> str | None:
        """A line for the log where this is worth one."""
        if not is_container_id(layer):  # ids of layers are as short
            return f"{layer}: {status}" if layer else status
        before = self._layers.get(layer, Layer(layer))
        now = replace(before, status=status, done=done, total=total)
        if status == "Downloading" and total:
            now = replace(now, size=total)
        if status in DONE:
            now = replace(now, done=now.size, total=now.size)
        self._layers[layer] = now
        if _AGAIN.match(status):
            # It counts the seconds down.
            return None if layer in self._retried else self._retry(layer)
        self._retried.discard(layer)
        return f"{layer}: {status}" if status in _SAID and status != before.status else None

    def _retry(self, layer: str) -> str:
        self._retried.add(layer)
        return f"{layer}: the registry broke off, it is asked again"

    @property
    def told(self) -> dict[str, object]:
        """For the step: layers as ``[id, status, done, total]``, and the bytes of all together."""
        layers = list(self._layers.values())
        fetched = sum(_fetched(layer) for layer in layers)
        return {
            "layers": [[one.id, one.status, one.done, one.total] for one in layers[:MOST]],
            "layers_done": sum(one.status in DONE for one in layers),
            "layers_all": len(layers),
            "done": fetched,
            "total": sum(one.size for one in layers),
        }


def _fetched(layer: Layer) -> int:
    """Its bytes that have come."""
    return layer.done if layer.status == "Downloading" else layer.size
