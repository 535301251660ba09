"""Two commands at once, the second on a Docker Engine of its own.

    python -m tests.side_by_side FIRST SECOND

Each is for ``sh -c``. The first one shows what it says as it goes, the second one when both have
ended. Where no second engine can be had they run one after the other. Exit code 1 when one of them
failed, 130 when it was interrupted: then both have ended, and the engine has gone, too.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import IO

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TO_TIDY_UP = 60.0  # seconds an interrupted command has for it
NEEDS = ("dockerd", "ip", "nsenter")
NOT_INHERITED = ("MAKEFLAGS", "MFLAGS")  # the job server's pipes do not reach the commands

running: list[subprocess.Popen[bytes]] = []


def main(first: str, second: str) -> int:
    """Run both; the exit code."""
    for name in ENDS:
        signal.signal(name, signal.default_int_handler)  # a run in the background ignores ^C
    after = ExitStack()
    with tempfile.TemporaryFile() as said:
        try:
            beside = _engine(after)
            if beside is None:
                codes = [_start(first).wait(), _start(second).wait()]
            else:
                two = _start(second, {"DOCKER_HOST": beside, "DOCKER_TLS_VERIFY": ""}, said)
                codes = [_start(first).wait(), two.wait()]
        except KeyboardInterrupt:
            codes = [130]
        finally:
            for name in ENDS:
                signal.signal(name, signal.SIG_IGN)
            _end()
            after.close()
        said.seek(0)
        shutil.copyfileobj(said, sys.stdout.buffer)
        sys.stdout.flush()
    if codes == [130]:
        return 130
    for command, code in zip((first, second), codes, strict=True):
        if code:
            print(f"Failed ({code}): {command}", file=sys.stderr)
    return int(any(codes))


def _engine(after: ExitStack) -> str | None:
    """The address of a second engine, which ends with ``after``; None where there is none."""
    why = _why_not()
    if why is None:
        from tests.support_engine import PrivateEngine

        engine = PrivateEngine()
        try:
            address = engine.start().address
            after.callback(engine.close)
            return address
        except KeyboardInterrupt:
            engine.close()
            raise
        except Exception as e:
            with suppress(Exception):
                engine.close()
            why = f"a second Docker Engine did not start ({e})"
    print(f"One after the other, as {why}.", flush=True)
    return None


def _why_not() -> str | None:
    if os.geteuid() != 0:
        return "only root can start a second Docker Engine"
    if "DOCKER_HOST" in os.environ:
        return "DOCKER_HOST names the Docker Engine to use"
    absent = [name for name in NEEDS if shutil.which(name) is None]
    return f"a second Docker Engine needs {', '.join(absent)}" if absent else None


def _start(
    command: str, environ: Mapping[str, str] | None = None, output: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    inherited = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED}
    # A session of its own: what ends it reaches all it has started, and ^C comes from here alone.
    one = subprocess.Popen(
        ["sh", "-c", command],
        env=inherited | (dict(environ) if environ else {}),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,
    )
    running.append(one)
    return one


def _end() -> None:
    """Interrupt what still runs, so that it tidies up, and see to it that it ends."""
    left = [one for one in running if one.poll() is None]
    for one in left:
        with suppress(ProcessLookupError):
            os.killpg(one.pid, signal.SIGINT)
    for one in left:
        try:
            one.wait(TO_TIDY_UP)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
