"""What is beside a Compose file, and what of it is handed to its containers."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

FOLDER = "/compose/project/"
"""Where Compose believes the file to be: what a path of it leads to tells whether it was relative."""


def beside(path: str) -> str | None:
    """From the file's folder on; None for what is elsewhere."""
    if path.rstrip("/") == FOLDER.rstrip("/"):
        return "."
    if not path.startswith("/"):
        tidy = posixpath.normpath(path)
        return None if tidy.startswith("..") else tidy
    return path[len(FOLDER) :].rstrip("/") if path.startswith(FOLDER) else None


def handed(
    told: Sequence[dict[str, object]], folder: str
) -> list[tuple[str, str, dict[str, object]]]:
    """Of each secret or config of a service its source, where it is put, and all that is said of it;
    ``folder``: where those are put of which only a name is said."""
    found = []
    for one in told:
        source = str(one.get("source") or "")
        target = str(one.get("target") or source)
        found.append((source, target if target.startswith("/") else folder + target, one))
    return found


def content_of(
    declared: Mapping[str, object], files: Mapping[str, str], variables: Mapping[str, str]
) -> str | None:
    """Of what a file hands to its containers: written in it, in a variable, or beside it."""
    if isinstance(declared.get("content"), str):
        return str(declared["content"])
    if (variable := declared.get("environment")) and str(variable) in variables:
        return variables[str(variable)]
    return files.get(beside(str(declared.get("file") or "/")) or "/")
