"""What a Compose file takes from whoever runs it: variables, where each is named, and what sets them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from cloudbang.domain.deploy.compose_paths import FOLDER

EXAMPLES = (
    *(".env.example", ".env.sample", ".env.template", ".env.dist", ".env.default", ".env.defaults"),
    *("env.example", "env.sample", "env.template", "example.env", "sample.env", "default.env"),
    *(".env-example", ".env-sample", ".env_example", ".example.env", ".sample.env", ".env.tmpl"),
)
"""What documents say is to be copied to ``.env`` first."""

# An item of a list, or the value of a key of Compose's own: those of environments are capitals.
_VALUE = re.compile(r"""\s*(?:-\s+)?(?:[a-z_]+:\s+)?["']?(?P<value>[^\s"'#=][^"'#=]*)""")
_REFERENCE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<bare>\w+))")
_SET = re.compile(r"^[ \t]*(?:export[ \t]+)?(?P<name>\w+)[ \t]*[=:](?P<value>.*)$", re.MULTILINE)
_NAMED = re.compile(
    r"\$(?:\$|\{(?P<braced>[A-Za-z_]\w*)(?::?\?(?P<why>[^{}]*))?|(?P<bare>[A-Za-z_]\w*))"
)
# `- TZ`, `TZ:`: the value that it has where Compose runs.
_PASSED_ON = re.compile(r"""\s*(?:-\s+)?["']?(?P<name>[A-Za-z_]\w*)["']?\s*:?\s*(?:#.*)?$""")
# `environment: API_KEY`: what a secret or a config is made of.
_MADE_OF = re.compile(
    r"""\benvironment:\s*["']?(?P<name>[A-Za-z_]\w*)["']?\s*(?:[},].*)?(?:#.*)?$"""
)
_MOST = 20  # levels of defaults within defaults


class Place(NamedTuple):
    """``line`` from 1; ``why``: what the file says where the variable has no value."""

    line: int
    why: str = ""


def places_of(text: str) -> dict[str, Place]:
    """Where a file names each variable first, or says why it needs it."""
    found: dict[str, Place] = {}
    passed: dict[str, Place] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        for one in _NAMED.finditer(line):
            name, why = one["braced"] or one["bare"], (one["why"] or "").strip()
            if name and (name not in found or (why and not found[name].why)):
                found[name] = Place(number, why[:200])
        if match := _PASSED_ON.match(line) or _MADE_OF.search(line):
            passed.setdefault(match["name"], Place(number))
    return {**passed, **found}


def line_of(text: str, name: str) -> int:
    """The first line that has a variable by itself, as in ``[TZ, A=1]``; 0 where none does."""
    alone = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w=:])")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("#") and alone.search(line):
            return number
    return 0


def set_in(text: str) -> dict[str, str]:
    """What a ``.env`` file sets, as far as a line tells: to be shown. What it means says Compose."""
    found = {}
    for match in _SET.finditer(text):
        value = match["value"].strip()
        if value[:1] in ("'", '"') and value.find(value[0], 1) > 0:
            value = value[1 : value.find(value[0], 1)]
        else:
            value = re.sub(r"(?:^|\s+)#.*", "", value)
        found[match["name"]] = value
    return found


def example_of(files: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The file that stands for ``.env``, itself or an example of one, and what it sets; "" where there
    is none."""
    for name in (".env", *EXAMPLES):
        if name in files:
            return name, set_in(files[name])
    return "", {}


def interpolated(text: str, values: Mapping[str, str], level: int = 0) -> str | None:
    """With its variables replaced, as Compose does; None where one has no value, and no default."""
    made, at = [], 0
    while (start := text.find("$", at)) >= 0:
        made.append(text[at:start])
        if text.startswith("$$", start):
            made.append("$")
            at = start + 2
        elif text.startswith("${", start):
            end = _closing(text, start + 2)
            its = _value(text[start + 2 : end], values, level)
            if end < 0 or level > _MOST or its is None:
                return None
            made.append(its)
            at = end + 1
        elif match := re.compile(r"[A-Za-z_]\w*").match(text, start + 1):
            if match[0] not in values:
                return None
            made.append(values[match[0]])
            at = match.end()
        else:
            made.append("$")
            at = start + 1
    return "".join([*made, text[at:]])


def _closing(text: str, at: int) -> int:
    """Where the brace that is open at ``at`` is closed; -1 where it is not."""
    level = 1
    for n in range(at, len(text)):
        level += (text[n] == "{") - (text[n] == "}")
        if not level:
            return n
    return -1


def _value(inside: str, values: Mapping[str, str], level: int) -> str | None:
    """Of what stands in braces: a name, perhaps with what is taken instead."""
    match = re.fullmatch(r"(\w+)(?:(:?)([-+?])(.*))?", inside, re.DOTALL)
    if match is None:
        return None
    name, colon, how, other = match.groups()
    value = values.get(name)
    there = bool(value) if colon else value is not None
    if how == "+":
        return interpolated(other, values, level + 1) if there else ""
    if how == "-" and not there:
        return interpolated(other, values, level + 1)
    return value if there or how is None else None


def from_outside(config: Mapping[str, Any]) -> set[str]:
    """The variables that services take from whoever runs it: those that their environment names
    without a value, that secrets and configs are made of, and a home. ``config``: as Compose has
    normalised it."""
    services = list((config.get("services") or {}).values())
    environments = [its.get("environment") or {} for its in services]
    found = {name for its in environments for name, value in its.items() if value is None}
    for kind in ("secrets", "configs"):
        declared = (config.get(kind) or {}).values()
        found |= {str(its["environment"]) for its in declared if its and its.get("environment")}
    mounts = [mount for its in services for mount in its.get("volumes") or ()]
    if any(str(mount.get("source")).startswith(f"{FOLDER}~") for mount in mounts):
        found.add("HOME")
    return found


def needed_of(text: str, names: Collection[str]) -> set[str]:
    """Those of these variables without which there is nothing where something has to be: a port or a
    mount (``${PORT}:80``), an image."""
    found = set()
    for line in text.splitlines():
        match = _VALUE.match(line)
        value = match["value"].rstrip() if match else ""
        for one in _REFERENCE.finditer(value):
            name = one["braced"] or one["bare"]
            before, after = value[: one.start()], value[one.end() :]
            alone = before[-1:] in ("", ":") and after[:1] in ("", ":")
            if name in names and alone:
                found.add(name)
    return found
