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
for n in 1 2 3 4; do
  [ $left = 0 ] && break
  sleep 0.3 2>/dev/null || sleep 1
  signal_all KILL
done
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
        # By container and user: the sessions that the next script ends; each is in it once.
        self._waiting: dict[tuple[str, str], list[tuple[str, AsyncResult]]] = {}
        self._busy: set[tuple[str, str]] = set()
        # Root needs it to read the environment of other users' processes. An engine that does
        # not have all capabilities itself cannot give it.
        self._privileged = True

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
                sessions = [session for session, _ in asked]
                said = ""
                try:
                    said = self._run(*key, _END, *sessions)
                finally:
                    for _, done in asked:
                        done.set(said.strip() == "left 0")
        finally:
            self._busy.discard(key)

    def folder(self, container: str, session: str, user: str = "") -> str:
        """Where its foreground process works, "" when that cannot be found out."""
        path = self._run(container, user, _FOLDER, session).strip("\n")
        return path if path.startswith("/") else ""

    def _run(self, container: str, user: str, script: str, *arguments: str) -> str:
        """What a script prints, "" when it could not be run (no shell, not running, …)."""
        argv = ["sh", "-c", script, "sh", *arguments]
        if self._privileged and (said := self._output(container, argv, "0", True)) is not None:
            return said
        said = self._output(container, argv, "0", False)
        if said is None:
            return ""  # there is no shell
        self._privileged = False
        if user in ("0", "root"):
            return said
        # As whoever they belong to: nobody else may look at them.
        again = self._output(container, argv, user, False)
        return said if again is None else again

    def _output(self, container: str, argv: list[str], user: str, privileged: bool) -> str | None:
        """What it prints until it ends, None when it could not be started."""
        try:
            exec_id = self._engine.exec_create(
                container, argv, user=user, stdin=False, privileged=privileged
            )
            stream = self._engine.exec_start(exec_id)
            try:
                said = b""
                with gevent.Timeout(WAIT, False):
                    said = stream.read_all(65536)
            finally:
                stream.close()
            if not self._engine.exec_inspect(exec_id).pid:
                return None
        except CloudBangError as e:
            log.debug("nothing can be run in %s: %s", container[:12], e)
            return None
        return said.decode("utf-8", "replace").replace("\r\n", "\n")
