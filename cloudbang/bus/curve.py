"""The files that hold the bus's CURVE keys: who may connect when it listens beyond loopback.

In one folder::

    hub.key_secret      the hub's pair; only where the hub runs
    hub.key             its public half; everywhere
    clients/NAME.key    public halves of those who may connect; only where the hub runs
    client.key_secret   a client's own pair; only where that client runs

The format is ZeroMQ's own certificate file (``public-key = "…"``, ``secret-key = "…"``, each 40
characters of Z85), so that keys made by other ZeroMQ tools work. Nothing here talks to the bus.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from cloudbang.errors import SettingError

_KEY = re.compile(
    r'^\s*(public|secret)-key\s*=\s*"([0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]{40})"', re.M
)


class Keys(NamedTuple):
    """A key pair in printable form; ``secret`` is empty where only the public half is known."""

    public: bytes
    secret: bytes


def read(path: Path) -> Keys:
    """The keys of one file. Raises SettingError."""
    try:
        found = dict(_KEY.findall(path.read_text("utf-8", "replace")))
        problem = "it holds no CURVE key"
    except OSError as e:
        found, problem = {}, e.strerror or "it cannot be read"
    needed = {"public", "secret"} if path.suffix == ".key_secret" else {"public"}
    if not needed <= set(found):
        allowed = f"a folder with CURVE keys ({path.name} cannot be used: {problem})"
        raise SettingError("bus", "curve_folder", str(path.parent), allowed)
    return Keys(found["public"].encode(), found.get("secret", "").encode())


def write(folder: Path, name: str, keys: Keys) -> Path:
    """Write ``name.key`` and, readable by its owner only, ``name.key_secret``; the first's path."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    public = f'metadata\ncurve\n    public-key = "{keys.public.decode()}"\n'
    shown, hidden = folder / f"{name}.key", folder / f"{name}.key_secret"
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as f:
        f.write(f'{public}    secret-key = "{keys.secret.decode()}"\n')
    shown.write_text(public)
    return shown


def own(folder: Path) -> Keys:
    """The pair that a client of this machine shows: its own, else the hub's."""
    mine = folder / "client.key_secret"
    return read(mine if mine.exists() else folder / "hub.key_secret")


def hub_public(folder: Path) -> bytes:
    """The public key of the hub that clients want to meet."""
    return read(folder / "hub.key").public


def clients(folder: Path) -> set[bytes]:
    """The public keys that may connect. A broken file does not lock the others out."""
    found = set()
    for path in (folder / "clients").glob("*.key"):
        try:
            found.add(read(path).public)
        except SettingError:
            continue
    return found
