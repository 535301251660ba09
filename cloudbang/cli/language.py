"""The language of who sits at the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping


def is_chinese(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal's language is Chinese, by the order POSIX gives these variables."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(name, ""):
            return value.lower().startswith("zh")
    return False
