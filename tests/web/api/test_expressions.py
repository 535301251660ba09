"""What the server finds by an expression, by the table that the pages are held to as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloudbang.domain.lines import record
from cloudbang.errors import BadRequest
from cloudbang.web.api.search import matcher

WHEN = b"2025-06-15T15:06:41.000000000Z"
TABLE = json.loads((Path(__file__).parents[2] / "data" / "expressions.json").read_text("utf-8"))


@pytest.mark.parametrize(("source", "spans"), TABLE["expressions"])
def test_an_expression_is_refused_or_finds_what_the_table_says(
    source: str, spans: list[Any] | None
) -> None:
    """Refused by both, or found in the same texts by both."""
    if spans is None:
        with pytest.raises(BadRequest):
            matcher(source, regex=True)
        return
    found = matcher(source, regex=True)
    for text, span in zip(TABLE["texts"], spans, strict=True):
        line = record(WHEN, b"0123456789ab", b"stdout", text.encode())
        assert (found is None or found(line)) == (span is not None), text
