"""Terminals: what somebody wants to have opened, checked (nothing here is ever given to a shell,
nor handed to the engine where it would misread it), and what is shown of those there are."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from typing_extensions import TypedDict

from cloudbang.domain.terminals import Kind, TerminalRequest
from cloudbang.errors import BadRequest
from cloudbang.web.api.schemas.shapes import Body, Time, one_of

COMMAND_CHARACTERS = 8_192  # of a command written as text, and of each word of a list
COMMAND_WORDS = 256
COMMAND_IN_ALL = 32_768  # characters of all words
FOLDER_BYTES = 4_096  # what a path of Linux may have

_USER = re.compile(r"[^\s\x00-\x1f\x7f]{0,128}")


class NewTerminal(Body):
    """``command``: a text is split as a shell would, and given to none."""

    container: Annotated[str, Field(max_length=256, description="12 or 64 hex digits, or its name")]
    command: Annotated[
        Any,
        AfterValidator(lambda command: words_of(command)),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "maxLength": COMMAND_CHARACTERS},
                    {"type": "array", "items": {"type": "string"}, "maxItems": COMMAND_WORDS},
                    {"type": "null"},
                ]
            }
        ),
    ] = ()
    user: Annotated[str, Field(max_length=128), AfterValidator(lambda user: _user(user))] | None = (
        None
    )
    folder: (
        Annotated[
            str,
            Field(max_length=FOLDER_BYTES),
            AfterValidator(lambda path: path and folder_of(path)),
        ]
        | None
    ) = None
    kind: Annotated[
        str,
        Field(max_length=20),
        AfterValidator(lambda kind: _kind(kind)),
        one_of("exec", "toolbox"),
    ] = "exec"

    def terminal_request(self) -> TerminalRequest:
        """The same as a value."""
        return TerminalRequest(
            kind=_kind(self.kind),
            command=tuple(self.command),
            user=self.user or "",
            folder=self.folder or "",
        )


class NewLink(Body):
    """``minutes`` after which it opens nothing, and whoever came by it is out; without, it ends with
    the terminal."""

    mode: Annotated[
        Literal["watch", "type"], BeforeValidator(lambda mode: _mode(mode)), one_of("watch", "type")
    ]
    minutes: Annotated[float, Field(ge=0.01, le=7 * 24 * 60)] | None = None


class Ticket(TypedDict):
    """What the terminal's socket takes: team, app, container and, in ``Md5``, the ticket."""

    T_id: str
    S_id: str
    C_id: str
    Md5: str
    url: str
    session: str


class Link(TypedDict):
    mode: Literal["watch", "type"]
    key: str
    url: str


class Terminal(TypedDict):
    """``names``: the accounts that look; ``container`` is empty for a command of the host."""

    id: str
    kind: Literal["exec", "toolbox", "share"]
    team: str
    app: str
    container: str
    name: str
    image: str
    command: list[str]
    user: str
    folder: str
    account: str
    account_id: int | None
    address: str
    started: Time
    ended: Time | None
    state: Literal["running", "ended"]
    people: int
    names: list[str]
    columns: int
    rows: int
    exit_code: int | None
    reason: str | None
    recorded: bool
    recording_bytes: int
    title: str


class Terminals(TypedDict):
    terminals: list[Terminal]


class TerminalHistory(TypedDict):
    """``next``: what to ask for with before=, null at the end."""

    terminals: list[Terminal]
    next: int | None


class Folder(TypedDict):
    """Empty when nobody knows."""

    folder: str


def words_of(command: object) -> tuple[str, ...]:
    """The words of a command: a list as it is, a text split as a shell would split it (and given
    to none). Empty for no command. Raises BadRequest."""
    if command is None:
        return ()
    if isinstance(command, str):
        if len(command) > COMMAND_CHARACTERS:
            raise BadRequest("command", command, f"at most {COMMAND_CHARACTERS} characters")
        _without_nul(command)
        try:
            words = shlex.split(command)
        except ValueError:
            allowed = "a command whose quotes are closed and that does not end in a backslash"
            raise BadRequest("command", command, allowed) from None
    elif isinstance(command, list) and all(isinstance(word, str) for word in command):
        words = command
    else:
        raise BadRequest("command", "…", "a text or a list of texts")
    if words and not words[0]:
        raise BadRequest("command", "", "the name of a program, then its arguments")
    if len(words) > COMMAND_WORDS:
        raise BadRequest("command", len(words), f"at most {COMMAND_WORDS} words")
    for word in words:
        _without_nul(word)
    if sum(map(len, words)) > COMMAND_IN_ALL:
        raise BadRequest("command", "…", f"at most {COMMAND_IN_ALL} characters")
    return tuple(words)


def folder_of(path: str, name: str = "folder") -> str:
    """A folder inside a container, by its full path. Raises BadRequest."""
    if not path.startswith("/") or "\0" in path or len(path.encode()) > FOLDER_BYTES:
        raise BadRequest(name, path, "a full path such as /app")
    return path


def _kind(kind: str) -> Kind:
    if kind == "exec":
        return "exec"
    if kind == "toolbox":
        return "toolbox"
    raise BadRequest("kind", kind, "exec or toolbox")


def _mode(mode: object) -> object:
    if isinstance(mode, str) and mode not in ("watch", "type"):
        raise BadRequest("mode", mode, "watch or type")
    return mode


def _user(user: str) -> str:
    if not _USER.fullmatch(user):
        raise BadRequest("user", user, "a name or a number, perhaps with :group")
    return user


def _without_nul(word: str) -> None:
    if "\0" in word:
        raise BadRequest("command", "…", "text without NUL")
