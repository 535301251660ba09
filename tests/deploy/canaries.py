"""Where a secret would be seen that got away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gevent

from tests.support import command_lines


@contextmanager
def arguments_of_all() -> Iterator[list[str]]:
    """Those of every process, looked at again and again meanwhile."""
    seen: list[str] = []

    def watch() -> None:
        while True:
            for _, arguments in command_lines():
                seen.extend(arguments)
            gevent.sleep(0.05)

    watching = gevent.spawn(watch)
    try:
        yield seen
    finally:
        watching.kill()
