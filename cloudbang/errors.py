"""The one error tree. Every error carries its facts as fields and writes its own sentence.

A sentence says what happened, to what, and what to do. ``code`` is stable: programs may rely on
it (it is the ``code`` of the problem document that the HTTP API answers with).
"""

from __future__ import annotations


class CloudBangError(Exception):
    """Base of everything CloudBang raises on purpose."""

    code = "internal"
    status = 500  # the HTTP status that the web side answers with


class SettingError(CloudBangError):
    """A setting holds what it may not hold; the start is refused."""

    code = "setting"

    def __init__(self, where: str, name: str, value: object, allowed: str) -> None:
        self.where, self.name, self.value, self.allowed = where, name, value, allowed
        super().__init__(where, name, value, allowed)

    def __str__(self) -> str:
        return f"{self.where}: {self.name} is {self.value!r}, but may be {self.allowed}"


class AlreadyRunning(CloudBangError):
    """Another process holds the data folder."""

    code = "already-running"

    def __init__(self, path: str, pid: int | None = None) -> None:
        self.path, self.pid = path, pid
        super().__init__(path, pid)

    def __str__(self) -> str:
        who = f"process {self.pid}" if self.pid else "another process"
        return (
            f"{who} already runs CloudBang on the data folder {self.path}: "
            "stop it, or give this one a folder of its own with CLOUDBANG_STORAGE_PATH"
        )


class PortInUse(CloudBangError):
    """An address that has to be listened on is taken."""

    code = "port-in-use"

    def __init__(self, address: str, setting: str) -> None:
        self.address, self.setting = address, setting
        super().__init__(address, setting)

    def __str__(self) -> str:
        return (
            f"{self.address} is in use by another program: stop it, or choose another "
            f"address with {self.setting}"
        )


class StorageFull(CloudBangError):
    """The data disk has no room; nothing was written and nothing was lost."""

    code = "storage-full"
    status = 507

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)

    def __str__(self) -> str:
        return (
            f"no room on the disk of {self.path}: collecting is paused, the engine keeps the "
            "lines; free some space and it goes on by itself"
        )


class StorageFailed(CloudBangError):
    """The data disk refused a write or a read for another reason than its size."""

    code = "storage-failed"

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(path, reason)

    def __str__(self) -> str:
        return f"cannot use {self.path}: {self.reason}"


class EngineUnreachable(CloudBangError):
    """The Docker Engine does not answer, or may not be asked."""

    code = "engine-unreachable"
    status = 503

    def __init__(self, address: str, reason: str) -> None:
        self.address, self.reason = address, reason
        super().__init__(address, reason)

    def __str__(self) -> str:
        return f"no Docker Engine answers at {self.address} ({self.reason}): start it, or set DOCKER_HOST"


class NoSuchApp(CloudBangError):
    """The named app is neither on the engine nor in the store (or the asker may not see it)."""

    code = "no-such-app"
    status = 404

    def __init__(self, app: str) -> None:
        self.app = app
        super().__init__(app)

    def __str__(self) -> str:
        return f"there is no app named {self.app}: GET /api/v1/apps lists those there are"


class BadRequest(CloudBangError):
    """A value in a request cannot be used."""

    code = "bad-request"
    status = 400

    def __init__(self, name: str, value: object, allowed: str) -> None:
        self.name, self.value, self.allowed = name, value, allowed
        super().__init__(name, value, allowed)

    def __str__(self) -> str:
        shown = repr(self.value)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        return f"{self.name} is {shown}, but may be {self.allowed}"


class NoSuchContainer(CloudBangError):
    """The engine does not know this container (any more)."""

    code = "no-such-container"
    status = 404

    def __init__(self, container: str) -> None:
        self.container = container
        super().__init__(container)

    def __str__(self) -> str:
        return f"the engine has no container {self.container}"


class LogUnreadable(CloudBangError):
    """The engine cannot read this container's log back."""

    code = "log-unreadable"
    status = 409

    def __init__(self, container: str, reason: str) -> None:
        self.container, self.reason = container, reason
        super().__init__(container, reason)

    def __str__(self) -> str:
        return f"the log of container {self.container} cannot be read: {self.reason}"


class EngineRefused(CloudBangError):
    """The engine answered, with an error."""

    code = "engine-refused"
    status = 502

    def __init__(self, what: str, engine_status: int, reason: str) -> None:
        self.what, self.engine_status, self.reason = what, engine_status, reason
        super().__init__(what, engine_status, reason)

    def __str__(self) -> str:
        return f"the Docker Engine refused {self.what} ({self.engine_status}): {self.reason}"


class ContainerNotRunning(CloudBangError):
    """A terminal needs a process, and this container has none now."""

    code = "container-not-running"
    status = 409

    def __init__(self, container: str, state: str) -> None:
        self.container, self.state = container, state
        super().__init__(container, state)

    def __str__(self) -> str:
        if self.state == "paused":
            return f"container {self.container} is paused: resume it, then open a terminal"
        return f"container {self.container} does not run ({self.state}): start it, then open a terminal"


class NoShell(CloudBangError):
    """There is no shell in the image, so no terminal without a command."""

    code = "no-shell"
    status = 409

    def __init__(self, container: str) -> None:
        self.container = container
        super().__init__(container)

    def __str__(self) -> str:
        return (
            f"there is no shell in the image of container {self.container}: name a command that "
            "it has, or open a toolbox beside it"
        )


class NotStarted(CloudBangError):
    """The engine could not start the command of a terminal."""

    code = "not-started"
    status = 409

    def __init__(self, container: str, reason: str) -> None:
        self.container, self.reason = container, reason
        super().__init__(container, reason)

    def __str__(self) -> str:
        return f"nothing could be started in container {self.container}: {self.reason}"


class NoSuchTerminal(CloudBangError):
    """No such session, or it is not the asker's."""

    code = "no-such-terminal"
    status = 404

    def __init__(self, session: str) -> None:
        self.session = session
        super().__init__(session)

    def __str__(self) -> str:
        return f"there is no terminal {self.session}: it has ended, or it is not yours"


class LinkUsed(CloudBangError):
    """A link that was good once, and somebody else has it."""

    code = "link-used"
    status = 403

    def __init__(self, session: str) -> None:
        self.session = session
        super().__init__(session)

    def __str__(self) -> str:
        return "this link was good for one person, and somebody has used it: ask for a new one"


class TooManyTerminals(CloudBangError):
    """A limit of terminals is reached."""

    code = "too-many-terminals"
    status = 429

    def __init__(self, limit: int, whose: str) -> None:
        self.limit, self.whose = limit, whose  # whose: "person" or "all"
        super().__init__(limit, whose)

    def __str__(self) -> str:
        if self.whose == "person":
            return f"you have {self.limit} terminals open, and no more are allowed: end one first"
        return f"{self.limit} terminals are open, and no more are allowed: one has to end first"


class TicketRefused(CloudBangError):
    """A ticket that opens nothing (any more)."""

    code = "ticket-refused"
    status = 403

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return f"this ticket opens no terminal: {self.reason}; ask for a new one"


class FileRefused(CloudBangError):
    """A file that cannot be put into a container or taken out of it."""

    code = "file-refused"
    status = 409

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(path, reason)

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"
