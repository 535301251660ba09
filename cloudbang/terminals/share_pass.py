"""What ``python -m cloudbang share`` shows at its endpoint: that it may read the data folder.

A pass is signed with the key of the installation, which is in the database that nobody but
CloudBang's own user can read. It is good once and for a minute, and it is written down nowhere:
whatever becomes of the command, nothing is left behind that would still open something.

Only the standard library: the command shall be light, and reading the key shall neither make nor
migrate a database that a server uses.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

PREFIX = "cbs_"
VALID = 60  # seconds
DATABASE = "cloudbang.db"  # store.database.FILE, whose imports the command does without
_FOR = b"share"  # the key signs other things for others


@dataclass(frozen=True, slots=True)
class Pass:
    """``who`` is the operating system's user and host, for the audit list."""

    nonce: str
    who: str
    digest: bytes


def make(key: bytes, who: str, now: float) -> str:
    """A pass for now (seconds since 1970)."""
    said = json.dumps({"at": int(now), "once": secrets.token_hex(8), "who": who[:64]})
    body = base64.urlsafe_b64encode(said.encode()).decode()
    return f"{PREFIX}{body}.{_signed(key, body)}"


def check(key: bytes, text: str, now: float) -> Pass | None:
    """What the pass says, None when it is not, or no longer, good."""
    body, _, signature = text.removeprefix(PREFIX).partition(".")
    if len(text) > 500 or not text.isascii() or not text.startswith(PREFIX):
        return None
    if not hmac.compare_digest(_signed(key, body), signature):
        return None
    try:
        said = json.loads(base64.urlsafe_b64decode(body))
    except (binascii.Error, ValueError):  # pragma: no cover - what we signed can be read
        return None
    if abs(now - said["at"]) > VALID:
        return None
    return Pass(said["once"], said["who"], hashlib.sha256(text.encode()).digest())


def read_key(folder: Path) -> bytes | None:
    """The key of the installation in this data folder; None when there is none (yet).

    Raises OSError or sqlite3.Error when it cannot be read.
    """
    path = (folder / DATABASE).absolute()
    try:
        path.open("rb").close()  # says why not in plainer words than SQLite does
    except FileNotFoundError:
        return None
    database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5.0)
    try:
        found = database.execute("SELECT value FROM settings WHERE key = 'signing_key'").fetchone()
    finally:
        database.close()
    return bytes.fromhex(found[0]) if found else None


def _signed(key: bytes, body: str) -> str:
    return hmac.new(key, _FOR + body.encode(), hashlib.sha256).hexdigest()
