"""What somebody wants to have opened, read from a request and checked: nothing here is ever given
to a shell, and nothing is handed to the engine that it would misread."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Any

from pydantic import BaseModel, Field

from cloudbang.domain.terminals import Kind, TerminalRequest
from cloudbang.errors import BadRequest

COMMAND_CHARACTERS = 8_192  # of a command written as text, and of each word of a list
COMMAND_WORDS = 256
COMMAND_IN_ALL = 32_768  # characters of all words
FOLDER_BYTES = 4_096  # what a path of Linux may have

_USER = re.compile(r"[^\s\x00-\x1f\x7f]{0,128}")


class NewTerminal(BaseModel):
    """The body of ``POST /api/v1/terminals``."""

    container: Annotated[str, Field(max_length=256)]
    command: Any = None  # text, a list of words, or nothing: see words_of
    user: Annotated[str, Field(max_length=128)] | None = None
    folder: Annotated[str, Field(max_length=FOLDER_BYTES)] | None = None
    kind: Annotated[str, Field(max_length=20)] = "exec"

    def terminal_request(self) -> TerminalRequest:
        """The same as a value. Raises BadRequest."""
        return TerminalRequest(
            kind=_kind(self.kind),
            command=words_of(self.command),
            user=_user(self.user or ""),
            folder=folder_of(self.folder) if self.folder else "",
        )


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


def _user(user: str) -> str:
    if not _USER.fullmatch(user):
        raise BadRequest("user", user, "a name or a number, perhaps with :group")
    return user


def _without_nul(word: str) -> None:
    if "\0" in word:
        raise BadRequest("command", "…", "text without NUL")
