"""``marks.json`` of an app: what is remembered of containers whose lines were deleted.

Without it an old, quiet container would be stored a second time; see :mod:`resume`.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger(__name__)


@dataclass
class Mark:
    """What is remembered of a container whose lines were deleted."""

    floor: bytes  # time; ``records`` are all the deleted ones from then on
    records: list[bytes]  # oldest first


@dataclass
class ResumeState:
    """The content of ``marks.json``. The hub replaces it as a whole, threads only read it."""

    first: int = 1  # lines before this seq are deleted, or about to be
    containers: dict[str, Mark] = field(default_factory=dict)


def load_resume_state(folder: Path) -> ResumeState:
    """What ``marks.json`` says; nothing when it is missing or damaged. Raises OSError when nobody
    can tell: without it lines that were deleted would be stored again."""
    try:
        raw = json.loads((folder / "marks.json").read_bytes())
        containers = {
            str(name): Mark(
                str(mark["floor"]).encode("latin-1"),
                [str(text).encode("latin-1") for text in mark["records"]],
            )
            for name, mark in raw["containers"].items()
        }
        return ResumeState(int(raw["first"]), containers)
    except FileNotFoundError:
        return ResumeState()
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        log.warning("%s/marks.json is damaged (%s): ignored", folder, e)
        return ResumeState()


def save_marks(folder: Path, marks: ResumeState) -> None:
    """Durable before it returns, because lines are deleted right after. Raises OSError."""
    content = {
        "v": 1,
        "first": marks.first,
        "containers": {
            name: {
                "floor": mark.floor.decode("latin-1"),
                "records": [record.decode("latin-1") for record in mark.records],
            }
            for name, mark in marks.containers.items()
        },
    }
    temporary = folder / "marks.json.tmp"
    with temporary.open("w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, folder / "marks.json")
