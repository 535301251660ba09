"""Commands as people paste them from a document: prompts, several lines, remarks, other commands
before and after. Nothing is run and nothing substituted; the words are those that a shell would see."""

from __future__ import annotations

import re

# A line that goes on: as in sh, in cmd.exe and in PowerShell. Blanks before it are not looked for: of
# a line of nothing else each would begin a look at all that follow.
_GOES_ON = re.compile(r"[\\^`][ \t]*\n")
# How a remark is put between the lines of one command.
_REMARK = re.compile(r"`#[^`\n]*`")
# "$ ", "[root@web ~]# ", "ada@web:~$ ", "PS C:\\> "; where "#" may as well begin a remark, it has to be
# one of these commands that follows.
_WHERE = r"(?:\[[^\]\n]*\]|[\w.-]+@[^\s#$]*(?:[ \t][^\s#$]+)?)?"
_PROMPT = re.compile(
    rf"^[ \t]*(?:{_WHERE}(?:[$>%][ \t]+|#[ \t]+(?=sudo|docker|podman|nerdctl))|PS [^>\n]*>[ \t]*)",
    re.MULTILINE,
)
_REDIRECTED = re.compile(r"(?:\d*|&)>>?(?:&\d+)?")
_ENDS = ";\n|&"  # outside of quotes


def commands_in(text: str) -> list[list[str]]:
    """Each command's words. Raises ValueError where quotes are not closed."""
    text = _GOES_ON.sub(" ", _REMARK.sub(" ", text.replace("\r\n", "\n")))
    return [words for words in _Scanner(_PROMPT.sub("", text)).commands() if words]


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._word: list[str] | None = None  # its parts; None between two
        self._quoted = False
        self._words: list[str] = []
        self._found: list[list[str]] = []
        self._skips = False  # the next word is where something is redirected to

    def commands(self) -> list[list[str]]:
        while (char := self._take()) != "":
            if char in " \t":
                self._end_word()
            elif char in _ENDS and not self._is_redirection(char):
                self._end_command()
            elif char == "#" and self._word is None:
                self._until("\n")
                self._end_command()
            elif char == "'":
                self._add(self._until("'", must=True), quoted=True)
            elif char == '"':
                self._double()
            elif char == "\\":
                self._add(self._take(), quoted=True)
            elif char == "$" and self._text.startswith("(", self._at):
                self._add("$" + self._until(")", must=True) + ")")
            elif char == "`":
                self._add("`" + self._until("`", must=True) + "`")
            else:
                self._add(char)
        self._end_command()
        return self._found

    def _take(self) -> str:
        char = self._text[self._at : self._at + 1]
        self._at += 1
        return char

    def _add(self, text: str, *, quoted: bool = False) -> None:
        if self._word is None:
            self._word = []
        self._word.append(text)
        self._quoted = self._quoted or quoted

    def _until(self, end: str, *, must: bool = False) -> str:
        """What is left up to ``end``, which is taken as well."""
        found = self._text.find(end, self._at)
        if found < 0:
            if must:
                raise ValueError("no closing quotation")
            found = len(self._text)
        text, self._at = self._text[self._at : found], found + 1
        return text

    def _double(self) -> None:
        self._add("", quoted=True)
        while (char := self._take()) != '"':
            if char == "":
                raise ValueError("no closing quotation")
            if char == "\\" and self._text[self._at : self._at + 1] in ('"', "\\", "$", "`"):
                char = self._take()
            self._add(char)

    def _is_redirection(self, char: str) -> bool:
        """``&>file`` and ``2>&1`` end nothing."""
        if char != "&":
            return False
        if (self._word or [""])[-1].endswith(">") or self._text.startswith(">", self._at):
            self._add(char)
            return True
        return False

    def _end_word(self) -> None:
        parts, quoted = self._word, self._quoted
        self._word, self._quoted = None, False
        if parts is None:
            return
        word = "".join(parts)
        if self._skips:
            self._skips = False
        elif not quoted and (its := _REDIRECTED.match(word)) and ">" in its[0]:
            self._skips = its.end() == len(word) and not word[-1].isdigit()
        else:
            self._words.append(word)

    def _end_command(self) -> None:
        self._end_word()
        self._skips = False
        self._found.append(self._words)
        self._words = []
