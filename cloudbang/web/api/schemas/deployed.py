"""What of an app that was deployed is so now."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict


class Address(TypedDict):
    """Where an app answers. ``local``: for who sits at the machine alone; ``port``: at a port of its
    own (0 for the others), by whatever name somebody reaches the machine."""

    url: str
    kind: Literal["domain", "local", "port"]
    port: int


class Deployed(TypedDict):
    """``serving``: the release that serves, null where none does; ``replicas``: null for as many as it
    says; ``addresses``: the best first; ``usual``: seconds that a step of a deployment takes as a
    rule."""

    serving: int | None
    stopped: bool
    replicas: int | None
    addresses: list[Address]
    usual: dict[str, float]
