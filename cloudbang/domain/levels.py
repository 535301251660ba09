"""How bad a line is, read off its text: trace, debug, info, warning, error, or nothing at all.

Every log format says it differently; the tables below hold the ways that are common. The page
decides the same way in ``static/js/logs/levels.js``, so that a filter shows the same lines whether
the server or the browser applies it: its tables are made of these (``scripts/generate.py``), and
``tests/data/levels.json`` holds both to the same answers. So the expressions are written as Python
and JavaScript both read them: without flags, lookbehind, or classes that differ beyond ASCII.
"""

from __future__ import annotations

import re

from cloudbang.domain.ansi import strip

LEVELS = ("trace", "debug", "info", "warning", "error")

LOOKED_AT = 2048
"""Characters of a line that are looked at: a level that far in is not what its writer meant."""

WORD_WITHIN = 160
"""Characters within which a bare word such as ``ERROR`` counts as the level of the line."""

# What writers call a level -> what it is called here.
NAMES = {
    "trace": "trace trc trce finest finer verbose vrb verb all",
    "debug": "debug dbg dbug debu fine config debug1 debug2 debug3 debug4 debug5 调试",
    "info": "info inf information informational notice log note system success ok 信息",
    "warning": "warning warn wrn wrng 警告",
    "error": "error err erro eror fail failure severe critical crit fatal ftl fata panic pnc pani "
    "emerg emergency alert dpanic 错误 严重 致命",
}
LEVEL_OF_NAME = {name: level for level, names in NAMES.items() for name in names.split()}

SYSLOG = ("error", "error", "error", "error", "warning", "info", "info", "debug")
PYTHON = ("debug", "info", "warning", "error", "error")  # 10, 20, …, 50
GLOG = {"I": "info", "W": "warning", "E": "error", "F": "error"}
REDIS = {".": "debug", "-": "debug", "*": "info", "#": "warning"}
MONGO = {"F": "error", "E": "error", "W": "warning", "I": "info", "D": "debug"}

JSON_FIELD = re.compile(
    r'"(?:level|lvl|severity|levelname|log\.level|loglevel|log_level|level_name|@l|@level|levelno'
    r'|severity_text|severityText|LogLevel|Level|Severity)"\s*:\s*(?:"([^"]{1,20})"|([0-9]{1,3})\b)'
)
MONGO_JSON = re.compile(r'^\{"t":\{"\$date":"[^"]*"\},\s*"s":\s*"([FEWID])')
LOGFMT = re.compile(
    r'(?:^|[\s,{])(?:level|lvl|severity|loglevel|log_level|log\.level)[=:] ?"?([A-Za-z]{2,13})\b'
)
PRIORITY = re.compile(r"^<([0-9]{1,3})>")
KLOG = re.compile(r"^([IWEF])[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}")
REDIS_LINE = re.compile(r"^[0-9]+:[XCSM] [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:.]{8,15} ([.\-*#]) ")
# A word in capitals that stands alone, a word of any case in brackets, a word with a colon where a
# line or its message starts. The leftmost of them is the level.
WORD = re.compile(
    r"(?:^|[\s\[(<|.:\"'}\-])"
    r"(TRACE|DEBUG[1-5]?|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|CRIT|SEVERE|PANIC"
    r"|EMERG|ALERT|LOG(?=:  )|TRC|DBG|INF|WRN|ERR|FTL|PNC|TRCE|DEBU|ERRO|FATA|PANI|FINEST|FINER|FINE)"
    r"(?=$|[\s\])>|:,\[\"'(])"
    r"|[\[(<【]\s*([A-Za-z]{3,13}|调试|信息|警告|错误|严重|致命)\s*[\])>】]"
    r"|(?:^|[0-9Z\])]\s+)(trace|debug|info|information|notice|warn|warning|error|err|fatal|critical|crit"
    r"|fail|trce|dbug|panic|verbose|调试|信息|警告|错误|严重|致命)(?:\[[0-9]+\])?[::]"
)
HINT = re.compile(r"[A-Z]{3}|[\[(<【::]")  # without one of these WORD finds nothing
FAILURE = re.compile(
    r"^(?:Traceback \(most recent call last\):|panic: |fatal error: |Exception in thread \""
    r"|Unhandled exception|Unhandled Exception|Caused by: |Uncaught "
    r"|(?:[A-Za-z_$][A-Za-z0-9_$]*[.:]{1,2})*[A-Z][A-Za-z0-9_$]*(?:Error|Exception|Failure)(?::|$| \[)"
    r"|thread '[^']*' panicked at |Segmentation fault)"
)


def _named(word: str) -> str | None:
    return LEVEL_OF_NAME.get(word.lower())


def _numbered(number: int, python: bool) -> str | None:
    """A level given as a number: syslog's and GELF's 0-7, Python's 10-50, pino's and bunyan's 10-60."""
    if number < 8:
        return SYSLOG[number]
    steps = PYTHON if python else LEVELS
    return steps[min(number // 10, len(steps)) - 1] if number >= 10 else None


def _level_of_json(text: str) -> str | None:
    """The field that names the level; words inside its message say nothing about it."""
    if found := MONGO_JSON.match(text):
        return MONGO[found[1]]
    for found in JSON_FIELD.finditer(text):
        if found[1] is None:
            level = _numbered(int(found[2]), found[0].startswith('"levelno"'))
        else:
            level = _named(found[1])
        if level:
            return level
    return None


def level_of(text: bytes | str) -> str | None:
    """The level a line gives itself, or None. Costs a few µs; never raises."""
    if isinstance(text, bytes):
        text = text[: LOOKED_AT * 4].decode("utf-8", "replace")
    text = text[:LOOKED_AT]
    text = strip(text).lstrip(" \t\r")
    if text.startswith("{"):
        return _level_of_json(text)
    if found := PRIORITY.match(text):
        return SYSLOG[int(found[1]) & 7]
    if found := KLOG.match(text):
        return GLOG[found[1]]
    if found := REDIS_LINE.match(text):
        return REDIS[found[1]]
    # Cheap looks first: `in` is many times faster than a search that finds nothing.
    if "l=" in text or "l:" in text or "y=" in text or "y:" in text:
        for found in LOGFMT.finditer(text):
            if level := _named(found[1]):
                return level
    head = text[:WORD_WITHIN]
    if FAILURE.match(head):
        return "error"
    if not HINT.search(head):
        return None
    for found in WORD.finditer(head):
        if level := _named(found[1] or found[2] or found[3]):
            return level
    return None
