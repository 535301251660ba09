"""What the tests of the web side share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.web_support import WebGround


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[WebGround]:
    """The web side over real parts, not yet set up."""
    made = WebGround(tmp_path)
    yield made
    made.close()
