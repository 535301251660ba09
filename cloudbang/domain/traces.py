"""What belongs to a failure that a program prints over several lines: frames, and what stands with
them, by language. Tables; :mod:`cloudbang.domain.entries` reads lines by them.

A *frame* proves that the lines before it are a trace. What *opens* one is taken at once where
something bad was said; what *goes on* is taken only where a frame or an opening was seen.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class TraceLine(NamedTuple):
    """A row: ``pattern`` is matched at the start of a line without its escapes; ``counter`` looks
    like it and is not."""

    language: str
    pattern: str
    example: str
    counter: str


FRAMES = (
    TraceLine("java", r"\s+at [\w.$/@<>-]+\(.*\)", "\tat com.shop.Pay.take(Pay.java:40)", "  at 03:00 nightly"),
    TraceLine("java", r"\s*\.\.\. \d+ (?:more|common frames omitted|lines matching)", "\t... 2 more", "... 2 left"),
    TraceLine("java", r"\s*(?:Caused by|Wrapped by|Suppressed): [\w.$]+", "Caused by: java.io.IOException: x", "Caused by rain"),
    TraceLine("java", r"\s+\[CIRCULAR REFERENCE", "\t[CIRCULAR REFERENCE: x]", "[CIRCULAR]"),
    TraceLine("dotnet", r"\s+at .+ in .+:line \d+$", "   at Shop.Bank.Ask() in /src/Bank.cs:line 9", "  at night in town"),
    TraceLine("dotnet", r"\s*---> (?:\(Inner Exception #\d+\) )?(?:\w+\.)*[A-Z]\w*(?:Exception|Error)\b", " ---> System.IO.IOException: x", " ---> 1f2e3d4c5b6a"),
    TraceLine("dotnet", r"\s*--- End of ", "--- End of stack trace from previous location ---", "--- End"),
    TraceLine("python", r"[\s|+]*(?:> )?File \".+\", line \d+", '  File "/app/a.py", line 3, in f', 'File "x" is open'),
    TraceLine("go", r"goroutine \d+ (?:gp=\S+ .*)?\[.+\]:$", "goroutine 88 [running]:", "goroutine count 4"),
    TraceLine("go", r"\s+/?\S+\.(?:go|s):\d+(?: \+0x[0-9a-f]+)?$", "\t/app/main.go:9 +0x1d", "\tsee main.go"),
    TraceLine("go", r"/\S+\.go:\d+ \(0x[0-9a-f]+\)$", "/app/main.go:10 (0x1)", "/app/main.go (1)"),
    TraceLine("node", r"\s+at (?:async |new )?.*(?::\d+:\d+\)?|\(<anonymous>\)|\(native\)|<anonymous>|\(index \d+\))(?: \{)?$", "    at f (/app/a.js:1:1)", "    at 03:00 nightly"),
    TraceLine("ruby", r"\s*(?:from |\d+: from |[\w-]+ \([\w.]+\) )?[\w./<>:-]+:\d+:in [`'‘].*['’]$", "\tfrom /app/a.rb:10:in `<main>'", "in `x'"),
    TraceLine("php", r"\s*#\d+ (?:\{main\}|.+\(\d+\): .+|\[internal function\]|.+:\d+$)", "#0 /app/k.php(10): take()", "#1 in the list"),
    TraceLine("php", r"PHP +\d+\. .+ .+:\d+$", "PHP   1. {main}() /app/a.php:0", "PHP 8.1"),
    TraceLine("rust", r"\s+\d+:\s+(?:0x[0-9a-f]+ - )?[\w<$][\w:<>$ &{},']*(?:::[\w<>{}$]+)+", "   1: my_app::main", "   1: apples"),
    TraceLine("rust", r"\s+at (?:\./|/)?[^\s\d:]\S*:\d+(?::\d+)?$", "             at ./src/main.rs:3:10", "   at 03:00"),
    TraceLine("rust", r"note: (?:run with `RUST_BACKTRACE|Some details are omitted)", "note: run with `RUST_BACKTRACE=1` environment variable", "note: run"),
    TraceLine("elixir", r"\s+\([\w.-]+ [\w.+-]+\) \S+:\d+: ", "    (stdlib 4.2) gen_server.erl:1123: :gen_server.try_dispatch/4", "  (a b) c"),
    TraceLine("swift", r"\s*\d+\s+\S+\s+0x[0-9a-f]{8,} ", "0   libswiftCore.dylib 0x00007fff6c6f8a4e swift", "0 x 0x1"),
    TraceLine("gdb", r"\s*#\d+ +0x[0-9a-f]+ in ", "#1  0x00005555 in main () at a.c:3", "#1 0x"),
)  # fmt: skip

OPENINGS = (
    TraceLine("python", r"[\s|+]*(?:Exception Group )?Traceback \(most recent call last\):", "Traceback (most recent call last):", "Traceback is on"),
    TraceLine("stack", r"Stack \(most recent call last\):", "Stack (most recent call last):", "Stack of plates"),
    TraceLine("php", r"(?:PHP )?Stack trace:$|\[stacktrace\]$", "Stack trace:", "Stack trace of what"),
    TraceLine("rust", r"stack backtrace:$", "stack backtrace:", "stack"),
    TraceLine("go", r"\[signal SIG\w+: |\[originating from goroutine", "[signal SIGSEGV: segmentation violation code=0x1]", "[signal]"),
)  # fmt: skip

GOES_ON = (
    TraceLine("ended", r"During handling of the above exception|The above exception was the direct cause", "During handling of the above exception, another exception occurred:", "During the night"),
    TraceLine("go", r"created by |exit status \d+$|panic\(.*\)$|\.\.\.(?:additional|\d+) frames elided|r\w{1,3}\s+0x[0-9a-f]+$|(?:[\w.-]+/)*[\w.-]+\.[\w.*()\[\]·{}$%~-]+\(.*\)$|main\.\S+|goroutine \d+ ", "main.f(0x1)", "listening on :80"),
    TraceLine("node", r"[}\]][,;)]*$|Node\.js v\d|\{$", "Node.js v20.11.0", "} else"),
    TraceLine("php", r"\s*thrown in |\"\}\s*$|PHP Stack trace", "  thrown in /app/k.php on line 3", "thrown out"),
    TraceLine("rust", r"note: |called `|\s*(?:left|right): ", "note: run with", "noted"),
    TraceLine("elixir", r"(?:Last message|State|Function|Args|Client|Message|Reason|Start Call)\b.*: ", "Last message: :work", "Last orders"),
    TraceLine("ruby", r"\s*\d+ levels\.\.\.$", "\t 12 levels...", "12 floors"),
)  # fmt: skip


def _one_of(rows: tuple[TraceLine, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"({row.pattern})" for row in rows))


_FRAME, _OPENING = _one_of(FRAMES), _one_of(OPENINGS)
_GOES_ON = {row.language: re.compile(row.pattern) for row in GOES_ON}


def frame(text: str) -> str:
    """The language of which this line is a frame; "" when it is none."""
    found = _FRAME.match(text)
    return FRAMES[(found.lastindex or 1) - 1].language if found else ""


def opening(text: str) -> str:
    """The language of which this line opens a trace; "" when it opens none."""
    found = _OPENING.match(text)
    return OPENINGS[(found.lastindex or 1) - 1].language if found else ""


def goes_on(language: str, text: str) -> bool:
    """Whether this line, which is no frame, belongs to a trace of that language."""
    pattern = _GOES_ON.get(language)
    return pattern is not None and pattern.match(text) is not None
