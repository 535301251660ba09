"""What ``python -m cloudbang share`` and its endpoint show each other: that they may read the data
folder.

Both know the key of the installation, which is in the database that nobody but CloudBang's own
user can read. The server goes first: anybody may listen on its port while it does not run, and who
is shown a pass, or a program with its keyboard, has to be the one who knows the key. It signs the
nonce of the command, and the port, so that nobody who listens on another one can have it signed for
them. Then the command shows a pass that is bound to the nonce: good once and for a minute, at the
server that has signed it. Nothing is written down: whatever becomes of the command, nothing is left
behind that would still open something.

Only the standard library: the command shall be light, and reading the key shall neither make nor
migrate a database that a server uses.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

PREFIX = "cbs_"
VALID = 60  # seconds
DATABASE = "cloudbang.db"  # store.database.FILE, whose imports the command does without
_FOR = b"share"  # the key signs other things for others
# What the server signs before it is shown anything, and once more where it is told what to share.
FIRST, AGAIN = "first", "again"
NONCE_HEADER, PROOF_HEADER = "X-CloudBang-Nonce", "X-CloudBang-Proof"
NONCE = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Pass:
    """``who`` is the operating system's user and host, for the audit list."""

    nonce: str
    who: str
    digest: bytes


def new_nonce() -> str:
    return secrets.token_hex(16)


def proof(key: bytes, nonce: str, port: int, when: str) -> str:
    """That the server on that port knows the key; ``when``: FIRST or AGAIN."""
    return hmac.new(key, f"share-server {when} {port} {nonce}".encode(), hashlib.sha256).hexdigest()


def make(key: bytes, who: str, now: float, nonce: str) -> str:
    """A pass for now (seconds since 1970), at the server that has signed this nonce."""
    said = json.dumps({"at": int(now), "once": nonce, "who": who[:64]})
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
