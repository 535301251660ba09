"""Limits that count from the moment in which they are set.

The loop knows the time as of when its present turn began. gevent looks at the clock for a `Timeout` and
a `sleep`, and counts every other timer from that turn: on a busy machine it may have begun seconds ago,
and a `joinall` with a limit of two seconds came back before anybody had had a turn.
"""

from __future__ import annotations

from typing import Any

from gevent import config

_Loop: Any = config.loop


class PunctualLoop(_Loop):
    """gevent's loop; a timer costs one more look at the clock."""

    __module__ = _Loop.__module__  # gevent.core takes its names from the module of the loop in use

    def timer(self, *args: Any, **more: Any) -> Any:
        self.update_now()
        return super().timer(*args, **more)


def install() -> None:
    """For every hub that begins from now on: to be called before there is one."""
    config.loop = PunctualLoop
