"""Images that are fetched from a registry, and those that are there already."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import gevent

from cloudbang.deploy.addresses import AddressRefused, allowed_address
from cloudbang.deploy.credentials import HostCredentials
from cloudbang.deploy.disk import EngineDisk
from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.told import PacedTell, Tell
from cloudbang.domain.deploy.failure import Failure, failure_of_pull
from cloudbang.domain.deploy.image_name import is_called, registry_of
from cloudbang.domain.deploy.pulled import PullProgress
from cloudbang.engine import Engine
from cloudbang.engine.images import EngineImage, RegistryLogin
from cloudbang.errors import EngineRefused, EngineUnreachable
from cloudbang.storage.database.secrets import SecretUnreadable

SILENT = 60.0  # seconds without a word of the registry's after which it is given up
TIMED_OUT = "timed out"  # as a connection says it that has waited for an answer
WITHIN = 3600.0  # seconds for all of an image


class Log(Protocol):
    """Where lines for people go: a deployment's log."""

    def say(self, text: str) -> None: ...


class Puller:
    """Fetches images with the credentials that are kept for their registries."""

    def __init__(
        self,
        engine: Engine,
        credentials: HostCredentials,
        disk: EngineDisk,
        allowed_hosts: Collection[str] = (),
        *,
        silent: float = SILENT,
        within: float = WITHIN,
    ) -> None:
        self._engine, self._credentials, self._disk = engine, credentials, disk
        self._allowed_hosts = allowed_hosts
        self._silent, self._within = silent, within

    def here(self, name: str) -> EngineImage | None:
        """The image of exactly that name, digest or id, where the engine has it. Raises StepFailed
        for what is no name."""
        try:
            found = self._engine.image(name)
        except EngineRefused as e:
            if e.engine_status not in (301, 400):  # of "a//b" it thinks that an address is meant
                raise
            said = e.reason if e.engine_status == 400 else "invalid reference format"
            raise StepFailed(Failure("image-not-found", said, what=name)) from None
        if found and is_called(name, (*found.tags, *found.digests), found.id):
            return found
        return None

    def image(self, name: str, team: str, log: Log, tell: Tell) -> EngineImage:
        """The image as it is on the machine, or fetched, with the credentials of that team. Raises
        StepFailed with the class of what the registry says, EngineUnreachable. Who is ended meanwhile
        comes back when the engine has ended the pull, or gives it up (``Engine.pull``)."""
        found = self.here(name)
        if found is not None:
            log.say(f"{name} is on this machine: {found.id}")
            return found
        login = self._login(name, team)
        self._disk.admit(name)
        log.say(f"pulling {name}" + (f" as {login.user}" if login else ""))
        with gevent.Timeout(self._within, False):
            self._pull(name, login, log, tell)
            if (found := self.here(name)) is None:
                # Neither an error nor an image: the engine ended while it was at it.
                raise EngineUnreachable(self._engine.host, "it ended within a pull")
            log.say(f"{name} is here: {found.id}")
            return found
        said = f"it was given up after {self._within / 60:.0f} minutes"
        raise StepFailed(Failure("timed-out", said, what=name))

    def _login(self, name: str, team: str) -> RegistryLogin | None:
        """What is kept for the registry, which has to be one that may be asked."""
        registry = registry_of(name)
        if name.startswith("sha256:") or (len(name) == 64 and not registry):
            raise StepFailed(
                Failure("image-not-found", "this machine has no image of that id", what=name)
            )
        if registry:
            host, _, port = registry.rpartition(":") if ":" in registry else (registry, "", "443")
            try:
                named = registry in self._allowed_hosts
                allowed = (*self._allowed_hosts, host) if named else self._allowed_hosts
                allowed_address(host, int(port) if port.isdigit() else 443, allowed)
            except AddressRefused as e:
                if e.address:  # of one without, the engine may know
                    raise StepFailed(Failure("registry-refused", str(e), what=name)) from None
        try:
            kept = self._credentials.get(team, "registry", registry)
        except SecretUnreadable as e:
            raise StepFailed(Failure("registry-refused", str(e), what=name)) from None
        return RegistryLogin(registry, *kept) if kept else None

    def _pull(self, name: str, login: RegistryLogin | None, log: Log, tell: Tell) -> None:
        progress = PullProgress()

        def told() -> Mapping[str, object]:
            return {"image": name, **progress.told}

        try:
            with PacedTell(tell) as paced:
                for step in self._engine.pull(name, login=login, silent=self._silent):
                    line = progress.feed(step.layer, step.status, step.done, step.total)
                    if line:
                        log.say(line)
                    paced(told)
        except EngineRefused as e:
            self._engine.ping()  # one that is told to end says that a pull failed
            failure = failure_of_pull(e.reason, e.engine_status)
            raise StepFailed(Failure(failure.kind, failure.said, what=name)) from None
        except EngineUnreachable as e:
            if e.reason != TIMED_OUT:
                raise  # it ended
            # Also what is said of one that waits for a registry's first word, and has none itself.
            self._engine.ping()
            said = f"nothing came for {self._silent:.0f} s"
            raise StepFailed(Failure("registry-unreachable", said, what=name)) from None
