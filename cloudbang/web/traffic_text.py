"""Why the newest of an app's traffic may be missing, in words."""

from __future__ import annotations

from collections.abc import Callable

# fmt: off
WHY = {
    "storage": "The newest requests are counted and wait for the disk.",
    "log": "The gateway's access log cannot be read.",
    "behind": "The gateway's access log is being read and has not been read to its end.",
}
# fmt: on


def in_words(trouble: str | None, say: Callable[[str], str]) -> str | None:
    """A sentence, None where all is well."""
    return say(WHY[trouble]) if trouble else None
