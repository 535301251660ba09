"""What is done from within a container, where the host's processes cannot be seen.

That is when CloudBang runs in a container itself or its engine is on another machine. A constant
script finds the processes of our sessions by a variable in their environment. What comes from
outside reaches it as arguments, never as text of the script.
"""

from __future__ import annotations

import logging
import time

import gevent
from gevent.event import AsyncResult

from cloudbang.core.supervise import Supervisor
from cloudbang.engine import Engine
from cloudbang.errors import CloudBangError

log = logging.getLogger(__name__)

WAIT = 4.5  # seconds that an end may take in all
LEAST = 1.0  # of them for those that root could not see, 0.3 of which nearly always do

# Only what every shell has built in, and `cat` (the shell drops NUL bytes of its output).
# Of the process sessions with the variable in them, ours has the terminal; when its leader has
# gone, it has none and no leader. A daemon that was started in it has neither the terminal nor
# lost its leader, or it is left alone as long as ours can be told from it: once seen, ours stays
# known when the list is gone through again. What moves a file has no terminal, and a mark of its
# own: file-….
_FIND = """
exec 2>/dev/null
stat_of() { read -r line < "/proc/$1/stat" || return 1; set -- ${line##*) }
  state=$1 session=$4 tty=$5 tpgid=$6; }
sure=" "
find_sessions() { maybe=" " found=" " blind=
  for d in /proc/[0-9]*; do p=${d#/proc/}
    all=$(cat "$d/environ") || { [ -d "$d" ] && blind=" blind"; }
    case "$all" in *CLOUDBANG_TERMINAL=*) ;; *) continue ;; esac
    id=${all#*CLOUDBANG_TERMINAL=} rest=${all#*CLOUDBANG_TERMINAL=????????????????}
    id=${id%"$rest"}
    case " $* " in *" $id "*) ;; *) continue ;; esac
    stat_of "$p" || continue
    if [ "$tty" != 0 ] || [ "${id#file-}" != "$id" ]; then sure="$sure$id:$session "
    elif ! stat_of "$session" || [ "$state" = Z ]; then
      stat_of "$p" && maybe="$maybe$id:$session "
    fi
  done
  for one in $sure; do found="$found${one#*:} "; done
  for one in $maybe; do
    case "$sure" in *" ${one%%:*}:"*) ;; *) found="$found${one#*:} " ;; esac
  done; }
find_sessions "$@"
"""

_END = (
    _FIND
    + """
signal_all() { left=0
  for d in /proc/[0-9]*; do p=${d#/proc/}
    stat_of "$p" || continue
    [ "$state" = Z ] && continue
    case "$found" in *" $session "*)
      left=$((left+1)); for s in "$@"; do kill -s "$s" "$p"; done ;;
    esac
  done; }
signal_all HUP CONT
for n in 1 2 3 4 5; do
  if [ $left = 0 ]; then
    # Who starts another and ends while the list is gone through hides it from one look.
    before=$found; find_sessions "$@"; found="$found$before"
    signal_all KILL
    [ $left = 0 ] && break
  else
    sleep 0.3 || sleep 1
    signal_all KILL
  fi
done
echo "left $left$blind"
"""
)

_FOLDER = (
    _FIND
    + """
set -- $found
stat_of "$1" && [ "$tpgid" -gt 0 ] && cd "/proc/$tpgid/cwd" && pwd -P
"""
)


class ContainerReaper:
    """Runs the scripts. Those that end in the same container at the same time share one."""

    def __init__(self, engine: Engine, supervisor: Supervisor) -> None:
        self._engine, self._supervisor = engine, supervisor
        # By container and user: the sessions that the next script ends; each is in it once.
        self._waiting: dict[tuple[str, str], list[tuple[str, AsyncResult]]] = {}
        self._busy: set[tuple[str, str]] = set()

    def end(self, container: str, session: str, user: str = "") -> bool:
        """End every process of that session of ours; whether it is certain that none is left."""
        done = AsyncResult()
        key = (container, user)
        self._waiting.setdefault(key, []).append((session, done))
        if key not in self._busy:
            self._busy.add(key)
            self._supervisor.once("end-inside", self._end_all, key)
        return bool(done.get())

    def _end_all(self, key: tuple[str, str]) -> None:
        try:
            while asked := self._waiting.pop(key, None):
                gone = False
                try:
                    gone = self._end_these(*key, [session for session, _ in asked])
                finally:
                    for _, done in asked:
                        done.set(gone)
        finally:
            self._busy.discard(key)

    def _end_these(self, container: str, user: str, sessions: list[str]) -> bool:
        until = time.monotonic() + WAIT
        said = self._run(container, "0", WAIT, _END, *sessions).split()
        if said[:2] != ["left", "0"]:
            return False
        if said == ["left", "0"] or _is_root(user):
            return True
        # There are processes whose environment root may not read, others' than its own: it has
        # no more rights here than the container gives it. Whoever they belong to may.
        left = max(until - time.monotonic(), LEAST)
        return self._run(container, user, left, _END, *sessions).split()[:2] == ["left", "0"]

    def folder(self, container: str, session: str, user: str = "") -> str:
        """Where its foreground process works, "" when that cannot be found out."""
        for who in ("0", user):
            path = self._run(container, who, WAIT, _FOLDER, session).strip("\n")
            if path.startswith("/"):
                return path
            if _is_root(user):
                break
        return ""

    def _run(self, container: str, user: str, wait: float, script: str, *arguments: str) -> str:
        """What a script prints until it ends or ``wait`` seconds have passed, "" when it could not
        be run (no shell, not running, …).

        The shell is the container's own, whatever that is: it never gets more rights than the
        container has.
        """
        said = b""
        try:
            with gevent.Timeout(wait, False):
                exec_id = self._engine.exec_create(
                    container, ["sh", "-c", script, "sh", *arguments], user=user, stdin=False
                )
                stream = self._engine.exec_start(exec_id)
                try:
                    said = stream.read_all(65536)
                finally:
                    stream.close()
                if not self._engine.exec_inspect(exec_id).pid:
                    said = b""  # the engine's own words
        except CloudBangError as e:
            log.debug("nothing can be run in %s: %s", container[:12], e)
            return ""
        return said.decode("utf-8", "replace").replace("\r\n", "\n")


def _is_root(user: str) -> bool:
    """Whether that is certain: the image may have a user of its own."""
    return user.partition(":")[0] in ("0", "root")
