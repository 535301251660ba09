"""The one error tree. Every error carries its facts as fields, and its sentence on its class.

A sentence says what happened, to what, and what to do. It is the English text with the names of
fields in braces, and the key of the catalogue of the other language: the web side translates it
before the fields are filled in. ``code`` is stable: programs may rely on it (it is the ``code`` of
the problem document that the HTTP API answers with).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

SHOWN = 120  # characters of a value that somebody sent


class CloudBangError(Exception):
    """Base of everything CloudBang raises on purpose."""

    code = "internal"
    status = 500  # the HTTP status that the web side answers with
    title = ""  # what happened in a few words; without them the status' own phrase
    sentence = "this is a fault in CloudBang: its log has the details"
    page_sentence = ""  # for who looks at a page and not at the API, where that differs
    variants: ClassVar[Mapping[tuple[str, object], str]] = {}
    """The sentence where a field has that value."""
    told: ClassVar[tuple[str, ...]] = ()
    """Facts that a program is told by themselves as well."""

    def template(self, on_page: bool = False) -> str:
        """The sentence of this error, its fields not filled in yet."""
        for (field, value), sentence in self.variants.items():
            if getattr(self, field) == value:
                return sentence
        return (on_page and self.page_sentence) or self.sentence

    def facts(self) -> dict[str, object]:
        """What is filled in, by name."""
        return dict(vars(self))

    def __str__(self) -> str:
        return self.template().format(**self.facts())


class SettingError(CloudBangError):
    """A setting holds what it may not hold; the start is refused."""

    code = "setting"
    sentence = "{where}: {name} is {value!r}, but may be {allowed}"

    def __init__(self, where: str, name: str, value: object, allowed: str) -> None:
        self.where, self.name, self.value, self.allowed = where, name, value, allowed
        super().__init__(where, name, value, allowed)


class AlreadyRunning(CloudBangError):
    """Another process holds the data folder."""

    code = "already-running"
    sentence = (
        "process {pid} already runs CloudBang on the data folder {path}: "
        "stop it, or give this one a folder of its own with CLOUDBANG_STORAGE_PATH"
    )
    variants = {  # noqa: RUF012
        ("pid", None): (
            "another process already runs CloudBang on the data folder {path}: "
            "stop it, or give this one a folder of its own with CLOUDBANG_STORAGE_PATH"
        )
    }

    def __init__(self, path: str, pid: int | None = None) -> None:
        self.path, self.pid = path, pid
        super().__init__(path, pid)


class PortInUse(CloudBangError):
    """An address that has to be listened on is taken."""

    code = "port-in-use"
    sentence = (
        "{address} is in use by another program: stop it, or choose another address with {setting}"
    )

    def __init__(self, address: str, setting: str) -> None:
        self.address, self.setting = address, setting
        super().__init__(address, setting)


class StorageFull(CloudBangError):
    """The data disk has no room; nothing was written and nothing was lost."""

    code = "storage-full"
    status = 507
    title = "The disk is full"
    sentence = "no room on the disk of {path}: nothing was written; free some space"

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)


class LogDiskFull(StorageFull):
    """The same where lines of log are kept."""

    sentence = (
        "no room on the disk of {path}: collecting is paused, the engine keeps the lines; "
        "free some space and it goes on by itself"
    )


class StorageFailed(CloudBangError):
    """The data disk refused a write or a read for another reason than its size."""

    code = "storage-failed"
    title = "The disk refuses"
    sentence = "cannot use {path}: {reason}"

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(path, reason)


class EngineUnreachable(CloudBangError):
    """The Docker Engine does not answer, or may not be asked."""

    code = "engine-unreachable"
    status = 503
    title = "The engine does not answer"
    sentence = "no Docker Engine answers at {address} ({reason}): start it, or set DOCKER_HOST"

    def __init__(self, address: str, reason: str) -> None:
        self.address, self.reason = address, reason
        super().__init__(address, reason)


class EngineNotAsked(EngineUnreachable):
    """This process has no file descriptor left to ask the engine with."""

    sentence = (
        "the Docker Engine at {address} was not asked ({reason}): CloudBang has more connections and "
        "files than it may open, see `cloudbang doctor`"
    )


class NoSuchApp(CloudBangError):
    """The named app is neither on the engine nor in the store (or the asker may not see it)."""

    code = "no-such-app"
    status = 404
    title = "No such app"
    sentence = "there is no app named {app}: GET /api/v1/apps lists those there are"
    page_sentence = "there is no app named {app}: perhaps it was renamed, or its container and its lines are gone"

    def __init__(self, app: str) -> None:
        self.app = app
        super().__init__(app)


class BadRequest(CloudBangError):
    """A value in a request cannot be used."""

    code = "bad-request"
    status = 400
    title = "A value cannot be used"
    sentence = "{name} is {value}, but may be {allowed}"

    def __init__(self, name: str, value: object, allowed: str) -> None:
        self.name, self.value, self.allowed = name, value, allowed
        super().__init__(name, value, allowed)

    def facts(self) -> dict[str, object]:
        return {**vars(self), "value": shortened(self.value)}


class UnknownField(BadRequest):
    """A request holds a field that its call does not take: a misspelt one would be lost silently."""

    sentence = "{name} is no field of this call; it takes {allowed}"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(str(shortened(name)), "…", ", ".join(known))


class NoSuchContainer(CloudBangError):
    """The engine does not know this container (any more)."""

    code = "no-such-container"
    status = 404
    title = "No such container"
    sentence = "the engine has no container {container}"

    def __init__(self, container: str) -> None:
        self.container = container
        super().__init__(container)


class LogUnreadable(CloudBangError):
    """The engine cannot read this container's log back."""

    code = "log-unreadable"
    status = 409
    title = "The log cannot be read"
    sentence = "the log of container {container} cannot be read: {reason}"

    def __init__(self, container: str, reason: str) -> None:
        self.container, self.reason = container, reason
        super().__init__(container, reason)


class EngineRefused(CloudBangError):
    """The engine answered, with an error."""

    code = "engine-refused"
    status = 502
    title = "The engine refused"
    sentence = "the Docker Engine refused {what} ({engine_status}): {reason}"

    def __init__(self, what: str, engine_status: int, reason: str, call: str = "") -> None:
        self.what, self.engine_status, self.reason = what, engine_status, reason
        self.call = call  # which kind, as of ``domain.refusals``; "" for any other
        super().__init__(what, engine_status, reason, call)


class NotUpgraded(CloudBangError):
    """Something between CloudBang and the engine keeps a connection from becoming a terminal's."""

    code = "not-upgraded"
    status = 502
    title = "No terminal gets through"
    sentence = (
        "something between CloudBang and the Docker Engine at {address} lets no terminals and no "
        "files through: it has to pass on POST /exec/ID/start with its headers Connection: Upgrade "
        "and Upgrade: tcp, and then both directions as they come"
    )

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(address)


class ContainerNotRunning(CloudBangError):
    """A terminal needs a process, and this container has none now."""

    code = "container-not-running"
    status = 409
    title = "The container does not run"
    sentence = "container {container} does not run ({state}): start it, then open a terminal"
    variants = {  # noqa: RUF012
        ("state", "paused"): "container {container} is paused: resume it, then open a terminal"
    }

    def __init__(self, container: str, state: str) -> None:
        self.container, self.state = container, state
        super().__init__(container, state)


class NoShell(CloudBangError):
    """There is no shell in the image, so no terminal without a command."""

    code = "no-shell"
    status = 409
    title = "No shell in this image"
    sentence = (
        "there is no shell in the image of container {container}: name a command that it has, "
        "or open a toolbox beside it"
    )

    def __init__(self, container: str) -> None:
        self.container = container
        super().__init__(container)


class NotStarted(CloudBangError):
    """The engine could not start the command of a terminal."""

    code = "not-started"
    status = 409
    title = "Nothing was started"
    sentence = "nothing could be started in container {container}: {reason}"

    def __init__(self, container: str, reason: str) -> None:
        self.container, self.reason = container, reason
        super().__init__(container, reason)


class NoSuchTerminal(CloudBangError):
    """No such session, or it is not the asker's."""

    code = "no-such-terminal"
    status = 404
    title = "No such terminal"
    sentence = "there is no terminal {session}: it has ended, or it is not yours"

    def __init__(self, session: str) -> None:
        self.session = session
        super().__init__(session)


class LinkUsed(CloudBangError):
    """A link that was good once, and somebody else has it."""

    code = "link-used"
    status = 403
    title = "The link was used"
    sentence = "this link was good for one person, and somebody has used it: ask for a new one"

    def __init__(self, session: str) -> None:
        self.session = session
        super().__init__(session)


class TooManyTerminals(CloudBangError):
    """A limit of terminals is reached."""

    code = "too-many-terminals"
    status = 429
    title = "Too many terminals"
    sentence = "{limit} terminals are open, and no more are allowed: one has to end first"
    variants = {  # noqa: RUF012
        ("whose", "person"): (
            "you have {limit} terminals open, and no more are allowed: end one first"
        )
    }

    def __init__(self, limit: int, whose: str) -> None:
        self.limit, self.whose = limit, whose  # whose: "person" or "all"
        super().__init__(limit, whose)


class TicketRefused(CloudBangError):
    """A ticket that opens nothing (any more)."""

    code = "ticket-refused"
    status = 403
    title = "The ticket opens nothing"
    sentence = "this ticket opens no terminal: {reason}; ask for a new one"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class FileRefused(CloudBangError):
    """A file that cannot be put into a container or taken out of it."""

    code = "file-refused"
    status = 409
    title = "The file cannot be moved"
    sentence = "{path}: {reason}"

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(path, reason)


def shortened(value: object) -> object:
    """A value as it is shown; of a long one the beginning."""
    text = shown(value)
    if len(text) > SHOWN:
        return text[: SHOWN - 3] + "..."
    return text if isinstance(value, list | dict) else value


def shown(value: object, most: int | None = None) -> str:
    """What somebody sent, as a text of at most so many characters. Of what is nested so deeply that
    Python does not write it only what it is."""
    try:
        return str(value)[:most]
    except RecursionError:
        return f"a deeply nested {type(value).__name__}"[:most]
