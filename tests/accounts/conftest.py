"""What the tests of accounts share."""

from __future__ import annotations

import pytest

from tests.team_support import cheap_hashes


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they really cost is looked at where it is said (``monkeypatch.undo()``)."""
    cheap_hashes(monkeypatch)
