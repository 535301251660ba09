"""What a torture run did and found, in a file of its own and on standard output."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path


class Journal:
    """Notes with the seconds since the start; findings are what must not be."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        self.path = path
        self.findings: Counter[str] = Counter()
        self._file = path.open("w")
        self._start = time.monotonic()
        self._lock = threading.Lock()

    def note(self, text: str) -> None:
        """Something that happened."""
        with self._lock:
            line = f"{time.monotonic() - self._start:8.1f}  {text}"
            print(line, file=self._file, flush=True)
            print(line, flush=True)

    def finding(self, what: str, detail: str = "") -> None:
        """Something that must not be; of one kind the first three are told in full."""
        self.findings[what] += 1
        if self.findings[what] <= 3:
            self.note(f"FOUND   {what}{': ' if detail else ''}{detail}")

    def close(self) -> None:
        self._file.close()
