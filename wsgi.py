"""Serve CloudBang: patch first, build the parts, serve, stop cleanly on SIGTERM.

Started by ``python -m cloudbang serve`` (``make run``) and by supervisord.
"""

import warnings

from gevent import config as gevent_config

# A thread of its own reports whoever keeps the hub longer than this; it costs nothing else.
gevent_config.monitor_thread = True
gevent_config.max_blocking_time = 0.1
gevent_config.print_blocking_reports = False  # logs.py writes them, shorter and off the hub

# It would also watch the memory, with a library that nothing else here needs.
warnings.filterwarnings("ignore", message="Unable to monitor memory usage")

from gevent import monkey

monkey.patch_all()

import sys

from cloudbang import config
from cloudbang.app import Application
from cloudbang.errors import CloudBangError


def main() -> int:
    """Serve until told to stop. The exit status: 0 stopped on request, 1 could not start."""
    try:
        application = Application(config.load())
        application.start()
    except CloudBangError as e:
        print(f"cloudbang: {e}", file=sys.stderr)
        return 1
    return application.serve()


if __name__ == "__main__":
    sys.exit(main())
