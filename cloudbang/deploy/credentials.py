"""Users and passwords for registries and Git hosts: a team's own, kept encrypted, and shown to nobody
again."""

from __future__ import annotations

import re
from typing import Literal

import orjson

from cloudbang.domain.deploy.image_name import HUB
from cloudbang.errors import BadRequest, CloudBangError
from cloudbang.storage.database.secrets import SecretStore

Kind = Literal["registry", "git"]
KINDS: tuple[Kind, ...] = ("registry", "git")
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:\d{1,5})?|\[[0-9a-f:]{2,39}\](:\d{1,5})?")
LONGEST = 16 * 1024  # characters of a password: tokens are long
HUB_HOST = HUB[0]


class NoSuchCredentials(CloudBangError):
    """Nothing is kept for that host."""

    code = "no-such-credentials"
    status = 404
    title = "No such credentials"
    sentence = "no credentials are kept for {host}"

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(host)


class HostCredentials:
    """By team, kind and host, with its port where it is not the usual one. All methods raise
    StorageFailed, those that write StorageFull as well."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets

    def put(self, team: str, kind: Kind, host: str, user: str, password: str) -> None:
        """Keep them, in place of what was there. Raises BadRequest."""
        name = _name(team, kind, host)
        if not user or len(user) > 256 or not user.isprintable() or ":" in user:
            raise BadRequest("user", user, "1 to 256 characters, without a colon")
        if not password or len(password) > LONGEST or not password.isprintable():
            # Without it: an error is shown, logged and sent on.
            raise BadRequest("password", "…", "1 to 16384 characters, on one line")
        value = orjson.dumps([user, password]).decode()
        self._secrets.replace_one(_place(kind), name, value)

    def get(self, team: str, kind: Kind, host: str) -> tuple[str, str] | None:
        """User and password; None where none are kept. Raises SecretUnreadable."""
        try:
            name = _name(team, kind, host)
        except BadRequest:  # for what none can be kept
            return None
        version = self._secrets.newest(_place(kind)).get(name)
        if version is None:
            return None
        user, password = orjson.loads(self._secrets.get(_place(kind), {name: version})[name])
        return str(user), str(password)

    def hosts(self, team: str, kind: Kind) -> list[str]:
        """Those for which the team has some."""
        names = (name.partition("/") for name in self._secrets.newest(_place(kind)))
        return sorted(host for whose, _, host in names if whose == team)

    def forget(self, team: str, kind: Kind, host: str) -> bool:
        """Whether there were some."""
        return self._secrets.forget_one(_place(kind), _name(team, kind, host))


def host_name(kind: Kind, host: str) -> str:
    """As it is kept: small, without a scheme and a path. Raises BadRequest."""
    name = host.strip().lower().removeprefix("https://").removeprefix("http://")
    name = name.partition("/")[0].rstrip(".")
    if kind == "registry" and name in ("", *HUB):
        return HUB_HOST
    if not HOST.fullmatch(name):
        raise BadRequest("host", host, 'a host, such as "registry.example.com" or "localhost:5000"')
    return name


def _name(team: str, kind: Kind, host: str) -> str:
    return f"{team}/{host_name(kind, host)}"


def _place(kind: Kind) -> str:
    """Where a secret has its app: no app is called so."""
    return f"@{kind}"
