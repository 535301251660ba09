"""What a Dockerfile asks for from elsewhere: the images it begins with and copies from, the program
that is to read it, what it downloads. Nothing else of it is understood; a build says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_DIRECTIVE = re.compile(r"#\s*(syntax|escape)\s*=\s*(\S+)\s*$", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_][A-Za-z0-9_]*)\1")
_VARIABLE = re.compile(r"\\.|\$(?:\{([A-Za-z_]\w*)(?:(:?[-+])([^}]*))?\}|([A-Za-z_]\w*))")
_REMOTE = re.compile(r"(https?|git|ssh)://|git@", re.IGNORECASE)
SCRATCH = "scratch"
# What every builder knows of itself: images are named after it now and then.
_KNOWN_FROM_THE_START = {"TARGETARCH": "", "TARGETOS": "linux", "BUILDPLATFORM": ""}


@dataclass(frozen=True, slots=True)
class Needs:
    """``images`` in the order in which they are named, each once; ``syntax``: the image of what is
    to read the Dockerfile, "" for what the builder brings; ``downloads``: the addresses of ADD."""

    images: tuple[str, ...] = ()
    syntax: str = ""
    downloads: tuple[str, ...] = ()


def needs_of(text: str, args: Mapping[str, str] | None = None, target: str = "") -> Needs:
    """Of this Dockerfile, with these build arguments. A name that cannot be known before the build
    is left out. ``target``: the stage at which it ends; those after it are not asked for."""
    given = dict(args or {})
    syntax, escape = _directives(text)
    known = {**_KNOWN_FROM_THE_START, **given}
    within: dict[str, str] = {}  # of the stage: what ARG and ENV say there
    stages: set[str] = set()
    images: dict[str, None] = {}
    downloads: dict[str, None] = {}
    begun = False
    for instruction, rest in _instructions(text, escape):
        if instruction == "ARG":
            for name, default in _assignments(rest):
                value = given.get(name, _filled(default, {**known, **within}) or "")
                if begun:
                    within[name] = value or known.get(name, "")
                else:
                    known[name] = value
        elif instruction == "ENV" and begun:
            for name, value in _assignments(rest):
                within[name] = _filled(value, {**known, **within}) or ""
        elif instruction == "FROM":
            words = [word for word in rest.split() if not word.startswith("--")]
            if begun and target and target.lower() in stages:
                break
            begun, within = True, {}
            named = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else ""
            image = _filled(words[0], known) if words else None
            if image and image.lower() not in stages and image.lower() != SCRATCH:
                images[image] = None
            if named:
                stages.add(named)
        elif instruction in ("COPY", "ADD", "RUN"):
            for image in _others(instruction, rest):
                if image.lower() not in stages and not image.isdigit():
                    images[image] = None
            if instruction == "ADD":
                for word in _sources(rest):
                    found = _filled(word, {**known, **within}) or word
                    if _REMOTE.match(found):
                        downloads[found] = None
    return Needs(tuple(images), given.get("BUILDKIT_SYNTAX", syntax), tuple(downloads))


def without_syntax(text: str) -> str:
    """The same Dockerfile, to be read by what the builder brings."""
    lines = text.splitlines(keepends=True)
    for n, line in enumerate(lines):
        found = _DIRECTIVE.match(line.strip())
        if found and found[1].lower() == "syntax":
            lines[n] = line.replace("syntax", "syntax (left out)", 1).replace("=", ":", 1)
            break
        if not line.strip().startswith("#"):
            break
    return "".join(lines)


def _directives(text: str) -> tuple[str, str]:
    """The syntax and the escape character that its first lines name."""
    syntax, escape = "", "\\"
    for line in text.splitlines():
        found = _DIRECTIVE.match(line.strip())
        if found is None:
            break
        if found[1].lower() == "syntax":
            syntax = found[2]
        elif found[2] in ("`", "\\"):
            escape = found[2]
    return syntax, escape


def _instructions(text: str, escape: str) -> Iterator[tuple[str, str]]:
    """Each with its line, continued lines joined, comments and here-documents left out."""
    lines = iter(text.splitlines())
    for line in lines:
        whole = line.strip()
        if not whole or whole.startswith("#"):
            continue
        while whole.endswith(escape):
            more = next(lines, None)
            if more is None:
                whole = whole[:-1]
                break
            if not more.strip() or more.strip().startswith("#"):
                continue
            whole = whole[:-1] + " " + more.strip()
        word, _, rest = whole.partition(" ")
        instruction = word.upper()
        if instruction in ("RUN", "COPY", "ADD"):
            for _, end in _HEREDOC.findall(rest):
                for inner in lines:
                    if inner.strip() == end:
                        break
        yield instruction, rest.strip()


def _assignments(rest: str) -> Iterator[tuple[str, str]]:
    """The names and values of ``ARG A=b C`` and ``ENV A=b C="d e"`` (or the old ``ENV A b``)."""
    words = re.findall(r"(?:[^\s\"']|\"(?:\\.|[^\"])*\"|'[^']*')+", rest)
    if len(words) == 2 and "=" not in words[0] and "=" not in words[1]:
        yield words[0], words[1].strip("\"'")
        return
    for word in words:
        name, _, value = word.partition("=")
        yield name, value.strip("\"'")


def _others(instruction: str, rest: str) -> Iterator[str]:
    """The images that an instruction takes something from, besides its stage's."""
    for word in rest.split():
        if not word.startswith("--"):
            return
        if instruction != "RUN" and word.startswith("--from="):
            image = word.removeprefix("--from=")
        elif word.startswith("--mount="):
            options = word.removeprefix("--mount=").split(",")
            image = next((o[5:] for o in options if o.startswith("from=")), "")
        else:
            continue
        if image and "$" not in image and image.lower() != SCRATCH:
            yield image


def _sources(rest: str) -> list[str]:
    """What ADD adds: all of its words but options and the last."""
    words = [word for word in rest.split() if not word.startswith("--")]
    if words and words[0].startswith("["):
        words = re.findall(r"\"((?:\\.|[^\"])*)\"", rest)
    return [word.strip("\"'") for word in words[:-1]]


def _filled(text: str, values: Mapping[str, str]) -> str | None:
    """With its variables filled in; None where one of them is not known."""
    unknown = False

    def fill(found: re.Match[str]) -> str:
        nonlocal unknown
        name = found[1] or found[4]
        if name is None:
            return found[0][1:]  # an escaped character
        value, kind, other = values.get(name), found[2] or "", found[3] or ""
        if kind.endswith("+"):
            return other if value else ""
        if kind.endswith("-"):
            return value if value else other
        if value is None:
            unknown = True
        return value or ""

    filled = _VARIABLE.sub(fill, text.strip("\"'"))
    return None if unknown or not filled else filled
