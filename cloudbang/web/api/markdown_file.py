"""Lines of a log as a file of Markdown, made piece by piece."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence

from cloudbang.domain import log_markdown
from cloudbang.domain.lines import row
from cloudbang.storage.logs.reader import Lines
from cloudbang.web.api.leases import emptied
from cloudbang.web.pages.i18n import gettext

Fact = tuple[str, list[str]]
"""What it is called, and what it holds."""


def as_markdown(
    scan: Iterator[Lines], facts: list[Fact], names: Mapping[str, str]
) -> Generator[bytes, None, None]:
    """The file, of batches of lines; ``names`` of containers by their short ids."""
    yield log_markdown.opening(facts).encode()
    count = 0
    lines = gettext("Lines")  # when the end is written, the request is over
    for batch in scan:
        count += len(batch)
        yield emptied(_block, batch, names)
    yield log_markdown.ending(f"{lines}: {count}").encode()


def _block(batch: Sequence[tuple[int, bytes]], names: Mapping[str, str]) -> bytes:
    told = (row(number, raw) for number, raw in batch)
    return "".join(
        log_markdown.line(time, names.get(container, container), text)
        for _, time, container, _, text in told
    ).encode("utf-8", "replace")
