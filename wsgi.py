"""Serve CloudBang: patch first, build the parts, serve, stop cleanly on SIGTERM.

Started by ``python -m cloudbang serve`` (``make run``) and by supervisord.
"""

import gc

# Until everything is up: what importing makes is kept, and each look for garbage in it is in vain.
gc.disable()

import os

# What extends the libraries is looked for in every package that is installed, by gevent once for
# each of the 25 modules that it patches: a sixth of the start. None that is installed has anything
# (tests/test_app.py).
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from gevent import config as gevent_config
from gevent import events

events.notify_and_call_entry_points = events.notify

# A thread of its own reports whoever keeps the hub longer than this; it costs nothing else.
gevent_config.monitor_thread = True
gevent_config.max_blocking_time = 0.1
gevent_config.print_blocking_reports = False  # logs.py writes them, shorter and off the hub

from gevent import monkey

from cloudbang.core import punctual

punctual.install()
monkey.patch_all()

import signal
import sys

from gevent._monitor import PeriodicMonitoringThread

from cloudbang import config
from cloudbang.app import Application
from cloudbang.errors import CloudBangError

# It would also watch the memory, with a library that nothing else here needs, and say so without.
PeriodicMonitoringThread.install_monitor_memory_usage = lambda _: None


def main() -> int:
    """Serve until told to stop. The exit status: 0 stopped on request, 1 could not start."""
    try:
        application = Application(config.load())
        application.start(stop_on=(signal.SIGTERM, signal.SIGINT))
    except (CloudBangError, OSError) as e:  # of the system, wherever it refuses: it says what
        print(f"cloudbang: {e}", file=sys.stderr)
        return 1
    # What is there now stays until the end: no look for garbage, which holds the hub, goes through it.
    gc.freeze()
    gc.enable()
    return application.serve()


if __name__ == "__main__":
    sys.exit(main())
