"""CloudBangs that deploy, each of which ends with kill -9 at the moment that it is told.

On its input, a line of JSON for each: folder, host, app, spec; step and when: "entered" (written down,
nothing done yet), "going" (something of it was done), "done" (the last moment before the next one), or
"verdict" (of a deployment that fails: before anything is undone). On its output, how it ended: a line with
the exit code.

Plain ``fork``, before anything is started: what each would import takes a second of a processor.
"""

from gevent import monkey

monkey.patch_all()

import ctypes  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402
from gevent.os import fork  # noqa: E402

from cloudbang.domain.deploy.deployment import Deployment  # noqa: E402
from tests.deploy.house import House  # noqa: E402

PR_SET_PDEATHSIG = 1  # of linux/prctl.h


def deploy(told: dict[str, object]) -> None:
    house = House(Path(str(told["folder"])), str(told["host"])).start()

    def look(deployment: Deployment) -> None:
        step = deployment.step(told["step"])  # type: ignore[arg-type]
        if told["when"] == "verdict":
            now = deployment.ended
        elif step is None:
            return
        elif told["when"] == "done":
            now = step.state == "done"
        else:
            now = step.state == "running" and (told["when"] == "entered" or bool(step.progress))
        if now:
            os.kill(os.getpid(), signal.SIGKILL)

    house.deployments.listen(look)
    house.deploy(str(told["app"]), **told["spec"])  # type: ignore[arg-type]
    gevent.sleep(120)


def main() -> None:
    wait = monkey.get_original("os", "waitpid")
    for line in sys.stdin:
        assert len(os.listdir("/proc/self/task")) == 1  # threads would not be there after a fork
        if (child := fork()) == 0:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            deploy(json.loads(line))
            os._exit(0)
        print(os.waitstatus_to_exitcode(wait(child, 0)[1]), flush=True)


main()
