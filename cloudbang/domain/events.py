"""Something that happened at a moment, to an app."""

from __future__ import annotations

from dataclasses import dataclass, field

# kind -> what `data` holds. What was found out by inspecting the container, and not told by the
# engine as it happened, has "source": "inspection" as well; its time may be a little off.
KINDS = {
    "create": {},
    "start": {},
    "restart": {},
    "die": {"exit_code": int, "signal": int},
    "oom": {},
    "health": {"status": str},  # healthy | unhealthy | starting
    "pause": {},
    "unpause": {},
    "remove": {},
    "action": {"who": str, "what": str},  # a person's action
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``time`` in RFC 3339 with nanoseconds, UTC; ``container`` a short id or ``""``."""

    app: str
    time: str
    kind: str
    container: str = ""
    data: dict[str, object] = field(default_factory=dict)
    id: int = 0  # given by the store; 0 until then

    def as_json(self) -> dict[str, object]:
        """What the bus, the socket and the API show."""
        return {
            "id": self.id,
            "app": self.app,
            "time": self.time,
            "kind": self.kind,
            "container": self.container,
            "data": self.data,
        }
