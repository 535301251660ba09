"""Which shells are tried, and what the engine says when one cannot be started."""

from __future__ import annotations

import re

# The best shell there is. A constant: nothing from outside ever becomes part of it.
FIND_SHELL = """
for shell in bash ash; do command -v "$shell" >/dev/null 2>&1 && exec "$shell"; done; exec sh
"""
SHELLS: list[list[str]] = [["sh", "-c", FIND_SHELL], ["bash"]]  # an image may have the latter only


def in_words(reason: str) -> str:
    """What the engine says against a start, without the names of the parts that say it."""
    text = reason.strip().removesuffix(": unknown")
    text = re.sub(r"^(OCI runtime exec failed: |exec failed: )+", "", text)
    return re.sub(r"^unable to start container process: ", "", text)
