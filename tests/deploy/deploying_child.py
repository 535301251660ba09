"""A CloudBang that deploys, and ends with kill -9 at the moment that it is told.

Arguments, as JSON: folder, host, app, spec; step and when: "entered" (written down, nothing done
yet), "going" (something of it was done), "done" (the last moment before the next one), or "verdict"
(of a deployment that fails: before anything is undone).
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402

from cloudbang.domain.deploy.deployment import Deployment  # noqa: E402
from tests.deploy.house import House  # noqa: E402


def main(told: dict[str, object]) -> None:
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


main(json.loads(sys.argv[1]))
