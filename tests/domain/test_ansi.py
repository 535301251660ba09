"""What is seen of a line with escape sequences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.ansi import strip, strip_bytes

VECTORS = json.loads((Path(__file__).parent.parent / "data" / "ansi.json").read_text("utf-8"))


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["seen"])
def test_what_is_seen(case: dict[str, str]) -> None:
    """The same as text, as bytes, and in the page (tests/js/lib/ansi.test.js)."""
    assert strip(case["text"]) == case["seen"]
    assert strip_bytes(case["text"].encode()) == case["seen"].encode()


@given(st.text(alphabet="\x1b[]()0;:?mPX^_\\\x07 aé云", max_size=60))
def test_bytes_and_text_say_the_same(text: str) -> None:
    """Whatever a container writes."""
    assert strip_bytes(text.encode()).decode() == strip(text)
