"""What a new release prints in its first seconds, copied into its deployment's log: that one tells
the whole story by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

import gevent

from cloudbang.core.supervise import Supervisor
from cloudbang.deploy.log import DeploymentLog
from cloudbang.domain.deploy.failure import Task
from cloudbang.domain.docker_stream import StreamGarbled, decoder_for
from cloudbang.domain.lines import TEXT_AT
from cloudbang.engine import Engine
from cloudbang.errors import CloudBangError, LogUnreadable

log = logging.getLogger(__name__)

MOST = 2_000  # lines of a container; the app's own log has all
ENDING = 3.0  # seconds in which what an ended container printed last is read
AGAIN = 0.5  # seconds from one try to the next at one of which nothing has come


class Output:
    """Follows the containers that are shown to it, one greenlet each."""

    def __init__(self, engine: Engine, log: DeploymentLog, *, tty: bool, since: int = 0) -> None:
        """``since``: in nanoseconds; what was printed before is in the log already."""
        self._engine, self._log, self._tty, self._since = engine, log, tty, since
        self._readers: dict[str, gevent.Greenlet] = {}
        self._tried: dict[str, float] = {}  # when its reader was begun
        # Of which no further reader is wanted: something has come, or nothing will.
        self._settled: set[str] = set()
        self._supervisor = Supervisor("deployment-output")

    def follow(self, tasks: Iterable[Task]) -> None:
        """Begin with those of these that are new, or whose stream has ended with nothing in it: the
        engine ends it at once where a container is made and does not run yet."""
        for task in tasks:
            its = task.container
            if not its or its in self._settled:
                continue
            if its in self._readers:
                tried = time.monotonic() - self._tried[its]
                if not self._readers[its].dead or (tried < AGAIN and not task.ended):
                    continue
            if task.ended:
                self._settled.add(its)  # all of it is there: this is the last reader
            self._begin(its)

    def catch_up(self) -> None:
        """What was printed until now is copied, for a moment, also of those of whose stream nothing has
        come yet: a busy machine may believe in a release before it has read a line of it."""
        late = [its for its in self._readers if its not in self._settled]
        for its in late:
            self._readers[its].kill()
            self._begin(its, follow=False)
        gevent.joinall([self._readers[its] for its in late], ENDING)

    def _begin(self, container: str, *, follow: bool = True) -> None:
        self._tried[container] = time.monotonic()
        self._readers[container] = self._supervisor.once(
            container[:12], self._read, container, follow
        )

    def finish(self, container: str = "") -> None:
        """One that has ended has printed its last: wait for it, for a moment."""
        ended = [its for name, its in self._readers.items() if container in ("", name)]
        gevent.joinall(ended, ENDING)

    def close(self) -> None:
        self._supervisor.stop()

    def _read(self, container: str, follow: bool) -> None:
        decoder = decoder_for(container[:12], tty=self._tty, podman=self._engine.is_podman)
        try:
            stream = self._engine.logs(container, follow=follow, since_ns=self._since)
        except CloudBangError as e:
            if isinstance(e, LogUnreadable):
                self._settled.add(container)
            log.debug("the output of %s is not copied: %s", container[:12], e)
            return
        left = MOST
        try:
            while left > 0 and (data := stream.read_now()) != b"":
                if data is None:
                    stream.wait()
                    continue
                self._settled.add(container)
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
