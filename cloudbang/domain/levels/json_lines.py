"""The level of a line that is a JSON object: the field that names it, at the place where writers
put it. Words inside a message, and objects that the line is about, say nothing of the line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from cloudbang.domain.levels.way import Way
from cloudbang.domain.levels.words import (
    LETTERS,
    NUMBER_FIELDS,
    OPENTELEMETRY,
    SCALES,
    named,
    on_scale,
)

WHOLE = 32 * 1024  # characters of a line that is parsed; of a longer one the first so many are read
LOOKED_AT = 8 * 1024

# In this order: a name beside a number decides.
NAME_FIELDS = (
    "level_name", "levelname", "severity_text", "severityText", "SeverityText",
    "level", "lvl", "log.level", "severity", "loglevel", "log_level", "logLevel",
    "levelName", "levelText", "level_text", "priority", "@l", "@level", "Level", "LogLevel", "Severity", "L", "LEVEL", "SEVERITY",
)  # fmt: skip
OTEL_FIELDS = ("severity_number", "severityNumber", "SeverityNumber")
FAILURES = ("err", "error", "exception", "Error", "Exception")
MESSAGES = ("msg", "message", "event")
WITHIN = ("log", "message", "msg", "MESSAGE", "textPayload")
LINE = 400  # characters of a line within a line

PLACES = (
    Way("a field that names the level", "", '{"msg":"x","severity":"ERROR"}', "error",
        '{"msg":"settings","app":{"level":"error"},"level":"info"}', "info",
        "zap, logrus, slog, log4j2, structlog, Google Cloud"),
    Way("a name beside a number", "", '{"level":400,"level_name":"WARNING","channel":"app"}',
        "warning", '{"level":"5"}', None, "Monolog"),
    Way("one letter for a field or its value", "", '{"L":"ERROR","M":"x"}', "error",
        '{"S":"E","id":7}', None, "zap's development encoder"),
    Way("the level in an object of the log's own", "", '{"log":{"level":"warn"},"message":"x"}',
        "warning", '{"data":{"level":"error"},"message":"x"}', None, "Elastic Common Schema"),
    Way("a level that is an object", "", '{"level":{"name":"INFO","value":20000},"message":"x"}',
        "info", '{"level":{"hp":3},"name":"hero"}', None, "log4j2's JsonLayout"),
    Way("a step above or below a level", "", '{"level":"ERROR+4","msg":"x"}', "error",
        '{"level":"C+4","msg":"x"}', None, "log/slog"),
    Way("MongoDB's letter", "", '{"t":{"$date":"2026-02-01"},"s":"W","c":"CONTROL"}', "warning",
        '{"t":1,"s":"W"}', None, "mongod's structured log"),
    Way("OpenTelemetry's number", "", '{"SeverityNumber":17,"Body":"x"}', "error",
        '{"SeverityNumber":99,"Body":"x"}', None, "OpenTelemetry's data model of logs"),
    Way("a message template without a level", "", '{"@t":"2026-02-01","@mt":"paid {N}"}', "info",
        '{"@timestamp":"2026-02-01"}', None, "Serilog's compact format: information is left out"),
    Way("a list of tags", "", '{"type":"log","tags":["error","plugins"],"message":"x"}', "error",
        '{"tags":["shop","error"],"message":"x"}', None, "Kibana 7"),
    Way("a line within a line", "", '{"log":"ERROR no stock\\n","stream":"stderr","time":"2026-02-01"}', "error",
        '{"message":"no ERROR here","time":"2026-02-01"}', None, "Docker's json-file, Fluent Bit"),
    Way("a failure and no level", "", '{"ts":1700000000.1,"msg":"x","err":"boom"}', "error",
        '{"ts":1700000000.1,"msg":"x","err":null}', None, "klog's JSON, logr"),
)  # fmt: skip


LevelOfLine: TypeAlias = "Callable[[str], str | None]"


def level_of_json(text: str, level_of_line: LevelOfLine) -> tuple[bool, str | None]:
    """Whether it is an object of JSON (or the beginning of one), and its level; ``level_of_line``
    says that of a line of text that the object holds."""
    fields = _fields(text)
    if fields is None:
        return False, None
    return True, _level(fields, level_of_line)


def _fields(text: str) -> Mapping[str, Any] | None:
    if len(text) <= WHOLE:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return _scan(text[:LOOKED_AT])
        return value if isinstance(value, dict) else None
    return _scan(text[:LOOKED_AT])


def _level(fields: Mapping[str, Any], level_of_line: LevelOfLine) -> str | None:
    numbers: list[Any] = []
    for name in NAME_FIELDS:
        value = fields.get(name)
        if value is None:
            continue
        if isinstance(value, Mapping):
            value = value.get("name")
        if isinstance(value, str):
            if level := _word(value):
                return level
            if value.isdecimal() and len(value) < 6 and name != "level":
                value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            numbers.append(value)
    log = fields.get("log")
    if isinstance(log, Mapping) and isinstance(word := log.get("level"), str):
        return named(word)
    for name in OTEL_FIELDS:
        if isinstance(value := fields.get(name), int):
            return on_scale(value, OPENTELEMETRY)
    for name, own in NUMBER_FIELDS.items():
        value = fields.get(name)
        if isinstance(value, str) and value.isdecimal() and len(value) < 6:
            value = int(value)
        if isinstance(value, int):
            return on_scale(value, own)
    for number in numbers:
        for scale in SCALES:
            if scale.fits(fields):
                if level := scale.level_of(number):
                    return level
                if scale.low < 10:
                    break  # it is meant, and the number is not one of it
    return _implied(fields, level_of_line) if not numbers else None


def _implied(fields: Mapping[str, Any], level_of_line: LevelOfLine) -> str | None:
    """The level of a line that has no field for it."""
    date = fields.get("t")
    if isinstance(date, Mapping) and "$date" in date:
        return LETTERS.get(str(fields.get("s"))[:1])
    if "@t" in fields and ("@mt" in fields or "@m" in fields):
        return "info"
    tags = fields.get("tags")
    if isinstance(tags, list) and tags and "type" in fields and isinstance(tags[0], str):
        return named(tags[0])
    failed = any(_says(fields.get(name)) for name in FAILURES)
    if failed and any(name in fields for name in MESSAGES) and _timed(fields):
        return "error"
    return _within(fields, level_of_line)


def _within(fields: Mapping[str, Any], level_of_line: LevelOfLine) -> str | None:
    """The level of the line that a line holds."""
    for name in WITHIN:
        value = fields.get(name)
        if isinstance(value, str) and value:
            return level_of_line(value[:LINE])
    return None


def _word(value: str) -> str | None:
    if len(value) > 20:
        return None
    word = value.strip(" []<>:")
    return named(word) or (LETTERS.get(word) if len(word) == 1 else None)


def _timed(fields: Mapping[str, Any]) -> bool:
    return any(name in fields for name in ("ts", "time", "timestamp", "@timestamp", "Timestamp"))


def _says(value: object) -> bool:
    return isinstance(value, str | dict) and bool(value)


_TOKEN = re.compile(
    r'"((?:[^"\\]++|\\.)*+)"(\s*:\s*(?:"([^"\\]{1,20})"|(-?[0-9]{1,9})\b)?)?|[{}\[\]]'
)


def _scan(text: str) -> Mapping[str, Any] | None:
    """The fields of one that is cut or very long, of its own and not of what is in it: names with
    short texts and whole numbers."""
    if not re.match(r'\{\s*"(?:[^"\\]|\\.)*"\s*:', text):
        return None
    fields: dict[str, Any] = {}
    inside: list[str] = []
    for found in _TOKEN.finditer(text):
        mark = found[0]
        if mark in "{[":
            inside.append(mark)
        elif mark in "}]":
            if inside:
                inside.pop()
        elif inside == ["{"] and found[2]:
            value = found[3] if found[3] is not None else found[4]
            if value is not None:
                fields.setdefault(found[1], found[3] if found[3] is not None else int(value))
            else:
                fields.setdefault(found[1], None)
    return fields


def examples() -> Iterable[Way]:
    """The places and the scales, as rows."""
    yield from PLACES
    for s in SCALES:
        yield Way(s.name, "", s.example, s.level, s.counter, s.counter_level, s.source)
