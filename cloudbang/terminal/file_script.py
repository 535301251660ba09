"""What moves a file inside a container: a constant script, run by an exec without a terminal."""

from __future__ import annotations

import struct
import time

import gevent
from gevent.event import Event

from cloudbang.engine import Engine, ExecStream
from cloudbang.errors import (
    ContainerNotRunning,
    EngineRefused,
    EngineUnreachable,
    FileRefused,
    NoSuchContainer,
)

ROOM = 256 * 1024  # bytes that the engine has not taken yet, with which nothing more is handed on
STALLED = 60.0  # seconds the engine may take for that, or the script for its next words
SETTLE = 5.0  # seconds for the end of a script that has nothing more to do
LINE = 200  # characters of a script's first line
SAID = 2_000  # bytes of what it complains
BROKEN_OFF = "it broke off inside the container"
NO_SHELL = "there is no shell in this image that could move it: open a toolbox"

# Constants: what comes from outside are arguments, never text of the script. The file gets its
# name when it is whole; what is not whole is taken away when no more bytes come.
PUT = """
cd "$1" || exit 70
[ -d "./$2" ] && exit 71
umask 022
trap 'rm -f "./$4"' EXIT
: > "./$4" || exit 72
echo ready
head -c "$3" > "./$4" || exit 72
[ "$(wc -c < "./$4")" -eq "$3" ] || exit 73
mv -f "./$4" "./$2" || exit 72
trap - EXIT
"""
GET = """
if [ -d "$1" ]; then
  command -v tar > /dev/null 2>&1 || exit 74
  cd "$1" || exit 70
  whole=$(pwd -P) name=$(pwd -P; echo .)
  name=${name%??} name=${name##*/}
  cd .. || exit 70
  [ "$(cd "./$name" 2> /dev/null && pwd -P)" = "$whole" ] || { cd "$1" && name=.; }
  echo folder
  exec tar -cf - "./$name"
elif [ -f "$1" ]; then
  size=$(wc -c < "$1") || exit 72
  echo "file $((size))"
  exec head -c "$((size))" < "$1"
elif [ -e "$1" ]; then exit 75
else exit 76; fi
"""

# exit status of a script -> what a person is told; "" : the last that it said
REASONS = {
    70: "",
    71: "there is a folder of this name",
    72: "",
    73: BROKEN_OFF,
    74: "there is no tar in this image: fetch the files one by one, or open a toolbox",
    75: "this is neither a file nor a folder",
    76: "there is nothing here",
}
# What programs say -> the same in the reader's language.
SAYINGS = {
    "Read-only file system": "it is read-only",
    "Permission denied": "the user of this terminal may not do that",
    "No space left": "there is no room on the disk",
    "quota exceeded": "there is no room on the disk",
    "No such file or directory": "there is nothing here",
    "nonexistent directory": "there is nothing here",
    "Not a directory": "this is no folder",
    "can't cd": "there is no such folder",
    "File name too long": "the name is too long",
}

_HEAD = struct.Struct(">BxxxI")  # of a piece of output: its stream, its size


class FileScript:
    """One run. ``close`` always. ``path`` is what it is about, for people."""

    def __init__(
        self, engine: Engine, container: str, user: str, path: str, script: str, *arguments: str
    ) -> None:
        self._engine, self._path = engine, path
        self._raw = b""
        self._left = 0  # bytes of the piece of output that is being read
        self._complaint = bytearray()
        self._said = b""  # of the output, read and not asked for yet
        self._written = Event()
        argv = ["sh", "-c", script, "sh", *arguments]
        try:
            self._exec = engine.exec_create(container, argv, user=user, tty=False)
            self._stream: ExecStream = engine.exec_start(self._exec, tty=False)
        except (NoSuchContainer, ContainerNotRunning) as e:
            raise FileRefused(path, str(e)) from None
        except EngineRefused as e:
            raise FileRefused(path, _not_started(e.reason)) from None
        self._stream.on_written = self._written.set

    def first_line(self) -> str:
        """What it says before it begins. Raises FileRefused when it does not begin."""
        line = b""
        while b"\n" not in line:
            more = self.read(LINE)
            if not more or len(line) > LINE:
                raise FileRefused(self._path, self._reason())
            line += more
        found, _, self._said = line.partition(b"\n")
        if found.split(b" ")[0] not in (b"ready", b"file", b"folder"):
            # The engine's own words: it says here what it could not start.
            self._complaint += line
            raise FileRefused(self._path, self._reason())
        return found.decode("ascii")

    def read(self, size: int) -> bytes:
        """The next bytes of its output, ``b""`` at the end. Raises EngineUnreachable."""
        if self._said:
            data, self._said = self._said[:size], self._said[size:]
            return data
        while True:
            if self._raw and self._left:
                data = self._raw[: min(self._left, size)]
                self._raw = self._raw[len(data) :]
                self._left -= len(data)
                return data
            if len(self._raw) >= _HEAD.size and not self._left:
                kind, length = _HEAD.unpack_from(self._raw)
                if kind == 1:
                    self._raw, self._left = self._raw[_HEAD.size :], length
                    continue
                if kind != 2 or length > 2**24:  # the engine's own words, without any heads
                    self._complaint += self._raw[:SAID]
                    return b""
                if len(self._raw) >= _HEAD.size + length:
                    self._complaint += self._raw[_HEAD.size : _HEAD.size + length]
                    del self._complaint[:-SAID]
                    self._raw = self._raw[_HEAD.size + length :]
                    continue
            more = self._more(size)
            if not more:
                return b""
            self._raw += more

    def _more(self, size: int) -> bytes:
        silent = EngineUnreachable(self._engine.host, "nothing comes from the container")
        with gevent.Timeout(STALLED, silent):
            return self._stream.read(max(size, 4096))

    def write(self, data: bytes) -> None:
        """Hand on input, and wait until most of it was taken. Raises EngineUnreachable."""
        self._stream.write(data)
        while self._stream.pending > ROOM:
            self._written.clear()
            if not self._written.wait(STALLED):
                raise EngineUnreachable(self._engine.host, "the container takes nothing more")

    def finish(self) -> None:
        """Wait for its end. Raises FileRefused when it could not do its work."""
        while self.read(4096):
            pass
        if self._code() != 0:
            raise FileRefused(self._path, self._reason())

    def abort(self) -> bool:
        """No more input comes. Whether it has ended, so that nothing half is left."""
        self._stream.drop_input()
        self._stream.hang_up()
        return self._code() is not None

    def close(self) -> None:
        """May be called twice."""
        self._stream.close()

    def _code(self) -> int | None:
        until = time.monotonic() + SETTLE
        while time.monotonic() < until:
            try:
                state = self._engine.exec_inspect(self._exec)
            except (EngineRefused, EngineUnreachable):
                return None
            if not state.running:
                return state.exit_code
            gevent.sleep(0.02)
        return None

    def _reason(self) -> str:
        code = self._code()
        said = self._complaint.decode("utf-8", "replace").strip()
        if reason := REASONS.get(code or 0, ""):
            return reason
        if code in (126, 127):
            return _not_started(said)
        last = said.splitlines()[-1] if said else BROKEN_OFF
        return next((words for sign, words in SAYINGS.items() if sign in last), last[:300])


def _not_started(said: str) -> str:
    missing = "not found" in said or "no such file" in said
    return NO_SHELL if missing and "user" not in said else said[:300] or NO_SHELL
