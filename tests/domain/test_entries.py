"""Which lines belong together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain import traces
from cloudbang.domain.entries import EntryReader
from cloudbang.domain.entry import BYTES_AT_MOST, LINES_AT_MOST
from cloudbang.domain.lines import record
from tests.domain.log_formats import read_formats

LETTERS = {"trace": "t", "debug": "d", "info": "i", "warning": "w", "error": "e", None: "-"}

# Lines that stand apart and should not, left for what each would cost elsewhere.
APART = {
    "client_session: <aiohttp.client.ClientSession object at 0x7f>": "nothing tells that it is a detail",
    "  2026-11-28 10:00:00 +0000 [error]: #0 /usr/lib/ruby/x.rb:5:in `y'": "it begins as a line of a log does",
    "Version: '10.11.2-MariaDB'  socket: '/run/mysqld/mysqld.sock'  port: 3306  mariadb.org binary distribution": "the same",
    "org.sonar.api.utils.MessageException: x": "an exception without a frame may be another",
    "RuntimeWarning: Enable tracemalloc to get the object allocation traceback": "it is a warning itself",
}


def told(lines: Sequence[str], *, seconds: Sequence[int] = ()) -> str:
    """A letter for each line: its entry's level where it begins one, ``+`` where it belongs to the
    one before."""
    reader = EntryReader()
    heads = list(range(len(lines)))
    levels: list[str | None] = []
    for seq, text in enumerate(lines):
        at = seconds[seq] if seconds else 0
        time = b"2026-02-01T09:00:%02d.000000000Z" % at
        level, entry = reader.feed(seq, record(time, b"a" * 12, b"stdout", text.encode()))
        levels.append(level)
        if entry is not None:
            heads[entry.first : entry.last + 1] = [entry.first] * (entry.last + 1 - entry.first)
            levels[entry.first] = entry.level
    return "".join("+" if heads[i] != i else LETTERS[levels[i]] for i in range(len(lines)))


@pytest.mark.parametrize("name", ["programs.txt", "other_programs.txt", "later_programs.txt"])
def test_lines_of_programs(name: str) -> None:
    """What belongs to a line is taken, and nothing else is."""
    wrong = []
    for program, lines in read_formats(name).items():
        marks = told([line.text for line in lines])
        wrong += [
            f"{program}: {line.text} is {mark}"
            for line, mark in zip(lines, marks, strict=True)
            if (mark == "+") != line.continues and line.text not in APART
        ]
    assert not wrong, "\n".join(wrong)


FRAME = "\tat com.shop.Pay.take(Pay.java:40)"
PYTHON = ["Traceback (most recent call last):", '  File "a.py", line 3, in f', "    run()"]


@pytest.mark.parametrize(
    ("marks", "lines"),
    [
        # Innocent lines stay apart.
        ("w+++i", ["WARNING:shop:slow", "Stack (most recent call last):", *PYTHON[1:], "INFO:shop:next"]),
        ("e++++w", ["ERROR:shop:x", *PYTHON, "KeyError: 1", "WARNING:  reloading"]),
        ("e+++-", [*PYTHON, "KeyError: 1", "listening"]),
        ("e+++e+++", [*PYTHON, "KeyError: 1", *PYTHON, "ValueError: 2"]),
        ("-iw-", ["/var/lib/shop:9000", "INFO  ready", "WARN  slow", "listening"]),
        ("ei", ["thread 'main' panicked at 'no stock', src/main.rs:4:9", "INFO next order"]),
        ("--", ["Step 1/4 : COPY . /app", " ---> 1f2e3d4c5b6a"]),
        ("i-", ["INFO  jobs planned:", "  at 03:00 nightly"]),
        ("ee", ["Segmentation fault (core dumped)", "java.lang.OutOfMemoryError: Java heap space"]),
        ("e+-e+", ["java.lang.E: x", FRAME, "listening", "java.lang.RuntimeException: y", FRAME]),
        ("ie+", ["INFO x", "java.lang.E: boom", FRAME]),
        ("ie+", ["INFO x", "it happens", FRAME]),
        ("e-i", ["ERROR x", "listening", "INFO y"]),
        # What one process writes is told by what stands before each of its lines.
        ("e+++", ["(W pid=7) " + line for line in [*PYTHON, "KeyError: 1"]]),
        ("ee+++", ["(A pid=7) ERROR x", *["(B pid=8) " + line for line in [*PYTHON, "KeyError: 1"]]]),
        ("e++", ["[0f1e2d3c] ERROR x", "[0f1e2d3c] java.lang.E: x", "[0f1e2d3c] " + FRAME]),
        ("e+++-", ["shop  | " + line for line in [*PYTHON, "KeyError: 1", "listening"]]),
        ("ii", ["INFO  | shop ready", "INFO  |   and open"]),
        ("e+-", ["web-a | ERROR x", "web-a |   detail", "web-b |   of another"]),
        # A wrapper's time, or the whole head, before each line of a trace.
        ("e+++-", ["2026-02-01 09:00:00 " + line for line in [*PYTHON, "KeyError: 1", "listening"]]),
        ("ie++i", ["2026-02-01 09:00:00 INFO x", *["[2026-02-01 09:00:00.120] [error] " + line for line in ["java.lang.E: x", FRAME, FRAME]], "2026-02-01 09:00:00 INFO y"]),
        ("e++e", ["02-01 09:00:00.120  81  99 E Shop: " + line for line in ["java.lang.E: x", FRAME, FRAME, "no stock"]]),
        ("e+-", ["2026-02-01 09:00:00 ERROR x", "2026-02-01 09:00:00 ERROR " + FRAME, "2026-02-01 09:00:00   at noon"]),
        ("e+w+", ["[error] java.lang.E: x", "[error] " + FRAME, "[warn] java.lang.E: y", "[warn] " + FRAME]),
        ("ie+", ["2026-02-01 09:00:00 INFO x", "2026-02-01 09:00:00.5 sidecar: " + FRAME, "2026-02-01 09:00:00.5 sidecar: " + FRAME]),
        # A head without a message has it below, up to the next head or what is blank.
        ("i+++i", ["2026-02-01 09:00:00 INFO ", "", "ready", "and open", "2026-02-01 09:00:00 INFO x"]),
        ("i++", ["2026-02-01 09:00:00 INFO     31 ", "   __ _", "  / _` |"]),
        ("i--", ["2026-02-01 09:00:00 INFO 31", "listening", "ready"]),
        ("--", ["09/22/2026 14:01:38:  creating", "[S_API] loaded"]),
        ("e++i", ["2026-02-01-09.00.00.907990+000 E7234E1026            LEVEL: Error (OS)", "PID     : 7566", "MESSAGE : x", "2026-02-01 09:00:00 INFO x"]),
        # What goes on says so; a document is below what announces it.
        ("i+-", ["2026-02-01 09:00:00 info vpxd[7] [x@1] of two", "--> lines", "listening"]),
        ("--", ["listening", "--> x"]),
        ("d++++i", ["2026-02-01 09:00:00 DEBUG Full reply:", "<?xml version='1.0'?>", "<a>", "  <b/>", "</a>", "2026-02-01 09:00:00 INFO x"]),
        ("d-", ["2026-02-01 09:00:00 DEBUG Full reply", "<a>"]),
        ("e++", ["Web server failed to start.", "java.lang.E: x", FRAME]),
        # Werkzeug writes these as one message.
        ("w+-", ["WARNING: This is a development server.", " * Running on http://127.0.0.1:5000", "Press CTRL+C to quit"]),
        ("w++", ["WARNING: two are missing:", " * a", " * b"]),
        ("w++-", ["(node:7) UnhandledPromiseRejectionWarning: x", "    at f (/a/b.js:3:1)", "(Use `shop --trace-warnings ...` to show where)", "listening"]),
        # With some the trace comes first, and what failed last: it takes no line before it.
        ("ie++", ["INFO x", "/a/b.nim(12) main", "/a/b.nim(7)  take", "Error: unhandled exception: x [E]"]),
        ("i-e++", ["INFO x", "waiting", '  File "a.py", line 3', "    x = (", "SyntaxError: x"]),
        ("e++e++", 2 * ["app: no stock", "CallStack (from HasCallStack):", "  error, called at a.hs:3:5 in m:M"]),
        # A block with a bar in front of its lines, whatever they name.
        ("e+++", ["┌ Error: x", "│   ERROR: inner", "│    Stacktrace:", "└ @ Main a.jl:3"]),
        ("w+i", ["┌ Warning: x", "└ @ Main a.jl:3", "INFO y"]),
        # What stands below an announcement is what is announced.
        ("e+i", ["Error:", "/a/start.lua:64: nginx: no such user", "INFO x"]),
        ("w+", ["Warning message:", "In file(x) : cannot open file 'x': No such file or directory"]),
        # A field that is called as a level is, below a line that fails.
        ("e++", ["2026-02-01 09:00:00 ERROR no stock", "    err: {", '      "type": "Error"']),
        ("e-i", ["ERROR x", "listening", "  INFO y"]),
        # A sign of a tool begins a line of its own, indented or not.
        ("e-", ["error: no stock", "   ▲ Next.js 14.0.3"]),
        ("w-", ["npm warn deprecated x@1", "  a banner"]),
        # A message of several lines; a filter would part these.
        ("e+++++++", [
            "2026-02-01 09:00:00 ERROR [main] c.s.Stock - could not save, statement was:",
            "insert into stock [42P01]", "java.sql.SQLException: could not save, statement was:",
            "insert into stock [42P01]", FRAME, "Caused by: org.x.PSQLException: ERROR: no such table",
            "  Position: 13", FRAME,
        ]),
        ("e+++i+", [
            "fail: Shop.Api.Orders[3]", "      Order 17 could not be saved",
            "      System.TimeoutException: bank away", "         at Shop.Bank.Ask() in /src/Bank.cs:line 9",
            "info: Shop.Api[0]", "      ready",
        ]),
        # What stands between two failures is of neither.
        ("w+-e+++", ["2026-02-01 09:00:00 WARN slow", "  at bank", "listening", *PYTHON, "KeyError: 1"]),
        ("w-e+", ["WARN slow", "listening", "java.io.IOException: x", FRAME]),
        ("w-e+", ["WARN slow", "listening", "com.shop.Boom", FRAME]),
        ("e+-e+", ["java.lang.E: x", FRAME, "listening", "java.lang.E: y", FRAME]),
        ("e+-e+", ["java.lang.E: x", FRAME, "listening", "com.shop.Boom", FRAME]),
        ("e+++++", ["java.lang.E: x", FRAME, "Caused by: java.lang.E: y", "of two lines", "or three", FRAME]),
        ("e--e+", ["ERROR no stock", "listening", "GET /", "java.io.IOException: y", FRAME]),
        ("e+-e", ["** (RuntimeError) x", "    (a 0.1.0) lib/a.ex:1: A.b/0", "ready", "** (Mix) y"]),
        ("w-e+", ["[warning] slow", "# ready", "# A fatal error has been detected by the JVM:", "#  SIGSEGV"]),
        ("e++++-", ["/a/b.js:3", "  throw x", "  ^", "", "[UnhandledPromiseRejection: x]", "listening"]),
        ("e--", ["error: could not compile `app`", "   Compiling error-chain v0.12.4", "    Finished dev [unoptimized] in 0.5s"]),
        # What announces more has it below, and a bracket that was opened is closed.
        ("i++i", ["2026-02-01 09:00:00 INFO settings:", "  port: 80", "  host: x", "2026-02-01 09:00:00 INFO next"]),
        ("ii-", ["2026-02-01 09:00:00 INFO ready", "2026-02-01 09:00:00 INFO settings", "  ##  a banner"]),
        ("e++++", ["Error: no settings", "", "Caused by:", "    0: failed to open /etc/x", "    1: gone"]),
        ("e++-", ["ERROR parser: header {", '  file: "x"', "}", "listening"]),
        ("e+++", ["2026-02-01 09:00:00 ERROR stopped[", FRAME, FRAME, "]"]),
        # What is indented less than its head is none of its details; some indent all that they write.
        ("w-", ["   WARN  no table yet", "  2026_create_orders_table ..... 12ms DONE"]),
        ("e+", ["  error: subprocess failed", "  exit code: 1"]),
        # JSON that did not end, and what a database adds.
        ("e++i", ['{"level": "ERROR", "message": "no stock", ', '"stacktrace": ["java.lang.E: x",', '"at a.B"] }', '{"level":"INFO"}']),
        ("i-", ['{"level":"info","message":"cut in the midd', "listening"]),
        ("e++-", ["psql:/a.sql:3: ERROR:  no table", "LINE 1: SELECT x", "               ^", "CREATE TABLE"]),
        ("w+", ["initdb: warning: trusts all", "initdb: hint: change it"]),
        ("e++++", ["12:00:00.000 [error] a terminated", "** (exit) raised:", "", "See b for more", "    (a 0.1.0) lib/a.ex:1: A.b/0"]),
        ("e+", ["fail: A.B[1]", "      Failed executing command"]),
        # A group has groups.
        ("e++++", [
            "  + Exception Group Traceback (most recent call last):", '  |   File "a.py", line 3, in f',
            "  +-+---------------- 1 ----------------", "    | Traceback (most recent call last):", '    |   File "a.py", line 7, in g',
        ]),
        # The first line of a trace.
        ("e+++-", [
            "2026/02/01 09:00:00 http: panic serving 10.0.0.9:5123: stock is nil", "goroutine 88 [running]:",
            "main.f(0x1)", "\t/app/main.go:9 +0x1d", "2026/02/01 09:00:00 next",
        ]),
        ("e+++", ["Exception in thread Thread-1 (f):", *PYTHON]),
        ("e++++", ["Task exception was never retrieved", "future: <Task finished>", *PYTHON]),
        ("e+++-", [
            'NoRouteError (no route "/x"):', "  ", "actionpack (7.0.1) lib/a/b.rb:63:in 'call'",
            "app/models/cart.rb:5:in 'add'", 'Started GET "/"',
        ]),
        # Details on lines of their own.
        ("w+++-", ["{", '  "id": 1,', '  "level": "warn"', "}", "x"]),
        ("--", ["{", "nothing"]),
        ("ww+++-", ['app | {"level":"warn"}', "{", '  "id": 1,', '  "level": "warn"', "}", "x"]),
        ("e-++-", ["ERROR no stock", "{", '  "id": 1', "}", "x"]),
        ("i++i", ["2026-02-01 09:00:00 INFO got {", '  "id": 1', "}", "2026-02-01 09:00:00 INFO next"]),
        ("ii", ["2026-02-01 09:00:00 INFO got {", "2026-02-01 09:00:00 INFO next"]),
        ("e+", ["Feb 01, 2026 9:00:00 AM com.shop.Main run", "SEVERE: no stock"]),
        ("e+-", [
            "2026-02-01 09:00:00.000 UTC [5] ERROR:  syntax", "2026-02-01 09:00:00.000 UTC [5] STATEMENT:  select",
            "2026-02-01 09:00:00.000 UTC [6] STATEMENT:  of another process",
        ]),
    ],
)  # fmt: skip
def test_entries(marks: str, lines: list[str]) -> None:
    """What a person would say of these lines."""
    assert told(lines) == marks


def test_what_comes_later_is_something_else() -> None:
    """Lines of one entry come at once."""
    assert told(["ERROR x", "  detail", "  much later"], seconds=[1, 2, 9]) == "e+-"


def test_a_frame_takes_what_waits_with_it() -> None:
    """What stood alone belongs to the failure as soon as a frame proves it."""
    lines = ["ERROR x", "java.lang.StockException: y", FRAME]
    assert told(lines[:2]) == "ee"
    assert told(lines) == "e++"


def test_containers_and_streams_are_told_apart() -> None:
    """What others write between belongs to nobody's entry."""
    reader = EntryReader()
    time = b"2026-02-01T09:00:00.000000000Z"
    lines = [
        (b"a" * 12, b"stderr", b"ERROR x"),
        (b"b" * 12, b"stderr", b"  indented, of another"),
        (b"a" * 12, b"marker", b"  a gap"),
        (b"a" * 12, b"stdout", b"  indented, elsewhere"),
        (b"a" * 12, b"stderr", FRAME.encode()),
    ]
    records = [record(time, *line) for line in lines]
    levels, entries = reader.read(7, records)
    assert levels == ["error", None, None, None, None]
    assert [e.extent for e in entries.values()] == [(7, 11, "error", "a" * 12, "stderr")]
    assert entries[7].lines == 2


@pytest.mark.parametrize(
    ("errors", "lines"),
    [
        (1, ["ERROR x", "java.lang.IllegalStateException: y", FRAME, "Caused by: a.B: z", FRAME]),
        (1, ["it happens", FRAME]),
        (2, ["ERROR x", "INFO y", *PYTHON, "KeyError: 1", "listening"]),
        (0, ["WARN x", "  ERRORs in it", "INFO y"]),
    ],
)
def test_a_failure_counts_once(errors: int, lines: list[str]) -> None:
    """However many of its lines say that it is an error."""
    records = [
        record(b"2026-02-01T09:00:00.000000000Z", b"a" * 12, b"stdout", text.encode())
        for text in lines
    ]
    assert EntryReader().errors(1, records) == errors


def test_an_entry_is_bounded() -> None:
    """In lines, and in bytes."""
    assert told(["ERROR x", *[FRAME] * (LINES_AT_MOST + 5)])[LINES_AT_MOST] != "+"
    long = FRAME + " " + "x" * (BYTES_AT_MOST // 4)
    assert told(["ERROR x", *[long] * 6]) == "e++++e+"


@given(st.lists(st.sampled_from([
    "ERROR x", "INFO x", "x", "", "  x", FRAME, *PYTHON, "KeyError: 1", "{", '  "a": 1', "}", "goroutine 1 [running]:",
    "/app/a.js:3", "  ^", "java.lang.E: x", "panic: x", "fail: A[1]", "Caused by: x.Y: z", "\t{", "note: run with `RUST_BACKTRACE`",
]), max_size=30), st.integers(0, 20))  # fmt: skip
def test_who_begins_later_knows_no_more(lines: list[str], later: int) -> None:
    """Entries never overlap, only grow, and never take a line that begins as a log line does."""
    reader = EntryReader()
    known: dict[int, int] = {}
    for seq, text in enumerate(lines):
        raw = record(b"2026-02-01T09:00:00.000000000Z", b"a" * 12, b"stdout", text.encode())
        _, entry = reader.feed(seq, raw)
        if entry is None:
            continue
        assert entry.last == seq
        assert not any(text in ("ERROR x", "INFO x") for text in lines[entry.first + 1 : seq + 1])
        for first, last in known.items():
            if first != entry.first:
                assert last < entry.first or first > entry.first
        known = {first: last for first, last in known.items() if not entry.first < first}
        assert known.get(entry.first, -1) < seq
        known[entry.first] = seq


@pytest.mark.parametrize(
    "row", [*traces.FRAMES, *traces.ANYWHERE.values()], ids=lambda row: row.example
)
def test_frames(row: traces.TraceLine) -> None:
    """A frame is known, of its language or of one that writes it alike, and what looks like it is none."""
    assert traces.frame(row.example)
    assert not traces.frame(row.counter)


@pytest.mark.parametrize("row", traces.OPENINGS, ids=lambda row: row.example)
def test_openings(row: traces.TraceLine) -> None:
    """What opens a trace."""
    assert traces.opening(row.example) == row.language
    assert not traces.opening(row.counter)


@pytest.mark.parametrize("row", traces.GOES_ON, ids=lambda row: row.example)
def test_what_goes_on(row: traces.TraceLine) -> None:
    """What belongs to a trace that is known."""
    assert traces.goes_on(row.language, row.example)
    assert not traces.goes_on(row.language, row.counter)
