"""What is done from within a container, where the host's processes cannot be seen.

That is when CloudBang runs in a container itself or its engine is on another machine. A constant
script finds the processes of our sessions by a variable in their environment. What comes from
outside reaches it as arguments, never as text of the script.
"""

from __future__ import annotations

import logging

import gevent
from gevent.event import AsyncResult

from cloudbang.engine import Engine
from cloudbang.errors import CloudBangError
from cloudbang.supervise import Supervisor

log = logging.getLogger(__name__)

WAIT = 4.5  # seconds

# Only what every shell has built in, and `cat` (the shell drops NUL bytes of its output).
# Of the process sessions with the variable in them, ours has the terminal; when its leader has
# gone, it has none and no leader. A daemon that was started in it has neither the terminal nor
# lost its leader, or it is left alone as long as ours can be told from it.
_FIND = """
stat_of() { read -r line 2>/dev/null < "/proc/$1/stat" || return 1; set -- ${line##*) }
  state=$1 session=$4 tty=$5 tpgid=$6; }
find_session() { sure= maybe=
  for d in /proc/[0-9]*; do p=${d#/proc/}
    case "$(cat "$d/environ" 2>/dev/null)" in *"CLOUDBANG_TERMINAL=$1"*) ;; *) continue ;; esac
    stat_of "$p" || continue
    if [ "$tty" != 0 ]; then sure="$sure $session"
    elif ! stat_of "$session" || [ "$state" = Z ]; then stat_of "$p" && maybe="$maybe $session"; fi
  done
  found="${sure:-$maybe} "; }
"""

_END = (
    _FIND
    + """
signal_all() { left=0
  for d in /proc/[0-9]*; do p=${d#/proc/}
    stat_of "$p" || continue
    [ "$state" = Z ] && continue
    case "$sessions" in *" $session "*) left=$((left+1)); for s in "$@"; do kill -s "$s" "$p"; done ;; esac
  done 2>/dev/null; }
sessions=
for marker in "$@"; do find_session "$marker"; sessions="$sessions$found"; done
signal_all HUP CONT
if [ $left != 0 ]; then sleep 1; signal_all KILL; fi
if [ $left != 0 ]; then sleep 1; signal_all KILL; fi
echo "left $left"
"""
)

_FOLDER = (
    _FIND
    + """
find_session "$1"; set -- $found
stat_of "$1" && [ "$tpgid" -gt 0 ] && cd "/proc/$tpgid/cwd" && pwd -P
"""
)


class Inside:
    """Runs the scripts. Those that end in the same container at the same time share one."""

    def __init__(self, engine: Engine, supervisor: Supervisor) -> None:
        self._engine, self._supervisor = engine, supervisor
        # By container: the sessions that the next script ends. As many as there are sessions.
        self._waiting: dict[str, list[tuple[str, AsyncResult]]] = {}
        self._busy: set[str] = set()

    def end(self, container: str, session: str) -> bool:
        """End every process of that session of ours; whether it is certain that none is left."""
        done = AsyncResult()
        self._waiting.setdefault(container, []).append((session, done))
        if container not in self._busy:
            self._busy.add(container)
            self._supervisor.once("end-inside", self._end_all, container)
        return bool(done.get())

    def _end_all(self, container: str) -> None:
        try:
            while asked := self._waiting.pop(container, None):
                sessions = [session for session, _ in asked]
                said = ""
                try:
                    said = self._run(container, _END, *sessions)
                finally:
                    for _, done in asked:
                        done.set(said.strip() == "left 0")
        finally:
            self._busy.discard(container)

    def folder(self, container: str, session: str) -> str:
        """Where its foreground process works, "" when that cannot be found out."""
        path = self._run(container, _FOLDER, session).strip("\n")
        return path if path.startswith("/") else ""

    def _run(self, container: str, script: str, *arguments: str) -> str:
        """What a script prints, "" when it could not be run (no shell, not running, …)."""
        # Privileged: without it root may not read the environment of other users' processes.
        try:
            exec_id = self._engine.exec_create(
                container,
                ["sh", "-c", script, "sh", *arguments],
                user="0",
                stdin=False,
                privileged=True,
            )
            stream = self._engine.exec_start(exec_id)
        except CloudBangError as e:
            log.debug("nothing can be run in %s: %s", container[:12], e)
            return ""
        try:
            with gevent.Timeout(WAIT, False):
                return stream.read_all(65536).decode("utf-8", "replace").replace("\r\n", "\n")
        finally:
            stream.close()
        return ""
