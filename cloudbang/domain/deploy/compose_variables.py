"""What a Compose file takes from whoever runs it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from cloudbang.domain.deploy.compose_paths import FOLDER

# An item of a list, or the value of a key of Compose's own: those of environments are capitals.
_VALUE = re.compile(r"""\s*(?:-\s+)?(?:[a-z_]+:\s+)?["']?(?P<value>[^\s"'#=][^"'#=]*)""")
_REFERENCE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<bare>\w+))")


def from_outside(config: Mapping[str, Any]) -> set[str]:
    """The variables that services take from whoever runs it: those that their environment names
    without a value, and a home. ``config``: as Compose has normalised it."""
    services = list((config.get("services") or {}).values())
    environments = [its.get("environment") or {} for its in services]
    found = {name for its in environments for name, value in its.items() if value is None}
    mounts = [mount for its in services for mount in its.get("volumes") or ()]
    if any(str(mount.get("source")).startswith(f"{FOLDER}~") for mount in mounts):
        found.add("HOME")
    return found


def needed_of(text: str, names: Collection[str]) -> set[str]:
    """Those of these variables without which there is nothing where something has to be: a port or a
    mount (``${PORT}:80``), an image."""
    found = set()
    for line in text.splitlines():
        match = _VALUE.match(line)
        value = match["value"].rstrip() if match else ""
        for one in _REFERENCE.finditer(value):
            name = one["braced"] or one["bare"]
            before, after = value[: one.start()], value[one.end() :]
            alone = before[-1:] in ("", ":") and after[:1] in ("", ":")
            if name in names and alone:
                found.add(name)
    return found
