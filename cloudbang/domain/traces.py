"""What belongs to a failure that a program prints over several lines: frames, and what stands with
them, by language. Tables; :mod:`cloudbang.domain.entries` reads lines by them.

A *frame* proves that the lines before it are a trace. What *opens* one is taken at once where
something bad was said; what *goes on* is taken only where a frame or an opening was seen.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cloudbang.domain.first_sets import first_set


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
    TraceLine("java", r"\s*(?:Caused(?: by)?|Wrapped by|Suppressed): [\w$]+[.$:][\w.$]*", "Caused by: java.io.IOException: x", "Caused by rain"),
    TraceLine("java", r"\s+\[CIRCULAR REFERENCE", "\t[CIRCULAR REFERENCE: x]", "[CIRCULAR]"),
    TraceLine("dotnet", r"\s+at .+ in .+:line \d+$", "   at Shop.Bank.Ask() in /src/Bank.cs:line 9", "  at night in town"),
    TraceLine("dotnet", r"\s*---> (?:\(Inner Exception #\d+\) )?(?:\w+\.)*[A-Z]\w*(?:Exception|Error)\b", " ---> System.IO.IOException: x", " ---> 1f2e3d4c5b6a"),
    TraceLine("dotnet", r"\s*--- End of ", "--- End of stack trace from previous location ---", "--- End"),
    TraceLine("syntax", r"\s+File \".+\", line \d+$", '  File "/app/a.py", line 3', 'File "x" is open'),
    TraceLine("python", r"[\s|+]*(?:> )?File \".+\", line \d+", '  File "/app/a.py", line 3, in f', 'File "x" is open'),
    TraceLine("go", r"goroutine \d+ (?:gp=\S+ .*)?\[.+\]:$", "goroutine 88 [running]:", "goroutine count 4"),
    TraceLine("go", r"\s+/?\S+\.(?:go|s):\d+(?: \+0x[0-9a-f]+)?$", "\t/app/main.go:9 +0x1d", "\tsee main.go"),
    TraceLine("go", r"\s+panic: ", "\tpanic: boom [recovered]", "panic: boom"),
    TraceLine("go", r"/\S+\.go:\d+ \(0x[0-9a-f]+\)$", "/app/main.go:10 (0x1)", "/app/main.go (1)"),
    TraceLine("node", r"\s+at (?:async |new )?.*(?::\d+:\d+\)?|\(<anonymous>\)|\(native\)|<anonymous>|\(index \d+\))(?: \{)?\s*$", "    at f (/app/a.js:1:1)", "    at 03:00 nightly"),
    TraceLine("node", r"\(Use `[\w.-]+ --trace-", "(Use `node --trace-warnings ...` to show where the warning was created)", "(Use node)"),
    TraceLine("php", r"\s*#\d+ (?:\{main\}|.+\(\d+\): .+|\[internal function\]|.*\.php:\d+$|(?!\[).*[/\\]\S*\.[a-z]\w*:\d+$)", "#0 /app/k.php(10): take()", "#4 [1/3] FROM docker.io/library/busybox:1"),
    TraceLine("php", r"PHP +\d+\. .+ .+:\d+$", "PHP   1. {main}() /app/a.php:0", "PHP 8.1"),
    TraceLine("rust", r"\s+\d+:\s+(?:0x[0-9a-f]+ - )?[\w<$][\w:<>$ &{},']*(?:::[\w<>{}$]+)+", "   1: my_app::main", "   1: apples"),
    TraceLine("rust", r"\s+at (?:\./|/)?[^\s\d:]\S*:\d+(?::\d+)?$", "             at ./src/main.rs:3:10", "   at 03:00"),
    TraceLine("rust", r"note: (?:run with `RUST_BACKTRACE|Some details are omitted)", "note: run with `RUST_BACKTRACE=1` environment variable", "note: run"),
    TraceLine("elixir", r"\s+\([\w.-]+(?: [\w.+-]+)?\) \S+:\d+: ", "    (stdlib 4.2) gen_server.erl:1123: :gen_server.try_dispatch/4", "  (a b) c"),
    TraceLine("swift", r"\s*\d+ (?:\[[a-z]+\] )*\s*0x[0-9a-f]{8,} \S+ ", " 0 [ra]    0x000065506c44960e swift_release + 30 in shop", "0 [ra] of 3"),
    TraceLine("c++", r"\*\*\* (?:.*stack trace: \*\*\*$|Aborted at \d+|SIG[A-Z]+ )", "*** Check failure stack trace: ***", "*** stack ***"),
    TraceLine("c++", r"(?:\s+|PC: )@ +(?:0x[0-9a-f]+|\(nil\))", "    @     0x55c4056f19f3  google::LogMessage::Flush()", "    @ home"),
    TraceLine("c++", r"\s*\d+# .+ (?:in|at) /\S+", " 1# 0x00007F3ED11FA400 in /lib64/libc.so.6", " 1# in the list"),
    TraceLine("lua", r"stack traceback:$", "stack traceback:", "stack traceback of x"),
    TraceLine("lua", r"\s+(?:\[C\]|\S+(?:\.lua|\([\w.]+:\d+\))(?::\d+)?): in (?:function|main chunk|upvalue|local|method|field|\?)", "\tapp.lua:3: in function 'start'", "  app.lua: in use"),
    TraceLine("haskell", r"CallStack \(from HasCallStack\):", "CallStack (from HasCallStack):", "CallStack is on"),
    TraceLine("haskell", r"\s+\S+, called at \S+:\d+:\d+ in ", "  error, called at src/Main.hs:12:5 in main:Main", "  error, called at 3"),
    TraceLine("crystal", r"\s+from \S+:\d+:\d+ in '", "  from src/app.cr:3:6 in 'handle'", "  from 3 in '"),
    TraceLine("julia", r"\s*Stacktrace:$", "Stacktrace:", "Stacktraces: 3"),
    TraceLine("julia", r"\s*\[\d+\] .+ at \S+:\d+(?: \[inlined\])?$", " [1] require(::Module) at ./loading.jl:823", "[1] at 3"),
    TraceLine("dart", r"#\d+ +\S.* \((?:dart|package|file):\S+\)$", "#0      main (file:///app/bin/server.dart:12:7)", "#0 main (three)"),
    TraceLine("ocaml", r"(?:Raised|Called|Re-raised) (?:at|from|by) .*in file \"", 'Raised at Shop.take in file "shop.ml", line 7, characters 3-9', "Raised at dawn"),
    TraceLine("perl", r"\s+\S.* called at \S+ line \d+", "\tmain::run() called at /app/shop.pl line 20", "  called at 3"),
    TraceLine("powershell", r"At \S+:\d+ char:\d+$", "At /app/run.ps1:3 char:1", "At 3 char"),
    TraceLine("rust", r"Caused by:$", "Caused by:", "Caused by rain"),
    TraceLine("code", r"\s*--> \S+:\d+:\d+$", " --> src/main.rs:3:7", "--> 1f2e3d4c5b6a"),
    TraceLine("code", r"\s{2,}\S+\.\w+:\d+:\d+:$", "    src/main.ts:3:7:", "  at 03:00:"),
    TraceLine("c", r"(?:Backtrace: ?)?(?:0x[0-9a-f]{4,16}(?::0x[0-9a-f]{4,16})?(?: |$)){2,}", "Backtrace: 0x400d1a29:0x3ffb5e60 0x400d2b19:0x3ffb5e80", "0x3ffb is free"),
    TraceLine("gdb", r"\s*#\d+ +0x[0-9a-f]+ in ", "#1  0x00005555 in main () at a.c:3", "#1 0x"),
    TraceLine("gdb", r"\s*#\d+ +<signal handler called>", "#6  <signal handler called>", "#6 <signal>"),
)  # fmt: skip

# Frames that may begin with any letter, by what stands in each of them: most lines hold none of it.
ANYWHERE = {
    ":in ": TraceLine("ruby", r"\s*(?:from |\d+: from |[\w-]+ \([\w.]+\) )?[\w./<>:-]+:\d+:in [`'‘].*['’]$", "\tfrom /app/a.rb:10:in `<main>'", "in `x'"),
    "s:": TraceLine("node", r"[\w$.<>/ ]{0,80}[(@]\S+\.[cm]?[jt]sx?(?:\?\S*)?:\d+:\d+\)?$", "take (src/pay.ts:12:7)", "take (three)"),
    "[0x": TraceLine("c", r"\S*[\w.*:/-]\([\w.@]*(?:\+0x[0-9a-f]+)?\) ?\[0x[0-9a-f]+\]", "/lib/libc.so.6(abort+0x1c)[0x55d5]", "f(x)[0]"),
    ".nim(": TraceLine("nim", r"\S+\.nim\(\d+\)\s+\w+$", "/app/src/main.nim(12) main", "main.nim(12) is long"),
    ": 0x": TraceLine("zig", r"(?:\S+\.zig:\d+:\d+|\?\?\?:\?:\?): 0x[0-9a-f]+ in ", "/app/src/main.zig:7:9: 0x1038f2c in main (main)", "main.zig:7 in"),
    " 0x": TraceLine("swift", r"\s*\d+\s+\S+\s+0x[0-9a-f]{8,} ", "0   libswiftCore.dylib 0x00007fff6c6f8a4e swift", "0 x 0x1"),
    "+0x": TraceLine("kernel", r"(?:\[ *\d+\.\d+\] )?\s*(?:\? )?[\w.]+\+0x[0-9a-f]+/0x[0-9a-f]+", "[  200.123472]  dump_stack_lvl+0x5d/0x80", "[  200.123472] x+0"),
}  # fmt: skip

OPENINGS = (
    TraceLine("python", r"[\s|+]*(?:Exception Group )?Traceback \(most recent call last\):", "Traceback (most recent call last):", "Traceback is on"),
    TraceLine("stack", r"Stack \(most recent call last\):", "Stack (most recent call last):", "Stack of plates"),
    TraceLine("php", r"(?:PHP )?Stack trace:$|\[stacktrace\]$", "Stack trace:", "Stack trace of what"),
    TraceLine("rust", r"stack backtrace:$", "stack backtrace:", "stack"),
    TraceLine("elixir", r"\s*\*\* \((?:[\w.]+|EXIT from [^()]{1,40})\) ", "** (stop) :econnaborted", "** note **"),
    TraceLine("box", r"╭─+.* Traceback \(most recent call last\) ", "╭──── Traceback (most recent call last) ────╮", "╭─ x"),
    TraceLine("jvm", r"# A fatal error has been detected", "# A fatal error has been detected by the Java Runtime Environment:", "# A fatal day"),
    TraceLine("go", r"\[signal SIG\w+: |\[originating from goroutine", "[signal SIGSEGV: segmentation violation code=0x1]", "[signal]"),
)  # fmt: skip

GOES_ON = (
    TraceLine("ended", r"During handling of the above exception|The above exception was the direct cause", "During handling of the above exception, another exception occurred:", "During the night"),
    TraceLine("go", r"created by |exit status \d+$|panic\(.*\)$|\.\.\.(?:additional|\d+) frames elided|r\w{1,3}\s+0x[0-9a-f]+$|(?:[\w.-]+/)*[\w.-]+\.[\w.*()\[\]·{}$%~-]+\(.*\)$|main\.\S+|goroutine \d+ ", "main.f(0x1)", "listening on :80"),
    TraceLine("dart", r"<asynchronous suspension>", "<asynchronous suspension>", "<async>"),
    TraceLine("perl", r"BEGIN failed--|Compilation failed in ", "BEGIN failed--compilation aborted at /a.pl line 3.", "BEGIN"),
    TraceLine("powershell", r"\s*\+ ", "    + CategoryInfo          : ObjectNotFound", "+1"),
    TraceLine("zig", r"\s*\^$", "        ^", "^x"),
    TraceLine("node", r"[}\]][,;)]*$|Node\.js v\d|Bun v\d|\{$", "Node.js v20.11.0", "} else"),
    TraceLine("dotnet", r"(?:ClientConnectionId|Error Number):|Parameter name: ", "ClientConnectionId:00000000-0000", "Client"),
    TraceLine("php", r"\s*thrown in |\[previous exception\] |Next [A-Z\\][\w\\]*: |\"\}\s*$|PHP Stack trace", "  thrown in /app/k.php on line 3", "thrown out"),
    TraceLine("erlang", r"\*\* ", "** Reason for termination == ", "* x"),
    TraceLine("jvm", r"#", "#  SIGSEGV (0xb) at pc=0x00007f8a, pid=7, tid=8", "SIGSEGV"),
    TraceLine("box", r"[│└╵╰├]", "│    Stacktrace:", "Stacktrace:"),
    TraceLine("c++", r"\*\*\* .+ \*\*\*$", "*** Query id: 0-0 ***", "*** x"),
    TraceLine("lua", r"coroutine \d+:$|\s+\S.*: in ", "coroutine 0:", "coroutine"),
    TraceLine("nim", r"Error: unhandled exception: ", "Error: unhandled exception: index 3 not in 0 .. 2 [IndexDefect]", "Error: x"),
    TraceLine("julia", r"in expression starting at |caused by: ", "in expression starting at /app/run.jl:55", "in express"),
    TraceLine("kernel", r"(?:\[ *\d+\.\d+\] )?\s*(?:</?(?:TASK|IRQ)>|---\[ end|RIP: |Code: |R[A-Z0-9]{2}: |CPU: |Modules linked in)", "[  200.123475]  </TASK>", "[  200.1] x"),
    TraceLine("code", r"\s*\d* *[|│╵]|\s*= \w+: ", "3 |   let x = 1;", "3 of x"),
    TraceLine("rust", r"note: |Location:$|called `|\s*(?:left|right): ", "note: run with", "noted"),
    TraceLine("elixir", r"(?:Last message|State|Function|Args|Client|Message|Reason|Start Call)\b.*: ", "Last message: :work", "Last orders"),
    TraceLine("r", r"Calls: |In addition: ", "Calls: source -> file", "Calls"),
    TraceLine("ruby", r"\s*\d+ levels\.\.\.$", "\t 12 levels...", "12 floors"),
)  # fmt: skip


def _one_of(rows: tuple[TraceLine, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"({row.pattern})" for row in rows))


def _by_first() -> dict[str, tuple[tuple[re.Pattern[str], str], ...]]:
    """By the character with which a line begins, the rows that may begin so."""
    firsts = [first_set(row.pattern) for row in FRAMES]
    rows = [(re.compile(row.pattern), row.language) for row in FRAMES]
    return {
        char: tuple(rows[i] for i, first in enumerate(firsts) if char in first)
        for char in set().union(*firsts) - set(" \t")
    }


_INDENTED = tuple(row for row in FRAMES if " " in first_set(row.pattern))
_FRAME, _OPENING = _one_of(_INDENTED), _one_of(OPENINGS)
_FRAMES_BY_FIRST = _by_first()
_ANYWHERE = tuple((hint, re.compile(row.pattern), row.language) for hint, row in ANYWHERE.items())
_GOES_ON = {row.language: re.compile(row.pattern) for row in GOES_ON}


BEGIN_THEMSELVES = {"syntax": "python", "nim": "nim"}
"""Frames with which a failure begins, and the language that goes on below: what failed comes last."""

_HEADS_FRAMES = re.compile(r"CallStack \(|stack traceback:|\s*Stacktrace:$")


def heads_frames(text: str) -> bool:
    """Whether this frame is the first of its failure, whose message is the line before."""
    return _HEADS_FRAMES.match(text) is not None


BOXES = "┌╷╭"
"""Where a block begins whose lines have a bar in front."""


def frame(text: str) -> str:
    """The language of which this line is a frame; "" when it is none."""
    first = text[:1]
    if first in " \t":
        if found := _FRAME.match(text):
            return _INDENTED[(found.lastindex or 1) - 1].language
    elif rows := _FRAMES_BY_FIRST.get(first):
        for pattern, language in rows:
            if pattern.match(text):
                return language
    for hint, pattern, language in _ANYWHERE:
        if hint in text and pattern.match(text):
            return language
    return ""


def opening(text: str) -> str:
    """The language of which this line opens a trace; "" when it opens none."""
    found = _OPENING.match(text)
    return OPENINGS[(found.lastindex or 1) - 1].language if found else ""


def goes_on(language: str, text: str) -> bool:
    """Whether this line, which is no frame, belongs to a trace of that language."""
    pattern = _GOES_ON.get(language)
    return pattern is not None and pattern.match(text) is not None
