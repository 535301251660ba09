"""What moves a file inside a container: a constant script, run by an exec without a terminal.

The scripts are for any ``sh``. What comes from outside are arguments, never text of them.

It ends by itself when its connection does, also when this server is killed. Whether it has is
looked after, as at the end of a terminal.
"""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Callable

import gevent
from gevent.event import Event

from cloudbang.domain.terminals import Orphan
from cloudbang.engine import Engine, ExecStream
from cloudbang.errors import (
    ContainerNotRunning,
    EngineRefused,
    EngineUnreachable,
    FileRefused,
    NoSuchContainer,
)
from cloudbang.node.terminals.processes import MARKER
from cloudbang.node.terminals.reaper import Reaper

ROOM = 256 * 1024  # bytes that the engine has not taken yet, with which nothing more is handed on
STALLED = 60.0  # seconds the engine may take for that, or the script for its next words
SETTLE = 5.0  # seconds for the end of a script that has nothing more to do
ALONE = 1.0  # seconds for one to end by itself that nobody listens to any more
LINE = 200  # characters of a script's first line
SAID = 2_000  # bytes of what it complains

_HEAD = struct.Struct(">BxxxI")  # of a piece of output: its stream, its size


class FileScript:
    """One run. ``close`` always. ``path`` is what it is about, for people; ``over`` is called once
    it has been closed and has ended."""

    def __init__(
        self,
        engine: Engine,
        reaper: Reaper,
        container: str,
        user: str,
        path: str,
        over: Callable[[], None],
        script: str,
        *arguments: str,
    ) -> None:
        self._engine, self._reaper, self._path, self._over = engine, reaper, path, over
        self._raw = b""
        self._left = 0  # bytes of the piece of output that is being read
        self._complaint = bytearray()
        self._said = b""  # of the output, read and not asked for yet
        self._written = Event()
        self._ended = False  # whether that is known
        self._closed = False
        # A name of its own: what belongs to the terminal's session ends with that, and this alone.
        mark = "file-" + secrets.token_hex(8)[:11]
        argv = ["sh", "-c", script, "sh", *arguments]
        try:
            self._exec = engine.exec_create(
                container, argv, user=user, env={MARKER: mark}, tty=False
            )
            self._row = Orphan(mark, container, self._exec)
            try:
                self._stream: ExecStream = engine.exec_start(self._exec, tty=False)
            except EngineUnreachable:
                reaper.end_later(self._row, late=True)  # it may start it all the same
                raise
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
        if found.split(b" ")[0] not in (b"ready", b"file", b"folder", b"large"):
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
        """May be called twice. What still runs of it is ended, which nobody waits for."""
        if self._closed:
            return
        self._closed = True
        self._stream.close()
        if self._ended:
            self._over()
        else:
            self._reaper.tasks.once("file-end", self._end)

    def _end(self) -> None:
        """It ends by itself, unless something holds it or what it runs."""
        try:
            if self._code(ALONE) is None and not self._reaper.end_left(self._row):
                self._reaper.end_later(self._row)
        finally:
            self._over()

    def _code(self, within: float = SETTLE) -> int | None:
        until = time.monotonic() + within
        while True:
            try:
                state = self._engine.exec_inspect(self._exec)
            except (EngineRefused, EngineUnreachable):
                return None
            if not state.running and state.exit_code is not None:
                self._ended = True
                return state.exit_code
            if time.monotonic() > until:
                return None
            gevent.sleep(0.02)

    def _reason(self) -> str:
        code = self._code()
        said = self._complaint.decode("utf-8", "replace").strip()
        if reason := REASONS.get(code or 0, ""):
            return reason
        if code in (126, 127):
            return _not_started(said)
        last = said.splitlines()[-1] if said else BROKEN_OFF
        return next((words for sign, words in MESSAGES.items() if sign in last), last[:300])


def _not_started(said: str) -> str:
    missing = "not found" in said or "no such file" in said
    return NO_SHELL if missing and "user" not in said else said[:300] or NO_SHELL


# --- the scripts, and what their ends mean ---------------------------------------------------------

# $at is where a path leads below a root that is not this process's own, a toolbox's target's: a
# link that begins with a slash would lead into our own files. Without such a root: the path.
_COMMON = """
root=$1 at=$2
follow() {
  at= rest=$1 links=0
  while [ -n "$rest" ]; do
    part=${rest%%/*}
    case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
    case $part in
      '' | .) continue ;;
      ..) at=${at%/*}; continue ;;
    esac
    [ -L "$root$at/$part" ] || { at=$at/$part; continue; }
    links=$((links + 1))
    [ "$links" -le 40 ] || exit 77
    to=$(readlink "$root$at/$part" && echo .) || exit 77
    to=${to%??}
    case $to in /*) at= ;; esac
    rest=$to/$rest
  done
}
[ -z "$root" ] || follow "$2"
size_of() {  # bytes; reads the content only where nothing else tells them
  stat -L -c %s "$1" 2> /dev/null && return
  set -f
  set -- "$1" $(ls -lnL "$1" 2> /dev/null)
  [ -z "$6" ] || { echo "$6"; return; }
  wc -c < "$1"
}
"""

# $3 is the name, $4 the size in bytes, $5 the name until it is whole. What is not whole is taken
# away when no more bytes come. The descriptor, and not the name, gets the rights that the file
# had: who may write in the folder may put a link in its place meanwhile.
PUT = (
    _COMMON
    + """
cd "$root$at" || exit 70
[ -d "./$3" ] && exit 71
[ -n "$root" ] && (follow "$at/$3"; [ -d "$root$at" ]) && exit 71
umask 022
trap 'rm -f "./$5"' EXIT
trap 'exit 72' HUP INT TERM
exec 4> "./$5" || exit 72
if [ -f "./$3" ] && [ ! -L "./$3" ] && mode=$(stat -c %a "./$3" 2> /dev/null); then
  chown "$(stat -c %u:%g "./$3")" /proc/self/fd/4 2> /dev/null
  case $mode in ????) mode=${mode#?} ;; esac
  chmod "$mode" /proc/self/fd/4 2> /dev/null
fi
echo ready
head -c "$4" >&4 || exit 72
[ "$(size_of "./$5")" -eq "$4" ] || exit 73
mv -f "./$5" "./$3" || exit 72
trap - EXIT
"""
)

# $3 is how many bytes may be moved. Nothing comes by its input: its end means that nobody waits
# for the output any more, and takes everything along that this has started (its process group is
# its own, which is made sure of). What a folder holds is added up first, as far as that is quick:
# later nobody could say any more that it is too much. So is what a small file holds: what the
# kernel makes up as it is read has no size, or a wrong one.
GET = (
    _COMMON
    + """
leads() { read -r line < "/proc/$$/stat"; set -- ${line##*) }; [ "$3" = "$$" ]; }
exec 3<&0
(read -r line <&3; leads && kill -s KILL 0; kill -s KILL "$$") > /dev/null 2>&1 &
watch=$!
trap 'kill "$watch" 2> /dev/null' EXIT
path=$root$at
if [ -d "$path" ]; then
  command -v tar > /dev/null 2>&1 || exit 74
  cd "$path" || exit 70
  sum=$(timeout 10 find . -type f -exec stat -c '%h %s' {} + 2> /dev/null | head -n 50000 | {
    sum=0
    while read -r links size; do [ "$links" != 1 ] || sum=$((sum + size)); done
    echo "$sum"
  })
  [ "$((sum))" -le "$3" ] || { echo "large $sum"; exit 0; }
  if [ -n "$root" ]; then
    name=${at##*/}
    cd "$root${at%/*}/" || exit 70
  else
    whole=$(pwd -P) name=$(pwd -P; echo .)
    name=${name%??} name=${name##*/}
    cd .. || exit 70
    [ "$(cd "./$name" 2> /dev/null && pwd -P)" = "$whole" ] || { cd "$path" && name=.; }
  fi
  echo folder
  exec 4>&1
  code=$({ { tar -cf - "./$name"; echo "$?" >&5; } | head -c "$(($3 + 1))" >&4; } 5>&1)
  exit "$code"
elif [ -f "$path" ]; then
  exec 4< "$path" || exit 72
  size=$(size_of "$path") size=$((size))
  [ "$size" -gt 65536 ] || size=$(head -c "$(($3 + 1))" < "$path" | wc -c)
  size=$((size))
  [ "$size" -le "$3" ] || { echo "large $size"; exit 0; }
  echo "file $size"
  head -c "$size" <&4
elif [ -e "$path" ]; then exit 75
else exit 76; fi
"""
)

BROKEN_OFF = "it broke off inside the container"
NO_SHELL = "there is no shell in this image that could move it: open a toolbox"

# exit status of a script -> what a person is told; "" : the last that it said
REASONS = {
    70: "",
    71: "there is a folder of this name",
    72: "",
    73: BROKEN_OFF,
    74: "there is no tar in this image: fetch the files one by one, or open a toolbox",
    75: "this is neither a file nor a folder",
    76: "there is nothing here",
    77: "a link on the way to it cannot be followed",
}
# What programs say -> the same in the reader's language.
MESSAGES = {
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
