"""What went wrong, as RFC 9457 has it."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class Problem(TypedDict):
    """``code`` is stable; ``name`` says which value of the request cannot be used, ``field`` which
    of a specification. Of a deployment that runs already: its ``id``, who began it and when. Of a query: what is its ``mistake``, ``at`` which
    character (from 0), and in which ``part``."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    name: NotRequired[str]
    field: NotRequired[str]
    id: NotRequired[int]
    by: NotRequired[str]
    since: NotRequired[str]
    mistake: NotRequired[str]
    at: NotRequired[int]
    part: NotRequired[str]
