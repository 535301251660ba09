"""The lines of programs in ``tests/data/log_formats``, and what a person would say of each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent.parent / "data" / "log_formats"
LEVELS = {"t": "trace", "d": "debug", "i": "info", "w": "warning", "e": "error", "-": None}
ESCAPES = {"e": "\x1b", "t": "\t", "\\": "\\"}


class JudgedLine(NamedTuple):
    """``continues``: it belongs to the entry of the line before, and its level is not asked for."""

    text: str
    level: str | None
    continues: bool


def read_formats(name: str) -> dict[str, list[JudgedLine]]:
    """By program, its lines in order; by program and place, where they were found in several."""
    found: dict[str, list[JudgedLine]] = {}
    named = program = ""
    for line in (FOLDER / name).read_text("utf-8").split("\n"):
        if line.startswith("## "):
            named = program = line[3:]
        elif line.startswith("# http"):
            program = f"{named}, {line[2:]}"  # what stands on two pages was not written at once
        elif line and not line.startswith("# "):
            text = re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[0]), line[2:])
            judged = JudgedLine(text, LEVELS.get(line[0]), line[0] == "+")
            found.setdefault(program, []).append(judged)
    return found
