"""Who refuses: the engine, or something before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from cloudbang.domain.refusals import REFUSALS
from cloudbang.errors import EngineRefused


class RefusedBetween(EngineRefused):
    """The answer is not the engine's: a filter before it (a socket proxy) refused the call."""

    title = "Refused before the engine"
    sentence = (
        "something between CloudBang and the Docker Engine refused {what} ({engine_status}): "
        "python -m cloudbang doctor says which calls it has to allow"
    )
    variants: ClassVar[Mapping[tuple[str, object], str]] = {
        ("call", call): refusal.sentence.en for call, refusal in REFUSALS.items()
    }

    def __init__(self, what: str, engine_status: int, call: str) -> None:
        super().__init__(what, engine_status, "", call)
        self.reason = str(self)
