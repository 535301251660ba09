"""What the tests of alerts begin with: a ground on which nothing was said yet, and a webhook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitoring.alerts.ground import Ground, ground
from tests.monitoring.alerts.services import Service, service


@pytest.fixture
def hook() -> Iterator[Service]:
    """A service that takes whatever it is told."""
    with service() as made:
        yield made


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Ground]:
    """Without rules and receivers: a module that wants some of them lays its own over it."""
    with ground(tmp_path) as one:
        yield one
