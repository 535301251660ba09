"""What apps are told and nobody else: secrets, encrypted with a key that is not in the database.

Each value is sealed with AES-256-GCM and bound to its place: a row that somebody moves to another
app or name does not open. The key is a file beside the database, for its owner's eyes only; whoever
has the database alone, as a backup may, has nothing.
"""

from __future__ import annotations

import hmac
import logging
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from cloudbang.errors import CloudBangError, StorageFailed
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import secret_values as table

log = logging.getLogger(__name__)

KEY = "secrets.key"
BYTES = 32
NONCE = 12


class SecretUnreadable(CloudBangError):
    """A secret does not open: the key is another than the one that it was written with."""

    code = "secret-unreadable"
    status = 409
    sentence = (
        "the secret {name} of {app} cannot be read with the key in {path}: put back the key that it "
        "was written with, or write the secret anew"
    )
    variants = {  # noqa: RUF012
        ("app", "@registry"): (
            "the credentials that are kept for the registry {name} cannot be read with the key in "
            "{path}: put back the key that they were written with, or write them anew"
        ),
        ("app", "@git"): (
            "the credentials that are kept for the Git host {name} cannot be read with the key in "
            "{path}: put back the key that they were written with, or write them anew"
        ),
    }

    def __init__(self, app: str, name: str, path: str) -> None:
        self.app, self.name, self.path = app, name, path
        super().__init__(app, name, path)


class SecretStore:
    """Values by app, name and version: a release names the versions that it was made with."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._path = Path(folder) / KEY
        self._key: bytes | None = None

    def put(self, app: str, values: Mapping[str, str]) -> dict[str, int]:
        """Keep values; the version of each. One that is as it was keeps its version.

        Raises StorageFailed, StorageFull.
        """
        return self._database.write(lambda c: self.put_in(c, app, values)) if values else {}

    def put_in(
        self, c: sa.Connection, app: str, values: Mapping[str, str], *, alone: bool = False
    ) -> dict[str, int]:
        """The same within somebody's transaction: beside the row that they belong to. ``alone``: these
        are all that the app has from now on. Raises StorageFailed."""
        versions = {}
        for name, value in values.items():
            key = self._read_key()
            its = (table.c.app == app) & (table.c.name == name)
            newest = sa.select(table.c.version, table.c.value).where(its)
            row = c.execute(newest.order_by(table.c.version.desc()).limit(1)).one_or_none()
            version = row[0] if row else 0
            if row is None or _opened(key, app, name, version, row[1]) != value:
                version += 1
                sealed = _sealed(key, app, name, version, value)
                new = {"app": app, "name": name, "version": version, "value": sealed}
                c.execute(sa.insert(table).values(**new))
            versions[name] = version
        if alone:
            self.forget_in(c, app, set(versions.items()))
        return versions

    def replace(self, app: str, values: Mapping[str, str]) -> None:
        """Keep these, and forget all others that it had. Raises StorageFailed, StorageFull."""
        self._database.write(lambda c: self.put_in(c, app, values, alone=True))

    def replace_one(self, app: str, name: str, value: str) -> None:
        """Keep one, and forget what it was before; the others stay as they are, those as well that
        somebody keeps at this moment. Raises StorageFailed, StorageFull."""

        def work(c: sa.Connection) -> None:
            version = self.put_in(c, app, {name: value})[name]
            its = (table.c.app == app) & (table.c.name == name)
            c.execute(sa.delete(table).where(its & (table.c.version != version)))

        self._database.write(work)

    def forget_one(self, app: str, name: str) -> bool:
        """Whether there was one of that name. Raises StorageFailed."""
        its = (table.c.app == app) & (table.c.name == name)
        return self._database.write(lambda c: c.execute(sa.delete(table).where(its)).rowcount) > 0

    def get(self, app: str, versions: Mapping[str, int]) -> dict[str, str]:
        """The values of these versions. Raises SecretUnreadable, StorageFailed."""
        if not versions:
            return {}
        key = self._read_key()
        found = {}
        for name, version, sealed in self._kept(app):
            if versions.get(name) == version:
                value = _opened(key, app, name, version, sealed)
                if value is not None:
                    found[name] = value
        for name in versions:
            if name not in found:
                raise SecretUnreadable(app, name, str(self._path))
        return found

    def values_of(self, app: str) -> list[str]:
        """Of every version that is kept, and can be read: of one that cannot nobody knows what to look
        for. Raises StorageFailed while the database does not tell."""
        if not (rows := self._kept(app)):
            return []
        try:
            key = self._read_key()
        except StorageFailed as e:
            log.warning("what %s prints of its secrets cannot be masked: %s", app, e)
            return []
        opened = (_opened(key, app, name, version, sealed) for name, version, sealed in rows)
        return [value for value in opened if value is not None]

    def _kept(self, app: str) -> Sequence[sa.Row[Any, Any, Any]]:
        """Name, version and sealed value of each."""
        statement = sa.select(table.c.name, table.c.version, table.c.value)
        statement = statement.where(table.c.app == app)
        return self._database.read(lambda c: c.execute(statement).all())

    def mark(self, app: str, name: str, value: str) -> str:
        """16 hex digits by which one value of a secret is told from another, and that say nothing
        of it to who has not the key. Raises StorageFailed."""
        whole = f"{app}\0{name}\0{value}".encode()
        return hmac.digest(self._read_key(), whole, "sha256").hex()[:16]

    def newest(self, app: str) -> dict[str, int]:
        """By name the newest version there is."""
        statement = sa.select(table.c.name, sa.func.max(table.c.version))
        statement = statement.where(table.c.app == app).group_by(table.c.name)
        rows = self._database.read(lambda c: c.execute(statement).all())
        return {str(name): int(version) for name, version in rows}

    def forget(self, app: str, keep: Collection[tuple[str, int]] = ()) -> None:
        """Delete all of an app but these (name, version)."""
        self._database.write(lambda c: self.forget_in(c, app, keep))

    def forget_in(self, c: sa.Connection, app: str, keep: Collection[tuple[str, int]] = ()) -> None:
        """The same within somebody's transaction."""
        its = sa.select(table.c.name, table.c.version).where(table.c.app == app)
        for name, version in c.execute(its).all():
            if (name, version) not in keep:
                one = (table.c.name == name) & (table.c.version == version)
                c.execute(sa.delete(table).where((table.c.app == app) & one))

    def _read_key(self) -> bytes:
        """The key, which is made when the first secret is kept."""
        if self._key is None:
            try:
                # Whole or not at all, whoever else makes it at this moment.
                made = self._path.with_suffix(f".{os.getpid()}.tmp")
                if not self._path.exists():
                    with os.fdopen(
                        os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
                    ) as file:
                        file.write(os.urandom(BYTES))
                        file.flush()
                        os.fsync(file.fileno())
                    with suppress(FileExistsError):
                        os.link(made, self._path)
                    made.unlink()
                key = self._path.read_bytes()
            except OSError as e:
                raise StorageFailed(str(self._path), e.strerror or str(e)) from e
            if len(key) != BYTES:
                raise StorageFailed(str(self._path), f"it does not hold {BYTES} bytes")
            self._key = key
        return self._key


def _bound(app: str, name: str, version: int) -> bytes:
    return f"{app}\0{name}\0{version}".encode()


def _sealed(key: bytes, app: str, name: str, version: int, value: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, value.encode(), _bound(app, name, version))


def _opened(key: bytes, app: str, name: str, version: int, sealed: bytes) -> str | None:
    """The value; None where it is not one that was sealed with this key, for this place."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        value = AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], _bound(app, name, version))
    except (InvalidTag, ValueError):
        return None
    return value.decode("utf-8", "replace")
