"""A collector as a process that can be killed: ``python -m gevent.monkey --module
tests.node.collector.process FOLDER HOST``. Runs until it is killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gevent

from tests.node.collector.rig import Rig

if __name__ == "__main__":
    rig = Rig(Path(sys.argv[1]), sys.argv[2])
    rig.start()
    print("collecting", flush=True)
    while True:
        gevent.sleep(3600)
