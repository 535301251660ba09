"""How lines that are text say how bad they are: a table for each place of a line.

A line is read from its start: a time, what tells where it comes from (a host, a program, a thread,
a module, numbers), the level, the message. What stands in the message says nothing, but for what
runtimes and shells say in sentences of their own. In a pattern ``<<…>>`` marks the word or letter
that names the level.
"""

from __future__ import annotations

from cloudbang.domain.levels.way import Way
from cloudbang.domain.levels.words import FOREIGN

MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
CLOCK = r"\d\d?:\d\d(?::\d\d(?:[.,:]\d{1,9})?)?(?: ?[AP]M)?"
DATE = (
    rf"(?:\d{{4}}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/ ]?{MONTH}(?:[-/ ,]{{0,2}}\d{{4}}|(?= \d\d?:\d\d))|\d\d?[-/]\d\d?(?:[-/]\d{{4}}|(?= \d\d:\d\d:\d\d))"
    rf"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?{MONTH} {{1,2}}\d\d?(?:,? \d{{4}})?)"
)
ZONE = r"Z|UTC|GMT|[+-]\d\d:?\d\d|[CEW]E?S?T|[CEMP]DT|[MPIJKB]ST|MSK|HKT|SGT|A[CEW][DS]T"
TIME = (
    rf"(?:{DATE}(?:(?:[T_ :-]|, | - |/ ?)(?:{CLOCK}|\d\d\.\d\d\.\d\d(?:[.:]\d+)?(?:[+-]\d{{3}}(?!\d))?))?(?: \d{{4}})?"
    rf"|20\d{{12}}(?:\.\d{{1,6}})?|1\.\d{{6,}}e\+09|\d{{6}} {{1,2}}{CLOCK}|\d\d?[-/.]\d\d?[-/.]\d\d(?:, |[T ]){CLOCK}|{CLOCK}|\d{{10}}(?:\.\d+|\d{{3}})?(?=[\s:\]]|$))"
    rf"(?: ?(?:{ZONE})(?![A-Za-z0-9]))?(?=[\s\]|,;:)>\"\-]|$)"
)

CAPITALS = (
    "TRACE|DEBUG[1-5]?|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|CRIT|SEVERE|PANIC"
    "|EMERG|EMER|EMERGENCY|ALERT|TRC|DBG|DEBG|DBUG|INF|WRN|ERR|FTL|PNC|TRCE|DEBU|ERRO|FATA|PANI|FINEST|FINER|FINE"
    "|SUCCESS|FAIL|VERBOSE|VERB|VRB|EROR|DPANIC|DEPRECATED|DEPRECATION"
)
BEFORE_COLON = (
    "trace|debug[1-3]?|info|information|notice|warn|warning|error|err|fatal|critical|crit|severe|fail"
    "|failure|trce|dbug|panic|verbose|emerg|alert|deprecated|deprecation warning"
)
ANY = (
    f"{BEFORE_COLON}|debug[1-5]|inf|wrn|wrng|dbg|trc|ftl|vrb|dbug|erro|eror|note|system|success"
    "|finest|finer|fine|dpanic|emergency|fatal error|audit"
)
CHINESE = "调试|信息|警告|错误|严重|致命"
SHORT = "inf|wrn|err|dbg|trc|notice"
COLUMN = "trace|debug|info|notice|warn|warning|error|critical|fatal|Trace|Debug|Info|Warn|Warning|Error|Fatal"

FACILITIES = "kern|user|mail|daemon|auth|authpriv|security|syslog|lpr|news|uucp|cron|ftp|local[0-7]"
SEVERITIES = "emerg|alert|crit|err|error|warn|warning|notice|info|debug"

# At the very start, and nowhere else.
STARTS = (
    Way("syslog's priority", r"[<]<<\d{1,3}>>[>](?=.)", "<3>disk fails", "error",
        "<7777>x", None, "RFC 5424; systemd's sd-daemon(3)"),
    Way("a severity of syslog, a time", r"%<<[0-7]>>\|\d{10}\.", "%3|1764324000.123|FAIL|x#producer-1| no broker", "error",
        "%3|x", None, "librdkafka"),
    Way("klog and glog", r"<<[IWEF]>>(?:\d{4}|\d{6}|\d{8}) \d\d:\d\d:\d\d", "W1128 10:00:00.000000  1 a.go:1] x",
        "warning", "W1128 is a room", None, "glog, klog"),
    Way("Redis' sign", r"\d+:[XCSM] \d\d [A-Z][a-z]{2} \d{4} [\d:.]{8,15} <<[.\-*#]>> ",
        "1:M 28 Nov 2026 10:00:00.000 # disk", "warning", "1:M 28 Nov 2026", None, "Redis' server.c"),
    Way("a letter, a comma, a time", rf"<<[TDIWEF]>>(?:, \[|[|,;] ?(?={DATE}))", "E, [2026-02-01T09:00:00 #1] ERROR -- : x",
        "error", "E, she said", None, "Ruby's Logger"),
    Way("a letter and a colon", r"<<[EWew]>>: (?=[^\s\d])", "E: Unable to locate package nosuch", "error",
        "W: 120 H: 80", None, "apt, kotlinc"),
    Way("a letter in parentheses, a time", rf"\(<<[TDNIWECF]>>\) (?={DATE})", "(W) 2026-02-01T09:00:00 - slow", "warning",
        "(W) is for west", None, "qBittorrent"),
    Way("a letter, a time or a tag", r"<<[VDIWEF]>>(?: \(\d+\) [\w.:-]+: |/[\w.$-]{2,40}(?:\( *\d+\))?: )", "W/System.err( 7): slow", "warning",
        "I/O: 3", None, "ESP-IDF, Android's logcat -v brief"),
    Way("a word in parentheses", r"\(<<(?i:error|warning|fatal)>>\) (?=\S)", "(error) NOAUTH Authentication required.", "error",
        "Answer (error) is explained", None, "clients of databases"),
    Way("behind a program and its number", r"(?:\([\w./ -]{1,40}:\d+\): |\*\* (?:\([\w./ -]{1,40}:\d+\): )?)(?:[\w.-]{1,40}-)?<<WARNING|CRITICAL|ERROR|DEBUG|INFO|Message>>(?: \*\*)?: ", "(app:12): Gtk-WARNING **: 10:00:00.123: cannot open display", "warning",
        "(app:12): WARNINGS **: 3", None, "GLib's g_log"),
    Way("what a check found", r"E {3,7}(?=\S)", "E       AssertionError: assert 4 == 5", "error",
        "E  = m", None, "pytest"),
    Way("a letter before a bracket with a time", rf"<<[TDIWEFXCA]>> \[(?={DATE})", "E [28/Nov/2026:10:00:00 +0000] [Job 7] no file", "error",
        "E [x] is a note", None, "CUPS"),
    Way("a type behind an age", r"(?:\d+[smhd]){1,2}(?: \(x\d+ over \w+\))? {2,}<<Warning>> {2,}[A-Z]", "11m         Warning   BackOff   pod/shop-1   Back-off restarting", "warning",
        "11m  Warning lights", None, "the events of Kubernetes"),
    Way("a type before its reason and its age", r"<<Warning>> {2,}[A-Z]\w+ {2,}(?:\d+[smhd]){1,2} ", "  Warning  BackOff    3m41s (x108 over 23m)  kubelet  Back-off restarting", "warning",
        "  Warning  Signs", None, "the events of Kubernetes"),
    Way("an annotation", r"##\[<<error|warning|debug>>\]|::<<error|warning|notice|debug>>(?: [^:]{0,200})?::", "##[error]Process completed with exit code 1.", "error",
        "##[group]Run tests", None, "GitHub's, Gitea's and Azure's runners"),
    Way("a word behind an open bracket", r"\[ <<Debug|Info|Warning|Error>>: ", "[ Warning: slow", "warning",
        "[ note: x", None, "Julia's Logging"),
)  # fmt: skip

# Where the level may stand: at the start, behind a time, behind what tells where a line comes from.
HEADS = (
    Way("a word in capitals", rf"(?:LOG_)?<<{CAPITALS}>>(?=$|[\s\]:|,;>/(\[!]|-(?!\w))", "2026-02-01 09:00:00 WARN  slow",
        "warning", "2026-02-01 09:00:00 INFO  mail sent, severity=critical", "info",
        "log4j, logback, Python's logging, zerolog, loguru"),
    Way("LOG, of a database", r"<<LOG>>(?=:  | {1,5}[\w\[])", "2026-02-01 09:00:00 UTC [1] LOG:  ready", "info",
        "LOGIN of bob", None, "PostgreSQL, PgBouncer, Nest"),
    Way("a word and a colon", rf"<<(?i:{BEFORE_COLON})|{CHINESE}|(?=[^a-z])(?:{FOREIGN})>>(?:\[[\w./-]{{1,40}}\]| [A-Z]{{0,6}}#?\d{{1,5}}| ?\([^()]{{1,60}}\))?(?: ?:(?=\s|$)|:)",
        "Warning: Undefined index k", "warning", "Errors: 0", None,
        ".NET's console, winston, PHP, mosquitto, GDAL"),
    Way("a word before a time", rf"<<{COLUMN}>>(?= [\[@]?{DATE})", "warn [2026-02-01 09:00:00.000 Z] slow", "warning",
        "warn 2026 people", None, "Mattermost, logfmt's short forms"),
    Way("a column", rf"<<{COLUMN}>>(?= ?\t| {{2,}}| - | {{0,3}}\||\s+\[| [\w.-]+ : )", "2026-02-01T09:00:00Z\twarn\tca\tretrying",
        "warning", "2026-02-01 09:00:00 error pages are served", None, "zap's console, istio"),
    Way("glued to its channel or module", rf"(?:[\w-]{{2,40}}+|(?=\.))(?:\.<<{CAPITALS}>>:(?=\s)|:<<{COLUMN}>>(?=\s+\d)|:<<{CAPITALS}>>(?=\s+[A-Z])|\(<<[TDIWEF]>>\):(?=\s))|(?:[^\s|:]++:)+?<<{CAPITALS}|LOG>>:(?=  )",
        "[2026-02-01 09:00:00] production.ERROR: boom", "error",
        "[2026-02-01 09:00:00] README.ERROR x", None, "Monolog's LineFormatter, Zigbee2MQTT, log4j 1, SLF4J 2"),
    Way("between two colons, twice", rf"[\w.-]{{2,40}}::<<{CAPITALS}>>::", "MainThread::ERROR::2026-02-01 09:00:00,300::shop::74::x::(run) no stock", "error",
        "std::ERROR_CODE::x", None, "Python's logging with fields parted by ::"),
    Way("behind a bar", rf"\|-<<{CAPITALS}>>(?= )", "10:00:00,123 |-WARN in ch.qos.logback.X - y", "warning",
        "10:00:00,123 |-- x", None, "logback's status messages"),
    Way("a letter behind a time", r"<<[TVDIWEFC]>>(?:!(?=\s)| \|(?=\s)| (?=[A-Z][A-Z_]+ {1,10}\[)| (?=[\w./-]{2,40} *: | *[\w./-]+\.\w{1,4}:\d+\]| \[[A-Z]| ?[\w$-]*[.:/_][\w$.:/_-]*[\w$](?:\s|$)|\[)|>(?=\s))",
        "2026-02-01T09:00:00Z E! [inputs.docker] x", "error", "2026-02-01 09:00:00 I am here", None,
        "telegraf, capnslog, mongod before 4.4, logcat, TensorFlow, QuestDB, Gluster"),
    Way("a word before a place in code", rf"<<{COLUMN}|{SHORT}>>:? (?=[\w./<>-]+\.[A-Za-z]{{1,4}}:\d)", "6.826 Error Server.cpp:633: no token", "error",
        "Error pages 3:4", None, "programs in C++ and Go that say where they are"),
    Way("a word before a program and its number", rf"<<{COLUMN}>>(?= [\w.-]{{2,40}}\[\d+\](?::| \[))", "2026-02-01T09:00:00Z warning vpxd[47756] [Originator@6876] slow", "warning",
        "2026-02-01T09:00:00Z error codes[3] are listed", None, "VMware's, sd-daemon's and others' own formats"),
    Way("behind the facility of syslog", rf"(?:{FACILITIES})\.<<{SEVERITIES}>>(?= [\w./-]+(?:\[\d+\])?:)", "Mon Nov  2 17:35:09 2026 daemon.err odhcp6c[1589]: no address", "error",
        "Mon Nov  2 17:35:09 2026 user.info pages: 3", "info", "busybox's and OpenWrt's syslogd, RFC 5424"),
    Way("behind a name of its own", rf"LEVEL ?[:=] ?<<{CAPITALS}|Info|Event|Warning|Error|Severe|Critical>>(?=$|\s)", "2026-02-01-09.00.00.907990+000 E7234E1026            LEVEL: Error (OS)", "error",
        "LEVEL: 3", None, "Db2's db2diag.log"),
    Way("before a slash and its module", rf"<<(?i:{BEFORE_COLON})>>/[\w.-]+:(?=\s)", "[2026-02-01 09:00:00 +0000] warning/cli: slow", "warning",
        "warning/x y", None, "Icinga"),
    Way("an id of a message that ends in its level", r"[A-Z]{3,8}\d{3,5}<<[EWI]>>:(?=\s)", "2026-02-01T09:00:00Z AMQ9207E: The data is not valid.", "error",
        "AB12E: x", None, "IBM's products"),
    Way("the same before two spaces", r"[A-Z]{3,8}\d{3,5}<<[EWI]>>(?=  [A-Z][a-z])", "DBI1264E  This program failed.", "error",
        "MODEL2000E  XL", None, "IBM's products"),
    Way("a letter and a colon, behind a time", r"<<[TDIWEF]>>:(?=\s)", "[10:00:00]E: [Step 1/3] exit code 1", "error",
        "C: drive", None, "TeamCity"),
    Way("between separators", rf"(?:\"?[;,]\"?|(?<=[;,] ))<<(?i:{ANY})>>\"?(?=[;,])", '"2026-02-01 09:00:00","ERROR","no stock"', "error",
        '"a","ERROR CODE","b"', None, "what writes a log as a table"),
    Way("a word behind a time and a colon", r"<<Emergency|Alert|Critical|Warning|Notice>> (?=[A-Z][a-z])", "10:00:00.123456789: Warning Shell history had been deleted", "warning",
        "10:00:00 Warning Lights", None, "Falco"),
)  # fmt: skip

# The same, behind a name at the start or behind a program.
NAMED = (
    Way("behind the name of a module", rf"[\w$]+(?:\.[\w$]+)+ <<{CAPITALS}>>(?=:| - |  )", "com.shop.Pay ERROR: no stock", "error",
        "a.b ERROR codes", None, "loggers without a time"),
    Way("behind a name, before a dash", rf"[\w.-]+ <<{CAPITALS}>>(?= - )", "Nov 28 10:00:00 supervisord: updater ERROR - no memory", "error",
        "updater - ERROR", None, "Python's logging, shells"),
    Way("behind a thread", rf"main <<{CAPITALS}>> (?=[A-Z])", "main ERROR Unable to locate appender", "error",
        "main INFORMATION desk", None, "log4j 2's status messages"),
)  # fmt: skip

# A name of a head, whole.
NAMES = (
    Way("in brackets behind its module", rf"[\w./-]{{2,40}}\[<<{CAPITALS}>>\]:?", "2026-02-01 09:00:00,123 - util.py[WARNING]: slow", "warning",
        "2026-02-01 09:00:00 x[ERRORS]: 3", None, "cloud-init"),
)  # fmt: skip

# What is in brackets of a head, whole; parentheses and braces hold other things.
BRACKETS = (
    Way("a word in brackets", rf"\s*<<(?i:{ANY})|{CHINESE}>>\s*", "2026/02/01 09:00:00 [error] 31#31: x", "error",
        "[errors] 3", None, "nginx, MySQL, RabbitMQ, spdlog, structlog"),
    Way("a word before a time, in brackets", rf"<<{COLUMN}|severe|config|fine|finer>> {DATE}.*", "[warn 2026/02/01 09:00:00.000 UTC main tid=0x1] slow", "warning",
        "[warn 2026 people] x", None, "Apache Geode"),
    Way("behind its logger, before the rest", rf"[\w.]+:<<(?i:{BEFORE_COLON})>>,.*", "[ns_server:error,2026-02-01T09:00:00.000Z,n_1@10.0.0.1] failed", "error",
        "[x:errors,y] z", None, "Couchbase"),
    Way("a letter in brackets", r"<<[TDIWEFC]>>", "2026/02/01 09:00:00 cmd/web.go:1:run() [W] slow", "warning",
        "[E] is a note", None, "Gitea"),
    Way("behind its module or thread", rf"(?!\w+://)[^\]]{{1,60}}[:/#]<<(?i:{BEFORE_COLON})>>", "[09:00:01] [Worker-3/ERROR]: chunk lost",
        "error", "[http://error] x", None, "Apache 2.4, Minecraft's log4j"),
    Way("between its colons", rf"(?:[\w/.-]+:)+<<{CAPITALS}>>:.*", "[119:132:0414/140659:ERROR:bus.cc(432)] no bus", "error",
        "[x:ERROR_CODE:y] z", None, "Chromium"),
    Way("before a name", rf"<<{CAPITALS}>>\s+[\w(/].*", "[WARN  tini (7)] x", "warning", "[WARNS tini] x", None, "tini, rr"),
    Way("before its module or thread", rf"<<(?i:{ANY})>>[#|:/][\w.@/#:-]{{1,60}}", "[Warn#SQL] slow query", "warning",
        "[errors#3] x", None, "monad-logger, transformers"),
    Way("behind what it is of", r"(?!(?i:no|any|0|log|level) )[A-Za-z][\w.-]*(?: [\w.-]+)? <<(?i:warn|warning|error|fatal)>>", "[Vue Router warn]: no match", "warning",
        "[no error]: x", None, "Vue, Nitro, compilers of pages"),
    Way("in capitals, behind what it is of", rf"(?!(?i:no|any|0|log|level) )[A-Za-z_][\w.-]* <<{CAPITALS}>>", "2026-02-01 09:00:00 [signals INFO] refreshed", "info",
        "[no ERROR] x", None, "Django's and others' own formats"),
    Way("two letters of an error", r"EE", "[    12.345] (EE) no screens", "error", "(EEG) x", None, "the X server"),
    Way("two letters of a warning", r"WW", "(WW) slow", "warning", "(WWW) x", None, "the X server"),
    Way("two letters of information", r"II", "(II) ready", "info", "(III) x", None, "the X server"),
    Way("a letter before a time", rf"\s*<<[TDIWEFCN]>> {TIME}(?:[ ].*)?", "[E 260201 09:00:00 web:1793] boom", "error",
        "[E 12] x", None, "Tornado, Jupyter, Passenger"),
    Way("a letter before a place in code", r"<<[TDIWEF]>> [\w./-]+\.\w{1,4}:\d+", "[W socket.cpp:663] [c10d] no connection", "warning",
        "[W socket] x", None, "PyTorch"),
)  # fmt: skip

# What stands behind a time inside the same brackets.
BEHIND_TIME = (
    Way("behind a time", rf"[:\s]\s*<<{CAPITALS}>>(?:[/ ].*)?", "[2026-02-01 09:00:00,120: WARNING/MainProcess] queue",
        "warning", "[2026-02-01 09:00:00 x] y", None, "celery, Serilog's console, env_logger, Paper"),
    Way("behind a time and a place in code", rf"(?: [\w./#-]*[\d:#][\w.:/#-]*){{1,3}} <<{COLUMN}|{CAPITALS}>>", "[2026-02-01 09:00:00.145 #15167733 storage.cc:156 error] no table", "error",
        "[2026-02-01 09:00:00 stage two error] x", None, "programs in C++ that say where they are"),
)  # fmt: skip

DONE = (
    "open|connect|bind|create|load|read|write|start|resolve|allocate|access|initiali[sz]e|listen|parse|send"
    "|set|lock|mount|execute|find|acquire|establish|register|reach"
)

# What runtimes, shells and servers say: at the start, behind a time, or behind where it comes from.
SENTENCES = (
    Way("a traceback of Python", r"(?:[+| ]{0,8})(?:Exception Group )?Traceback (?:[a-z]+ ){0,3}\(most recent call last\)(?::|$)",
        "Traceback (most recent call last):", "error", "Traceback is on", None, "CPython's traceback, Nim"),
    Way("a panic of Go", r"(?:http: )?panic(?:\([\w ]+\))?(?:: | serving )", "panic: boom", "error",
        "panic over", None, "Go's runtime, net/http, Bun"),
    Way("a panic of Rust", r"thread '[^']*' (?:\(\d+\) )?panicked at |thread \d+ panic: ", "thread 'main' panicked at src/main.rs:3:1:", "error",
        "thread 'main' started", None, "Rust's std::panicking, Zig"),
    Way("a fatal error", r"(?:PHP )?(?:Fatal|fatal|Parse|Core|Compile|Recoverable fatal)(?: [A-Z]\w+)? error[:.]\s|(?:# )?A fatal error (?:has been|was) detected", "PHP Fatal error:  Uncaught Exception: x",
        "error", "fatal errors: 0", None, "Go's runtime, PHP, GCC, CPython, .NET, the JVM"),
    Way("a warning of PHP", r"PHP (?:Warning|Deprecated|Strict Standards|Strict standards):\s", "PHP Warning:  Undefined variable $x in /a.php on line 3",
        "warning", "PHP Warnings are off", None, "PHP's main.c"),
    Way("a notice of PHP", r"PHP Notice:\s", "PHP Notice:  Undefined index: a in /a.php on line 3", "info",
        "PHP Notices are off", None, "PHP's main.c"),
    Way("where PHP failed", r"In [\w.-]+\.php line \d+:$", "In Connection.php line 829:", "error",
        "In a.php line 3", None, "Symfony's console"),
    Way("a report of Erlang", r"=<<ERROR|WARNING|INFO>> REPORT====", "=ERROR REPORT==== 1-Feb-2026 ===",
        "error", "=FOO REPORT====", None, "Erlang/OTP's error_logger"),
    Way("a crash of Erlang", r"=(?:CRASH|SUPERVISOR) REPORT====", "2026-02-01 09:00:00 =CRASH REPORT====", "error",
        "=CRASHES====", None, "Erlang/OTP's sasl, lager"),
    Way("progress of Erlang", r"=PROGRESS REPORT====", "=PROGRESS REPORT==== 1-Feb-2026 ===", "info",
        "=PROGRESS====", None, "Erlang/OTP's sasl"),
    Way("what the kernel says of a fault", r"(?:kernel )?BUG: |Oops: |Kernel panic - ", "[  200.123456] BUG: unable to handle page fault", "error",
        "BUGS: 3", None, "the kernel"),
    Way("a warning of R", r"Warning messages?:", "Warning message:", "warning", "Warning messages 3", None, "R"),
    Way("a thread of Ruby that failed", r"#<Thread:.{1,160}> terminated with exception", "#<Thread:0x1 /a.rb:3 run> terminated with exception (x):",
        "error", "#<Thread:0x1>", None, "Ruby's thread.c"),
    Way("an exception that nobody caught", r"(?:Exception in thread |Exception ignored in|Task exception was never retrieved"
        r"|Caught: [\w.]+(?:Exception|Error)\b|Unhandled [Ee]xception|Unhandled (?:[A-Z][A-Z:-]*)?(?:Error|ERROR)\b|Unhandled [Rr]ejection|Uncaught |uncaught exception|Unhandled promise rejection|Future exception was never retrieved)",
        'Exception in thread "main" java.lang.RuntimeException: x', "error", "Exceptions: 0", None,
        "the JVM, CPython, .NET, V8"),
    Way("a cause", r"Caused by: ", "Caused by: java.io.IOException: inner", "error", "Caused trouble", None,
        "java.lang.Throwable"),
    Way("an exception in parentheses", r"\*\* \((?:[A-Z][\w.]*|EXIT from [^()]{1,40})\) ", "** (RuntimeError) boom", "error",
        "** note **", None, "Elixir's Exception.format"),
    Way("where Node failed", r"node:[\w/]+:\d+$", "node:internal/process/promises:288", "error",
        "node:20", None, "Node.js' node_errors.cc"),
    Way("what killed a process", r"(?:line \d+: +\d+ (?:Killed|Aborted|Segmentation fault|Bus error|Illegal instruction)\b|Segmentation fault|Bus error|Illegal instruction|Aborted \(core dumped\)|Killed$|Program received signal |Out of memory"
        r"|terminate called |SIG[A-Z]{3,6}: |double free or |free\(\): |malloc\(\): |\*\*\* stack smashing|Assertion (?:.{1,200} )?failed|out of memory: |Signal \d+: |Program crashed: |memory allocation of \d+ bytes failed|(?:[\w./-]++: )?error while loading shared libraries: |Process terminated\. |Terminating (?:app )?due to |(?:Exiting|Aborting|Stopping) due to (?:an? )?(?:fatal |previous )?errors?\b)",
        "Segmentation fault (core dumped)", "error", "Killed 3 bugs", None, "shells, glibc, libstdc++, the kernel"),
    Way("an error in words", r"(?:Error (?!logs?\b|pages?\b)(?:\d+ )?[a-z]{2,}|error (?!handling|report|logging)[a-z]+ing)(?: [^\s:]+){0,6} ?:(?:$| (?!\d[\d.,]*%?$))|Error (?!handling|report|logging)[a-z]+ing(?: [a-z]+){1,4}$|(?:An? (?:[a-z]+ )?)?[Ee]rror (?:has )?occur+ed\b|Encountered (?:an )?error|(?:Exception|[Ee]rror) (?:during|while|when) |Exception in [a-z]|[A-Z][a-z]+ error (?:in|near) (?:file |line )?\S|raised [A-Z][A-Z_.]+ : ", "Error response from daemon: no such container", "error",
        "Error rate: 0.01%", None, "programs of the command line"),
    Way("a word and a mark of exclamation", r"<<(?i:error|warning|fatal)>>! ", "Error! App '7' is not installed", "error",
        "Errors! x", None, "installers"),
    Way("a warning of Perl", r"Use of uninitialized value |Use of \S+ is deprecated|Deprecated use of ", "Use of uninitialized value $x in addition (+) at /a.pl line 9.",
        "warning", "Use of force", None, "perldiag(1)"),
    Way("an error of a runtime", r"[Rr]untime error(?:: | \d+ at )", "runtime error: index out of range", "error",
        "Runtime errors: 0", None, "Go, UBSan, Pascal, Gleam"),
    Way("what a checker of memory found", r"Invalid (?:read|write|free)\b.{0,20}(?: of size \d+| / delete)|Conditional jump or move depends on", "==12== Invalid read of size 4", "error",
        "Invalid reading", None, "Valgrind"),
    Way("an error of Clojure", r"(?:Execution|Syntax) error .*at .*\(", "Execution error (ExceptionInfo) at shop.core/take (core.clj:12).", "error",
        "Execution error rate", None, "Clojure's main.clj"),
    Way("a failure in words", r"[Ff]ailed to [a-z]+ |Failed with ", "2026/02/01 09:00:00 failed to connect to bank", "error",
        "Failed tomatoes", None, "programs in Go, systemd, Bundler"),
    Way("what could not be done", rf"(?:[Uu]nable to|[Cc]annot|[Cc]an't|[Cc]ould not) (?:{DONE}) (?!image |.*, (?:start|us|fall|skip|ignor|retry|creat)ing |.*, (?:will|but|all) )", "Could not open the Qt platform plugin", "error",
        "Cannot load previous state, starting fresh", None, "programs of all kinds"),
    Way("what a linker misses", r"undefined reference to |undefined symbol: |multiple definition of |undefined: ", "/usr/bin/ld: main.o: undefined reference to `foo'", "error",
        "undefined behaviour", None, "GNU ld, lld, Go's compiler"),
    Way("a code of an error", r"ERR_[A-Z][A-Z0-9_]+\b", "ERR_PNPM_NO_SCRIPT  Missing script: x", "error",
        "ERRATIC", None, "Node's and package managers' codes"),
    Way("a server's own failure", r"Internal [Ss]erver [Ee]rror(?:: |$)|(?:Bad Gateway|Service Unavailable|Gateway Timeout): /",
        "Internal Server Error: /pay", "error", "Internal Server Errors: 0", None, "RFC 9110's phrases of 5xx; Django"),
    Way("a client's failure", r"(?:Bad Request|Unauthorized|Forbidden|Not Found|Method Not Allowed|Gone|Conflict|Too Many Requests): /",
        "Not Found: /x", "warning", "Not Found in the list", None, "RFC 9110's phrases of 4xx; Django"),
    Way("npm's words", r"npm <<ERR!|error|WARN|warn|notice|info>> ", "npm ERR! code ELIFECYCLE", "error",
        "npm errors 0", None, "npm"),
    Way("a word behind a dash", r"- <<error|warn|info>> (?=[A-Z./]|\S+$)", "- warn x", "warning", "- error log rotated", None, "Next.js"),
    Way("a word before a sentence", r"<<error|warning|warn>> (?=[A-Z][a-z]|[\w.-]+: )", "error Command failed with exit code 1.", "error",
        "error pages", None, "yarn, Docusaurus"),
    Way("info before a sentence", r"info (?=[A-Z][a-z])", "info Visit the documentation", "info", "info point", None, "yarn"),
    Way("a cross", r"[⨯✖✗✘❌] ?", "⨯ Error: no stock", "error", "✓ Ready in 2s", None, "Next.js, test runners"),
    Way("a warning sign", r"⚠️?", "⚠ Invalid options detected", "warning", "☂ rain", None, "Next.js, Vite"),
    Way("a sign of information", r"ℹ️?", "ℹ Vite client warmed up", "info", "i am here", None, "Nuxt, consola"),
    Way("what crashed", r"(?:app|process|worker|server) crashed\b|(?:bin/)?ra(?:ke|ils) aborted!", "[nodemon] app crashed - waiting for changes", "error",
        "crash course", None, "nodemon, supervisors, Rake"),
)  # fmt: skip

# The same, of a shape and not of fixed words: looked for only where a line holds one of SHAPE_HINTS.
SHAPES = (
    Way("a panic that was caught", r"(?:[\w\[\]/:. -]{0,60})panic recovered:", "[Recovery] 2026/02/01 - 09:00:00 panic recovered:",
        "error", "the panic was over", None, "Gin, chi"),
    Way("a warning of a runtime", r"(?:[\w.]+\.)?[A-Za-z]*Warning: ", "/app/x.py:10: UserWarning: old", "warning",
        "Warning signs of a storm", None, "CPython's warnings, Node's process.emitWarning"),
    Way("an exception", r"(?:[A-Za-z_$][\w$]*(?:\.|::?))*(?:[A-Z][\w$]*(?:Error|Exception|Failure|Fault)|Exception)(?::|$|@\S+\(\d+\): | \[|(?= \(.*\):?$)| \(\w+\): )",
        "java.io.IOException: bank away", "error", "ErrorHandling is on", None,
        "what languages print of an exception: its class, a colon, its message"),
    Way("an exception of a module of them", r"(?:\w+\.)*(?:errors?|exceptions?|exc)\.(?:\w+\.)*[A-Z]\w*: ", "telegram.error.Conflict: terminated", "error",
        "errors.total: 3", None, "Python's packages"),
    Way("an error at a place in code", r"[A-Z]\w+ <<Error|Warning>>(?: \(\w+\))? (?:at|in) \S+:\d+\b", "CMake Error at CMakeLists.txt:12 (find_package):", "error",
        "CMake Error at length", None, "CMake"),
    Way("a failed step", r"(?:> Task :\S+ |\*\* )?[A-Z]{4,} FAILED\b(?!: ?\d| TO )|> Task :\S+ FAILED|FAILED: (?!\d)|FAILED (?=\S*[./:]\S)", "BUILD FAILED in 3s", "error",
        "TESTS FAILED: 0", None, "Gradle, Ant, Xcode, Ninja, Bazel"),
    Way("an exception in brackets", r"\[[A-Z]\w*(?:Exception|Error)\]\s*$", "[RuntimeException]", "error",
        "[ExceptionHandler] ready", None, "Symfony's console, Composer"),
    Way("where the kernel saw a fault", r"(?:traps: )?[\w.-]+\[\d+\]:? (?:general protection (?:fault|ip:)|segfault at )",
        "[  402.123456] app[77]: segfault at 0 ip 000055d5", "error", "app[77]: segfaults: 0", None, "the kernel"),
    Way("where Ruby failed", r"\S+:\d+:in [`'].*[`'].*\([A-Z][\w:]*\)$", "/app/a.rb:3:in `b': undefined method `x' (NoMethodError)",
        "error", "/app/a.rb:3:in `b'", None, "Ruby's error.c"),
    Way("where Perl died", r".{1,160} at (?:\S*[./]\S*|-e) line \d+(?:, <\w+> (?:line|chunk) \d+)?\.$", "no stock at /app/shop.pl line 12.", "error",
        "stop at the line 12.", None, "Perl's die"),
    Way("make that stopped", r"[\w-]++(?:\[\d+\])?: \*\*\* ", "make: *** [Makefile:3: all] Error 1", "error",
        "make: done ***", None, "GNU make"),
    Way("a kind of error", r"(?!(?:No|Zero|Without|Last|Log|Mean|Standard|Max|On) )[A-Z][\w()-]*(?: [\w()-]+){0,4}? (?:<<(?i:error|warning)>>(?: \([^)]*\))?|failed|exception): (?!\d[\d.,]*%?$)",
        "CUDA error: invalid argument", "error", "Mean error: 0.12", None, "libraries, the kernel, the JVM"),
    Way("a program that failed", r"(?!\d)[\w./-]{2,40} failed to [a-z]+", "taosd failed to start: no address", "error",
        "3 of them failed to appeal", None, "programs of the command line"),
    Way("a sentence of a failure", r"(?!(?:No|None|Zero|Number|Count|If|When|Whether|Only|Any|All) )[A-Z][\w./-]*(?: [\w./-]+){1,4}? failed to [a-z]+\b(?!.*: ?\d+$)", "Web server failed to start.",
        "error", "Messages that failed to send: 0", None, "programs of the command line, Spring Boot, .NET"),
    Way("a kind of error in small letters", r"(?!(?:if|on|for|with|and|or|of|by|when|after|an?|the|any|each|this|that|last|first|no|not|zero|without|mean|max|min|total|standard|log) )[a-z][\w-]{1,30} (?:error|failed): (?!\d[\d.,]*%?$)",
        "rsync error: some files were not transferred", "error", "total error: 0.12", None, "rsync, parsers, clients"),
)  # fmt: skip

EXCEPTIONS = (
    "an exception",
    "an exception of a module of them",
    "a cause",
    "an error of a runtime",
    "an exception in parentheses",
    "a sentence of a failure",
)
"""Rows of what a line before may tell of: the others announce a failure themselves."""

TOOLS = (
    "npm's words", "a word behind a dash", "a word before a sentence", "info before a sentence", "a cross",
    "a warning sign", "a sign of information", "a code of an error", "what crashed",
)  # fmt: skip
"""Rows of tools of the command line: what is indented below one need not be its own."""

# At the end of a line that begins with a program's name.
ENDINGS = (
    Way("what the system answered", r"[\w./@+-]+(?:\(\))?(?::\d+)*: .*|exec .*|(?=[A-Z])|.* \.\.\. (?=FAILED)|(?:failed|unable|cannot|could not) .*", "cp: cannot stat 'x': No such file or directory",
        "error", "404 not found", None, "strerror(3) behind the name of a program; shells"),
    Way(
        "what a program could not",
        r"[\w./@+-]+(?::\d+)*: (?:cannot|can't|could not|couldn't|unable to|does not support|invalid|Invalid|unrecognized|unknown option) ",
        "rpcbind: cannot create socket for udp6",
        "error",
        "AH00558: httpd: Could not determine the name",
        None,
        "GNU's standards for errors",
),
)  # fmt: skip
ANSWERS = (
    "No such file or directory", "Permission denied", "Connection refused", "command not found",
    "exec format error", "Exec format error", "No space left on device", "Address already in use",
    "Operation not permitted", "Is a directory", "Not a directory", "Broken pipe",
    "Read-only file system", "Cannot allocate memory", "Too many open files", "Input/output error",
    "Name or service not known", ": not found", "no such file or directory", "permission denied",
    "connection refused", "Text file busy", "does not exist", "Invalid argument", "Connection timed out",
    "No route to host", "Network is unreachable", "Host is unreachable", "Connection reset by peer",
    "Device or resource busy", "Temporary failure in name resolution", "Cannot assign requested address",
    "Resource temporarily unavailable", "File exists", "No such device", " failed", " FAILED",
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
