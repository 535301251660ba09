"""What is made of Python for the pages' JavaScript is as it would be made now."""

from __future__ import annotations

import pytest

from scripts.generate import FILES, ROOT


@pytest.mark.parametrize("path", FILES)
def test_what_is_generated_is_up_to_date(path: str) -> None:
    """Else: `make generated`."""
    assert (ROOT / path).read_text(encoding="utf-8") == FILES[path](), f"make generated: {path}"
