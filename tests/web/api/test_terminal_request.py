"""What is asked for when a terminal is to be opened: read, split and checked."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cloudbang.domain.terminals import TerminalRequest
from cloudbang.errors import BadRequest
from cloudbang.web.api.schemas.terminals import (
    COMMAND_CHARACTERS,
    COMMAND_IN_ALL,
    COMMAND_WORDS,
    NewTerminal,
    folder_of,
    words_of,
)


def test_nothing_asked_for_is_the_best_shell() -> None:
    """Only the container has to be named; null is nothing, too."""
    assert NewTerminal(container="web").terminal_request() == TerminalRequest()
    assert (
        NewTerminal(container="web", command=None, user=None, folder=None).terminal_request()
        == TerminalRequest()
    )
    assert (
        NewTerminal(container="web", command="", user="", folder="").terminal_request()
        == TerminalRequest()
    )
    assert NewTerminal(container="web", command=[]).terminal_request() == TerminalRequest()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("top", ("top",)),
        ("  ls   -l  ", ("ls", "-l")),
        ("sh -c 'echo \"a b\"; id'", ("sh", "-c", 'echo "a b"; id')),
        ('printf "%s\\n" 你好', ("printf", "%s\\n", "你好")),
        ("echo $HOME `id` $(id) ; rm # x", ("echo", "$HOME", "`id`", "$(id)", ";", "rm", "#", "x")),
        ("echo ''", ("echo", "")),
    ],
)
def test_a_text_is_split_and_given_to_no_shell(text: str, words: tuple[str, ...]) -> None:
    """Quotes and backslashes mean what they mean in a shell; nothing else means anything."""
    assert words_of(text) == words


def test_a_list_is_taken_as_it_is() -> None:
    assert words_of(["sh", "-c", "echo 'open", ""]) == ("sh", "-c", "echo 'open", "")


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
        min_size=1,
        max_size=8,
    )
)
def test_what_was_quoted_comes_back(words: list[str]) -> None:
    """Any words, quoted as a shell needs it, are the same words again."""
    words[0] = words[0] or "x"
    assert words_of(shlex.join(words)) == tuple(words)


@pytest.mark.parametrize(
    "command",
    [
        "echo 'open",
        'echo "open',
        "echo \\",
        "a" * (COMMAND_CHARACTERS + 1),
        "''",
        "a\0b",
        ["a", "b\0"],
        ["", "a"],
        ["a"] * (COMMAND_WORDS + 1),
        ["a" * (COMMAND_IN_ALL + 1)],
        ["a", 1],
        ["a", None],
        [["a"]],
        {"a": 1},
        5,
        True,
    ],
)
def test_commands_that_cannot_be_used(command: object) -> None:
    """Each is refused by name, in a sentence."""
    with pytest.raises(BadRequest) as refused:
        words_of(command)
    assert refused.value.name == "command"
    assert str(refused.value)


@pytest.mark.parametrize(
    "asked",
    [
        {"user": "a b"},
        {"user": "root\n"},
        {"user": "\0"},
        {"folder": "app"},
        {"folder": "./app"},
        {"folder": "/app\0"},
        {"folder": "/" + "你" * 1400},
        {"kind": "share"},
        {"kind": "Exec"},
        {"kind": ""},
    ],
)
def test_wishes_that_cannot_be_used(asked: dict[str, str]) -> None:
    """A user, a folder or a kind that the engine would misread never gets there."""
    with pytest.raises(BadRequest) as refused:
        NewTerminal(container="web", **asked).terminal_request()
    assert refused.value.name == next(iter(asked))


@pytest.mark.parametrize(
    "asked",
    [{"user": "u" * 129}, {"folder": "/" * 5000}, {"container": "c" * 300}, {"user": 1}],
)
def test_wishes_of_the_wrong_shape(asked: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NewTerminal.model_validate({"container": "web", **asked})


@pytest.mark.parametrize("user", ["root", "0", "1000:1000", "www-data:www-data", "a.b_c$", "用户"])
def test_users(user: str) -> None:
    assert NewTerminal(container="web", user=user).terminal_request().user == user


def test_folders() -> None:
    """Any full path: blanks, newlines and any script may be in one."""
    for path in ("/", "/a b/c", "/数据", "/a/../b", "/new\nline"):
        assert folder_of(path) == path
