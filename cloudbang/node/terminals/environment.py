"""What is put into the environment of the processes that are started inside a container."""

from __future__ import annotations

from collections.abc import Mapping

from cloudbang.node.terminals.processes import MARKER

# Where programs are in nearly every image, whatever its PATH leads to.
STANDARD = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")


def of_script(env: Mapping[str, str]) -> dict[str, str]:
    """For a script of ours: its programs are found, also where the container's own PATH leads to
    the programs of an app only, and complain in words that are known."""
    path = env.get("PATH", "")
    return {"PATH": f"{path}:{STANDARD}" if path else STANDARD, "LC_ALL": "C.UTF-8"}


def of_terminal(env: Mapping[str, str], session: str, program: str) -> dict[str, str]:
    """For what a person works with: its session, what its terminal can do, and that characters
    have more than one byte, unless the container says what they have.

    Not for a ``sh``, which may be busybox's: told so, it shows most of them as question marks.
    """
    found = {"TERM": "xterm-256color", MARKER: session}
    is_sh = program.rpartition("/")[2] in ("sh", "ash", "busybox")
    if not is_sh and not any(env.get(name) for name in LOCALE):
        found["LANG"] = "C.UTF-8"
    return found
