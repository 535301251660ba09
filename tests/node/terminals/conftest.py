"""Sources of terminals in real containers, each ended and read to its end after the test."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from docker.models.containers import Container

from cloudbang.config import EngineSettings
from cloudbang.domain.terminals import ExitStatus, Size, TerminalRequest, TerminalTarget
from cloudbang.engine import Engine
from cloudbang.node.terminals.exec_source import ExecSource
from cloudbang.node.terminals.reaper import Reaper
from tests.support import patient

# Of this run alone: another one on the same engine ends what it takes for its own sessions.
SESSION = uuid.uuid4().hex[:16]


def session(n: int) -> str:
    """The n-th (< 256) further session of this run."""
    return f"{SESSION[:14]}{n:02x}"


@pytest.fixture
def engine(engine_socket: str) -> Iterator[Engine]:
    engine = Engine(EngineSettings(host=engine_socket))
    yield engine
    engine.close()


@pytest.fixture
def reaper(engine: Engine) -> Iterator[Reaper]:
    reaper = Reaper(engine)
    reaper.start()
    yield reaper
    reaper.stop()


def target_of(
    container: Container, *command: str, session: str = SESSION, **request: Any
) -> TerminalTarget:
    return TerminalTarget(
        session=session,
        team="default",
        app=str(container.name),
        container=str(container.id),
        container_name=str(container.name),
        request=TerminalRequest(command=command, **request),
    )


class Shown:
    """A source and all that it printed so far."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.text = b""

    def until(self, what: bytes, timeout: float = 10.0) -> bytes:
        """Read until ``what`` was printed; all up to there, which is forgotten."""
        with gevent.Timeout(patient(timeout), False):
            while what not in self.text:
                data = self.source.read()
                assert data, f"it ended before {what!r}: {self.text!r}"
                self.text += data
        assert what in self.text, f"{what!r} was not printed: {self.text[-500:]!r}"
        before, found, self.text = self.text.partition(what)
        return before + found

    def rest(self, timeout: float = 15.0) -> bytes:
        """All the rest, to the end of the output."""
        with gevent.Timeout(patient(timeout), False):
            while data := self.source.read():
                self.text += data
            return self.text
        raise AssertionError(f"it did not end: {self.text[-500:]!r}")

    def result(self) -> ExitStatus:
        self.rest()
        return self.source.result()

    def run(self, line: str) -> None:
        self.source.write(line.encode() + b"\r")


Opener = Callable[..., Shown]


@pytest.fixture
def open_source(engine: Engine, reaper: Reaper) -> Iterator[Opener]:
    """``open_source(container, *command, size=…, user=…, folder=…, session=…)``, started."""
    made: list[Shown] = []

    def start(
        container: Container, *command: str, size: Size | None = None, **request: Any
    ) -> Shown:
        shown = Shown(ExecSource(engine, target_of(container, *command, **request), reaper))
        shown.source.start(size or Size())
        made.append(shown)
        return shown

    yield start
    for shown in made:
        reading = gevent.spawn(shown.rest, 30)
        shown.source.end()
        reading.get()


@pytest.fixture(scope="session")
def static_image(
    tmp_path_factory: pytest.TempPathFactory, engine_socket: str
) -> Callable[[str], str]:
    """An image whose only program is a static one that copies what it reads, at this path."""
    folder = tmp_path_factory.mktemp("static")
    source = folder / "copy.c"
    source.write_text(
        "#include <unistd.h>\n"
        'int main() { char b[4096]; long n; write(1, "ready\\n", 6);'
        " while ((n = read(0, b, 4096)) > 0) write(1, b, n); return 7; }\n"
    )
    subprocess.run(["gcc", "-static", "-Os", "-o", folder / "copy", source], check=True)

    def make(path: str) -> str:
        name = f"cloudbang-test/static{path.replace('/', '-')}:1"
        root = Path(folder, path.strip("/").replace("/", "-"))
        (root / path.strip("/")).parent.mkdir(parents=True, exist_ok=True)
        (root / path.strip("/")).write_bytes((folder / "copy").read_bytes())
        (root / path.strip("/")).chmod(0o755)
        tar = subprocess.run(["tar", "-C", root, "-c", "."], check=True, stdout=subprocess.PIPE)
        command = ["docker", "-H", engine_socket, "import", "-c", "ENV PATH=/bin", "-", name]
        subprocess.run(command, input=tar.stdout, check=True, stdout=subprocess.DEVNULL)
        return name

    return make
