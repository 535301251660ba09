"""Podman, which understands what is asked of Docker and does some of it otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_podman(version: Mapping[str, Any]) -> bool:
    """Whether that is who gave this answer of ``GET /version``."""
    return any(part.get("Name") == "Podman Engine" for part in version.get("Components") or ())
