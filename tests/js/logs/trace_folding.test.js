import assert from "node:assert/strict";
import { test } from "node:test";
import { levelOf } from "../../../static/js/logs/levels.js";
import { TraceWatcher } from "../../../static/js/logs/trace_folding.js";

/** How many lines each entry has. @param {string} log */
function entries(log) {
  const watcher = new TraceWatcher();
  /** @type {number[]} */
  const sizes = [];
  for (const line of log.split("\n")) {
    const level = levelOf(line);
    if (watcher.feed(line, 0, level === "error" || level === "warning")) sizes[sizes.length - 1]++;
    else sizes.push(1);
  }
  return sizes;
}

const AROUND = "2026-01-01 INFO before\n";
const AFTER = "\n2026-01-01 INFO after";

/** @type {Record<string, string>} each is one entry */
const TRACES = {
  java: `2026-01-01 ERROR [main] c.e.Foo - failed
java.lang.IllegalStateException: boom
	at com.example.Foo.bar(Foo.java:12)
	at com.example.Foo.lambda$main$0(Foo.java:3) ~[app.jar:?]
	... 23 more
	Suppressed: java.io.IOException: closed
		at com.example.Res.close(Res.java:1)
Caused by: java.net.SocketTimeoutException: Read timed out
	at java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:283)
	... 40 common frames omitted`,
  "java, uncaught": `Exception in thread "main" java.lang.NullPointerException: x
	at Main.main(Main.java:3)`,
  python: `Traceback (most recent call last):
  File "/app/main.py", line 12, in <module>
    run()
    ~~~^^
  File "/app/main.py", line 8, in run
    raise ValueError("bad")
ValueError: bad`,
  "python, logged": `2026-01-01 ERROR:root:failed
Traceback (most recent call last):
  File "/app/main.py", line 8, in run
    raise app.errors.Bad("x")
app.errors.Bad: x`,
  "python, chained": `Traceback (most recent call last):
  File "a.py", line 1, in <module>
    {}["x"]
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
    1/0
ZeroDivisionError: division by zero`,
  go: `panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.(*Server).Do(0xc000010000, {0x1, 0x2})
	/app/main.go:8 +0x1d
main.main()
	/app/main.go:3 +0x1d
created by net/http.(*Server).Serve in goroutine 1
	/usr/local/go/src/net/http/server.go:3086 +0x5cb
exit status 2`,
  node: `/app/index.js:3
  throw new TypeError('x is not a function')
  ^

TypeError: x is not a function
    at Object.<anonymous> (/app/index.js:3:9)
    at Module._compile (node:internal/modules/cjs/loader:1356:14) {
  code: 'E_BAD',
  cause: {
    x: 1
  }
}

Node.js v20.1.0`,
  "node, logged": `Error: connect ECONNREFUSED 127.0.0.1:5432
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16)
    at async run (/app/db.js:3:1) {
  errno: -111,
  code: 'ECONNREFUSED'
}`,
  ".NET": `Unhandled exception. System.InvalidOperationException: boom
 ---> System.Exception: inner
   at App.Foo() in /src/Foo.cs:line 3
   --- End of inner exception stack trace ---
   at App.Main() in /src/Main.cs:line 9
--- End of stack trace from previous location ---
   at App.Run()`,
  ruby: `/app/a.rb:1:in 'foo': boom (RuntimeError)
	from /app/a.rb:5:in '<main>'`,
  rust: `thread 'main' panicked at src/main.rs:2:5:
index out of bounds: the len is 3 but the index is 5
note: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace`,
};

for (const [name, trace] of Object.entries(TRACES)) {
  test(`${name}: one entry, and the lines around it are not in it`, () => {
    const n = trace.split("\n").length;
    assert.deepEqual(entries(AROUND + trace + AFTER), [1, n, 1]);
  });
}

test("two traces one after the other stay two", () => {
  const two = `${TRACES.java}\n${TRACES.python}\n${TRACES.go}\n${TRACES.node}\n${TRACES[".NET"]}`;
  assert.deepEqual(
    entries(two),
    [TRACES.java, TRACES.python, TRACES.go, TRACES.node, TRACES[".NET"]].map(
      (t) => t.split("\n").length,
    ),
  );
});

test("lines that only look a little like it stand alone", () => {
  const lines = [
    "hello",
    "at the end of the day",
    "INFO: ready",
    "  indented without a trace before",
    "ValueError is a word",
    "}",
    "",
    "error: one",
    "error: two",
    '{"a":1}',
  ];
  assert.deepEqual(
    entries(lines.join("\n")),
    lines.map(() => 1),
  );
});

test("what comes much later is something else", () => {
  const watcher = new TraceWatcher();
  assert.equal(watcher.feed("java.lang.Error: x", 0, true), false);
  assert.equal(watcher.feed("\tat A.b(A.java:1)", 10, false), true);
  assert.equal(watcher.feed("\tat A.c(A.java:1)", 60_000, false), false);
});
