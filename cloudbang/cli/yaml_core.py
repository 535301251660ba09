"""YAML as it is written today (1.2, its core schema) and as the pages read it. The library's own is
that of 1.1, where `yes` is true, 22:22 is 1342, 010 is 8, and 2024-01-01 is no text.
"""

from __future__ import annotations

import re
from typing import ClassVar

import yaml

_PREFIX = "tag:yaml.org,2002:"
_CORE = (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("merge", "<<", "<"),
)


class _Core(yaml.SafeLoader):
    # Of the class above there are others.
    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


def _whole(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node))
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


for _name, _fits, _first in _CORE:
    _letters = [*_first, ""] if _name == "null" else list(_first)
    _Core.add_implicit_resolver(f"{_PREFIX}{_name}", re.compile(rf"(?:{_fits})$"), _letters)
_Core.add_constructor(f"{_PREFIX}int", _whole)
for _name in ("binary", "timestamp", "set", "omap", "pairs"):
    # What no JSON can hold is no value of a specification.
    _Core.add_constructor(f"{_PREFIX}{_name}", yaml.SafeLoader.construct_undefined)


def load(text: str) -> object:
    """What a text says: texts, numbers, lists, objects. Raises yaml.YAMLError, ValueError."""
    return yaml.load(text, Loader=_Core)  # noqa: S506 - a safe one
