"""What the shapes of the API are made of.

A body is a pydantic model (:class:`Body`): it is read with it. An answer is a TypedDict: mypy checks who makes it,
and it costs nothing where it is made. ``openapi`` describes both, ``scripts/generate.py`` makes
types of them for the pages' JavaScript.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Json = dict[str, Any]

Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""RFC 3339, in UTC."""


def moment(seconds: int) -> Time:
    """Seconds since 1970 as a time."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def moment_if(seconds: int | None) -> Time | None:
    """The same; None for never."""
    return moment(seconds) if seconds else None


Role = Literal["admin", "viewer"]
Team = Annotated[str, Field(max_length=64)]
"""Its name, "" where it is left out."""

Stream = Literal["stdout", "stderr", "marker"]
Seq = Annotated[int, Field(ge=0)]


class Body(BaseModel):
    """What a call takes. A field that it does not know is refused."""

    # Made ready to read with when the first comes: no start waits for what nobody sends.
    model_config = ConfigDict(extra="forbid", defer_build=True)


def one_of(*allowed: str) -> WithJsonSchema:
    """The schema of a text that a validator of ours checks, so that it can say what is allowed."""
    return WithJsonSchema({"type": "string", "enum": list(allowed)})
