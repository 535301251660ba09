"""Who asks in ``bench_gateway``, in a process of its own: what is measured shall not wait for it.

    python -m bench.gateway_peers PORT HOST RATE SLOW

It asks until its standard input ends, and then tells what came of it as JSON.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402

from gevent import get_hub  # noqa: E402

from tests.gateway.load import Load  # noqa: E402


def main() -> None:
    port, host, rate, slow = sys.argv[1:]
    load = Load(int(port), host, rate=float(rate), slow=int(slow)).start()
    print("ready", flush=True)
    get_hub().threadpool.apply(sys.stdin.read)  # the loop goes on
    load.stop()
    told = {"errors": load.errors, "seconds": load.timed, "slow": load.slow_done}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
