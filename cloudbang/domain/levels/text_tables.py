"""How lines that are text say how bad they are: a table for each place of a line.

A line is read from its start: a time, what tells where it comes from (a host, a program, a thread,
a module, numbers), the level, the message. What stands in the message says nothing, but for what
runtimes and shells say in sentences of their own. In a pattern ``<<…>>`` marks the word or letter
that names the level.
"""

from __future__ import annotations

from cloudbang.domain.levels.way import Way

MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
CLOCK = r"\d\d?:\d\d(?::\d\d(?:[.,:]\d{1,9})?)?(?: ?[AP]M)?"
DATE = (
    rf"(?:\d{{4}}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/ ]?{MONTH}[-/ ,]{{0,2}}\d{{4}}|\d\d?[-/]\d\d?[-/]\d{{4}}"
    rf"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?{MONTH} {{1,2}}\d\d?(?:,? \d{{4}})?)"
)
TIME = (
    rf"(?:{DATE}(?:(?:[T_ :-]|, | - |/ ?)(?:{CLOCK}|\d\d\.\d\d\.\d\d(?::\d+)?))?(?: \d{{4}})?"
    rf"|\d{{6}} {{1,2}}{CLOCK}|\d\d-\d\d {CLOCK}|{CLOCK}|\d{{10}}(?:\.\d+|\d{{3}})?(?=[\s:\]]|$))"
    r"(?: ?(?:Z|UTC|GMT|CES?T|[+-]\d\d:?\d\d)(?![A-Za-z0-9]))?(?=[\s\]|,:)\-]|$)"
)

CAPITALS = (
    "TRACE|DEBUG[1-5]?|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|CRIT|SEVERE|PANIC"
    "|EMERG|EMERGENCY|ALERT|TRC|DBG|INF|WRN|ERR|FTL|PNC|TRCE|DEBU|ERRO|FATA|PANI|FINEST|FINER|FINE"
    "|SUCCESS|FAIL|VERBOSE|DEPRECATED"
)
BEFORE_COLON = (
    "trace|debug|info|information|notice|warn|warning|error|err|fatal|critical|crit|severe|fail"
    "|failure|trce|dbug|panic|verbose|emerg|alert|deprecated"
)
ANY = (
    f"{BEFORE_COLON}|debug[1-5]|inf|wrn|wrng|dbg|trc|ftl|vrb|dbug|erro|eror|note|system|success"
    "|finest|finer|fine|dpanic|emergency|fatal error|deprecation warning"
)
CHINESE = "调试|信息|警告|错误|严重|致命"
COLUMN = "trace|debug|info|warn|warning|error|fatal|Trace|Debug|Info|Warn|Warning|Error|Fatal"

# At the very start, and nowhere else.
STARTS = (
    Way("syslog's priority", r"[<]<<\d{1,3}>>[>](?=.)", "<3>disk fails", "error",
        "<7777>x", None, "RFC 5424; systemd's sd-daemon(3)"),
    Way("klog and glog", r"<<[IWEF]>>(?:\d{4}|\d{6}|\d{8}) \d\d:\d\d:\d\d", "W1128 10:00:00.000000  1 a.go:1] x",
        "warning", "W1128 is a room", None, "glog, klog"),
    Way("Redis' sign", r"\d+:[XCSM] \d\d [A-Z][a-z]{2} \d{4} [\d:.]{8,15} <<[.\-*#]>> ",
        "1:M 28 Nov 2026 10:00:00.000 # disk", "warning", "1:M 28 Nov 2026", None, "Redis' server.c"),
    Way("a letter, a comma, a time", r"<<[TDIWEF]>>, \[", "E, [2026-02-01T09:00:00 #1] ERROR -- : x",
        "error", "E, she said", None, "Ruby's Logger"),
    Way("a letter and a colon", r"<<[EWew]>>: (?=\S)", "E: Unable to locate package nosuch", "error",
        "C: drive", None, "apt, kotlinc"),
    Way("a report of Erlang", r"=<<ERROR|WARNING|INFO>> REPORT====", "=ERROR REPORT==== 1-Feb-2026 ===",
        "error", "=FOO REPORT====", None, "Erlang/OTP's error_logger"),
)  # fmt: skip

# Where the level may stand: at the start, behind a time, behind what tells where a line comes from.
HEADS = (
    Way("a word in capitals", rf"<<{CAPITALS}>>(?=$|[\s\]:|,>/(\[!]|-(?!\w))", "2026-02-01 09:00:00 WARN  slow",
        "warning", "2026-02-01 09:00:00 INFO  mail sent, severity=critical", "info",
        "log4j, logback, Python's logging, zerolog, loguru"),
    Way("LOG, of a database", r"<<LOG>>(?=:  | {1,5}[\w\[])", "2026-02-01 09:00:00 UTC [1] LOG:  ready", "info",
        "LOGIN of bob", None, "PostgreSQL, PgBouncer, Nest"),
    Way("a word and a colon", rf"<<(?i:{BEFORE_COLON})|{CHINESE}>>(?:\[\d+\]| \d{{1,5}})?(?::(?=\s|$)|:)",
        "Warning: Undefined index k", "warning", "Errors: 0", None,
        ".NET's console, winston, PHP, mosquitto, GDAL"),
    Way("a word before a time", rf"<<{COLUMN}>>(?= \[?{DATE})", "warn [2026-02-01 09:00:00.000 Z] slow", "warning",
        "warn 2026 people", None, "Mattermost, logfmt's short forms"),
    Way("a column", rf"<<{COLUMN}>>(?=\t| {{2,}}| {{0,3}}\||\s+\[| [\w.-]+ : )", "2026-02-01T09:00:00Z\twarn\tca\tretrying",
        "warning", "2026-02-01 09:00:00 error pages are served", None, "zap's console, istio"),
    Way("glued to its channel or module", rf"[\w-]{{2,40}}+(?:\.<<{CAPITALS}>>:(?=\s)|:<<{COLUMN}>>(?=\s+\d))|(?:[^\s|:]++:)+?<<{CAPITALS}|LOG>>:(?=  )",
        "[2026-02-01 09:00:00] production.ERROR: boom", "error",
        "[2026-02-01 09:00:00] README.ERROR x", None, "Monolog's LineFormatter, Zigbee2MQTT"),
    Way("behind a bar", rf"\|-<<{CAPITALS}>>(?= )", "10:00:00,123 |-WARN in ch.qos.logback.X - y", "warning",
        "10:00:00,123 |-- x", None, "logback's status messages"),
    Way("a letter behind a time", r"<<[TVDIWEFC]>>(?:!(?=\s)| \|(?=\s)| (?=[A-Z][A-Z_]+ {1,10}\[)| (?=[\w./-]{2,40} *: ))",
        "2026-02-01T09:00:00Z E! [inputs.docker] x", "error", "2026-02-01 09:00:00 I am here", None,
        "telegraf, capnslog, mongod before 4.4, logcat"),
)  # fmt: skip

# What is in brackets of a head, whole; parentheses and braces hold other things.
BRACKETS = (
    Way("a word in brackets", rf"\s*<<(?i:{ANY})|{CHINESE}>>\s*", "2026/02/01 09:00:00 [error] 31#31: x", "error",
        "[errors] 3", None, "nginx, MySQL, RabbitMQ, spdlog, structlog"),
    Way("a letter in brackets", r"<<[TDIWEFC]>>", "2026/02/01 09:00:00 cmd/web.go:1:run() [W] slow", "warning",
        "[E] is a note", None, "Gitea"),
    Way("behind its module or thread", rf"(?!\w+://)[^\]]{{1,60}}[:/]<<(?i:{BEFORE_COLON})>>", "[09:00:01] [Worker-3/ERROR]: chunk lost",
        "error", "[http://error] x", None, "Apache 2.4, Minecraft's log4j"),
    Way("a letter before a time", rf"<<[TDIWEFC]>> {TIME}(?:[ ].*)?", "[E 260201 09:00:00 web:1793] boom", "error",
        "[E 12] x", None, "Tornado, Jupyter"),
)  # fmt: skip

# What stands behind a time inside the same brackets.
BEHIND_TIME = (
    Way("behind a time", rf"[:\s]\s*<<{CAPITALS}>>(?:[/ ].*)?", "[2026-02-01 09:00:00,120: WARNING/MainProcess] queue",
        "warning", "[2026-02-01 09:00:00 x] y", None, "celery, Serilog's console, env_logger, Paper"),
)  # fmt: skip

# What runtimes, shells and servers say: at the start, behind a time, or behind where it comes from.
SENTENCES = (
    Way("a traceback of Python", r"(?:[+| ]{0,8})(?:Exception Group )?Traceback \(most recent call last\):",
        "Traceback (most recent call last):", "error", "Traceback is on", None, "CPython's traceback"),
    Way("a panic of Go", r"(?:http: )?panic(?:: | serving )", "panic: boom", "error",
        "panic over", None, "Go's runtime, net/http"),
    Way("a panic of Rust", r"thread '[^']*' (?:\(\d+\) )?panicked at ", "thread 'main' panicked at src/main.rs:3:1:", "error",
        "thread 'main' started", None, "Rust's std::panicking"),
    Way("a fatal error", r"(?:PHP )?(?:Fatal|fatal|Parse|Core|Compile|Recoverable fatal) error:\s", "PHP Fatal error:  Uncaught Exception: x",
        "error", "fatal errors: 0", None, "Go's runtime, PHP, GCC"),
    Way("a warning of PHP", r"PHP (?:Warning|Deprecated|Strict Standards|Strict standards):\s", "PHP Warning:  Undefined variable $x in /a.php on line 3",
        "warning", "PHP Warnings are off", None, "PHP's main.c"),
    Way("a notice of PHP", r"PHP Notice:\s", "PHP Notice:  Undefined index: a in /a.php on line 3", "info",
        "PHP Notices are off", None, "PHP's main.c"),
    Way("an exception that nobody caught", r"(?:Exception in thread |Exception ignored in|Task exception was never retrieved"
        r"|Unhandled [Ee]xception|Unhandled [Rr]ejection|Uncaught |Unhandled promise rejection|Future exception was never retrieved)",
        'Exception in thread "main" java.lang.RuntimeException: x', "error", "Exceptions: 0", None,
        "the JVM, CPython, .NET, V8"),
    Way("a cause", r"Caused by: ", "Caused by: java.io.IOException: inner", "error", "Caused trouble", None,
        "java.lang.Throwable"),
    Way("an exception in parentheses", r"\*\* \([A-Z][\w.]*\) ", "** (RuntimeError) boom", "error",
        "** note **", None, "Elixir's Exception.format"),
    Way("where Node failed", r"node:[\w/]+:\d+$", "node:internal/process/promises:288", "error",
        "node:20", None, "Node.js' node_errors.cc"),
    Way("what killed a process", r"(?:Segmentation fault|Bus error|Illegal instruction|Aborted \(core dumped\)|Killed$|Out of memory"
        r"|terminate called |double free or |free\(\): |malloc\(\): |\*\*\* stack smashing|Assertion (?:.{1,200} )?failed|(?:[\w./-]++: )?error while loading shared libraries: )",
        "Segmentation fault (core dumped)", "error", "Killed 3 bugs", None, "shells, glibc, libstdc++, the kernel"),
    Way("an error in words", r"Error [a-z]{2,}(?: [^\s:]+){0,6}: ", "Error response from daemon: no such container", "error",
        "Error handling middleware registered", None, "programs of the command line"),
    Way("a code of an error", r"ERR_[A-Z][A-Z0-9_]+\b", "ERR_PNPM_NO_SCRIPT  Missing script: x", "error",
        "ERRATIC", None, "Node's and package managers' codes"),
    Way("a server's own failure", r"Internal [Ss]erver [Ee]rror(?:: |$)|(?:Bad Gateway|Service Unavailable|Gateway Timeout): /",
        "Internal Server Error: /pay", "error", "Internal Server Errors: 0", None, "RFC 9110's phrases of 5xx; Django"),
    Way("a client's failure", r"(?:Bad Request|Unauthorized|Forbidden|Not Found|Method Not Allowed|Gone|Conflict|Too Many Requests): /",
        "Not Found: /x", "warning", "Not Found in the list", None, "RFC 9110's phrases of 4xx; Django"),
    Way("npm's words", r"npm <<ERR!|error|WARN|warn|notice|info>> ", "npm ERR! code ELIFECYCLE", "error",
        "npm errors 0", None, "npm"),
    Way("a word behind a dash", r"- <<error|warn|info>> ", "- warn x", "warning", "- warning signs", None, "Next.js"),
    Way("a word before a sentence", r"<<error|warning|warn>> (?=[A-Z][a-z]|[\w.-]+: )", "error Command failed with exit code 1.", "error",
        "error pages", None, "yarn, Docusaurus"),
    Way("info before a sentence", r"info (?=[A-Z][a-z])", "info Visit the documentation", "info", "info point", None, "yarn"),
    Way("a cross", r"[⨯✖✗✘❌] ?", "⨯ Error: no stock", "error", "✓ Ready in 2s", None, "Next.js, test runners"),
    Way("a warning sign", r"⚠️?", "⚠ Invalid options detected", "warning", "☂ rain", None, "Next.js, Vite"),
    Way("what crashed", r"(?:app|process|worker|server) crashed\b", "[nodemon] app crashed - waiting for changes", "error",
        "crash course", None, "nodemon, supervisors"),
)  # fmt: skip

# The same, of a shape and not of fixed words: looked for only where a line holds one of SHAPE_HINTS.
SHAPES = (
    Way("a panic that was caught", r"(?:[\w\[\]/:. -]{0,60})panic recovered:", "[Recovery] 2026/02/01 - 09:00:00 panic recovered:",
        "error", "the panic was over", None, "Gin, chi"),
    Way("a warning of a runtime", r"(?:[\w.]+\.)?[A-Za-z]*Warning: ", "/app/x.py:10: UserWarning: old", "warning",
        "Warning signs of a storm", None, "CPython's warnings, Node's process.emitWarning"),
    Way("an exception", r"(?:[A-Za-z_$][\w$]*(?:\.|::?))*[A-Z][\w$]*(?:Error|Exception|Failure|Fault)(?::|$| \[|(?= \(.*\):?$))",
        "java.io.IOException: bank away", "error", "ErrorHandling is on", None,
        "what languages print of an exception: its class, a colon, its message"),
    Way("where Ruby failed", r"\S+:\d+:in [`'].*[`'].*\([A-Z][\w:]*\)$", "/app/a.rb:3:in `b': undefined method `x' (NoMethodError)",
        "error", "/app/a.rb:3:in `b'", None, "Ruby's error.c"),
    Way("make that stopped", r"[\w-]++(?:\[\d+\])?: \*\*\* ", "make: *** [Makefile:3: all] Error 1", "error",
        "make: done ***", None, "GNU make"),
)  # fmt: skip

EXCEPTIONS = ("an exception", "a cause", "an exception in parentheses")
"""Rows of what a line before may tell of: the others announce a failure themselves."""

TOOLS = (
    "npm's words", "a word behind a dash", "a word before a sentence", "info before a sentence", "a cross",
    "a warning sign", "a code of an error", "what crashed",
)  # fmt: skip
"""Rows of tools of the command line: what is indented below one need not be its own."""

# At the end of a line that begins with a program's name.
ENDINGS = (
    Way("what the system answered", r"[\w./@+-]+: .*|exec .*|(?=[A-Z])", "cp: cannot stat 'x': No such file or directory",
        "error", "404 not found", None, "strerror(3) behind the name of a program; shells"),
)  # fmt: skip
ANSWERS = (
    "No such file or directory", "Permission denied", "Connection refused", "command not found",
    "exec format error", "Exec format error", "No space left on device", "Address already in use",
    "Operation not permitted", "Is a directory", "Not a directory", "Broken pipe",
    "Read-only file system", "Cannot allocate memory", "Too many open files", "Input/output error",
    "Name or service not known", ": not found",
)  # fmt: skip

PAIRS = (
    Way("key=value", r"", 'time="2026-02-01T09:00:00Z" level=warning msg="level=info"', "warning",
        "Starting with log-level=debug", None, "logrus, slog, go-kit, Grafana"),
    Way("key=value of another word", r"", "ts=2026-02-01 lvl=eror msg=x", "error",
        "user=bob level=5", None, "Grafana 8, InfluxDB"),
    Way("no pair inside quotes", r"", 'msg="a level=error b" level=info', "info",
        'SELECT id FROM alarms WHERE severity="critical"', None, "what stands in quotes is a value"),
)  # fmt: skip
LEVEL_KEYS = r"level|lvl|severity|loglevel|log_level|log\.level|levelname|severity_text|@level"

PREFIXES = (
    Way("a container's name", r"", 'api-1  | {"level":"error","msg":"x"}', "error",
        "INFO | api-1 | x", "info", "docker compose, pm2, foreman"),
    Way("what the server says of a message", r"", "NOTICE: PHP message: PHP Fatal error:  Uncaught Error: x", "error",
        "NOTICE: PHP is ready", "info", "PHP-FPM"),
    Way("a time and a JSON object", r"", '2026-02-01T09:00:00Z {"level":"error","msg":"x"}', "error",
        "2026-02-01T09:00:00Z {x}", None, "what adds times to lines"),
    Way("a host and a program", r"", "Nov 28 10:00:00 host sshd[12]: error: kex", "error",
        "Nov 28 10:00:00 host sshd[12]: no error: kex", None, "RFC 3164"),
    Way("a program", r"", "initdb: warning: x", "warning", "Log level: debug", None, "GNU's standards for errors"),
)  # fmt: skip
