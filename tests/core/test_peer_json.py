"""What others say in JSON is read whole or refused, and can be shown."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.core.peer_json import DEEPEST, read_json
from cloudbang.errors import BadRequest, shown
from tests.support import DEEP

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_what_is_said_is_what_is_read(value: Any) -> None:
    assert read_json(orjson.dumps(value)) == value
    assert read_json(orjson.dumps([value] * 100).decode()) == [value] * 100


@pytest.mark.parametrize(
    ("before", "after", "each"), [("[", "]", 1), ('{"a":', "}", 1), ('[0,{"a":', "}]", 2)]
)
def test_what_is_nested_too_deeply_is_no_json(before: str, after: str, each: int) -> None:
    """To the depth that is said, and no deeper; as a text, and as bytes."""
    n = DEEPEST // each
    fits = before * n + "1" + after * n
    assert read_json(fits) == read_json(fits.encode()) == orjson.loads(fits)
    for text in (f"[{fits}]", f"[{fits}]".encode(), DEEP):
        with pytest.raises(orjson.JSONDecodeError):
            read_json(text)


def test_what_cannot_be_written_can_be_shown() -> None:
    """It may come in other ways than by JSON."""
    deep = orjson.loads(DEEP)
    assert shown(deep) == "a deeply nested list"
    assert shown({"a": [1]}, 6) == "{'a': "
    assert str(BadRequest("channel", deep, "a text")).startswith("channel is a deeply nested list")
