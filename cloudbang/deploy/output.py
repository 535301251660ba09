"""What a new release prints in its first seconds, copied into its deployment's log: that one tells
the whole story by itself."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import gevent

from cloudbang.core.supervise import Supervisor
from cloudbang.deploy.log import DeploymentLog
from cloudbang.domain.deploy.failure import Task
from cloudbang.domain.docker_stream import StreamGarbled, decoder_for
from cloudbang.domain.lines import TEXT_AT
from cloudbang.engine import Engine
from cloudbang.errors import CloudBangError

log = logging.getLogger(__name__)

MOST = 2_000  # lines of a container; the app's own log has all
ENDING = 1.0  # seconds in which what an ended container printed last is read


class Output:
    """Follows the containers that are shown to it, one greenlet each."""

    def __init__(self, engine: Engine, log: DeploymentLog, *, tty: bool, since: int = 0) -> None:
        """``since``: in nanoseconds; what was printed before is in the log already."""
        self._engine, self._log, self._tty, self._since = engine, log, tty, since
        self._readers: dict[str, gevent.Greenlet] = {}
        self._supervisor = Supervisor("deployment-output")

    def follow(self, tasks: Iterable[Task]) -> None:
        """Begin with those of these that are new."""
        for task in tasks:
            if task.container and task.container not in self._readers:
                self._readers[task.container] = self._supervisor.once(
                    task.container[:12], self._read, task.container
                )

    def finish(self, container: str = "") -> None:
        """One that has ended has printed its last: wait for it, for a moment."""
        ended = [its for name, its in self._readers.items() if container in ("", name)]
        gevent.joinall(ended, ENDING)

    def close(self) -> None:
        self._supervisor.stop()

    def _read(self, container: str) -> None:
        decoder = decoder_for(container[:12], tty=self._tty, podman=self._engine.is_podman)
        try:
            stream = self._engine.logs(container, follow=True, since_ns=self._since)
        except CloudBangError as e:
            log.debug("the output of %s is not copied: %s", container[:12], e)
            return
        left = MOST
        try:
            while left > 0 and (data := stream.read_now()) != b"":
                if data is None:
                    stream.wait()
                    continue
                left -= self._copy(decoder.feed(data)[:left])
            if left > 0:
                self._copy(decoder.flush())
            else:
                self._log.say(f"what {container[:12]} prints from here on is in the app's log")
        except (CloudBangError, StreamGarbled) as e:
            log.debug("the output of %s is not copied any more: %s", container[:12], e)
        finally:
            stream.close()

    def _copy(self, records: list[bytes]) -> int:
        for raw in records:
            self._log.write([raw[TEXT_AT:-1]], raw[44:50].strip(), raw[31:43])
        return len(records)
