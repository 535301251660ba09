"""What a view says of itself: its body, its answer, what may stand in its query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Parameter(NamedTuple):
    """One value of a query."""

    schema: dict[str, Any]
    about: str
    required: bool = False


class Operation(NamedTuple):
    """``body``: a pydantic model, ``form``: or the same as a form with a folder; ``gives``: the TypedDict of the answer, or the media types of one
    that has none, or None for one without content."""

    body: type | None
    gives: Any
    status: int
    query: Mapping[str, Parameter]
    form: bool = False


def operation(
    *,
    gives: Any = None,
    body: type | None = None,
    status: int = 0,
    query: Mapping[str, Parameter] | None = None,
    form: bool = False,
) -> Callable[[View], View]:
    """Describe a view of the API; its docstring says what it does. ``status`` is 200, or 204 where
    there is nothing to give, unless said."""

    def describe(view: View) -> View:
        good = status or (200 if gives is not None else 204)
        view.operation = Operation(body, gives, good, query or {}, form)  # type: ignore[attr-defined]
        return view

    return describe
