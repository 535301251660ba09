"""What writers call a level, and the scales on which they number it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LEVELS = ("trace", "debug", "info", "warning", "error")

NAMES = {
    "trace": "trace trc trce finest finer verbose vrb verb all",
    "debug": "debug dbg dbug debg debu fine config debug1 debug2 debug3 debug4 debug5 调试",
    "info": "info inf message information informational notice log note system success ok audit 信息",
    "warning": "warning warn wrn wrng deprecated deprecation 警告",
    "error": "error err erro eror fail failure severe critical crit fatal ftl fata panic pnc pani "
    "emerg emer emergency alert dpanic 错误 严重 致命",
}
# What databases, the JVM and GNU's tools call them in other languages (PostgreSQL's elog, java.util.logging,
# gettext): German, French, Spanish, Italian, Portuguese, Russian, Japanese, Korean, Chinese.
TRANSLATED = {
    "info": "HINWEIS INFORMATION INFOS INFORMACIÓN INFORMAZIONI INFORMAÇÕES NOTIFICA NOTA ИНФОРМАЦИЯ "
    "ЗАМЕЧАНИЕ СООБЩЕНИЕ 情報 ログ 정보 로그 알림 日志 注意",
    "warning": "WARNUNG AVERTISSEMENT ADVERTENCIA AVVERTENZA ATTENZIONE ADVERTÊNCIA AVISO "
    "ПРЕДУПРЕЖДЕНИЕ 警告 경고",
    "error": "FEHLER SCHWERWIEGEND ERREUR GRAVE ERRORE ERRO FATALE ОШИБКА ВАЖНО СЕРЬЕЗНЫЙ ПАНИКА エラー "
    "致命的エラー 오류 심각 치명적오류 致命错误",
}
LEVEL_OF_NAME = {
    name.lower(): level
    for table in (TRANSLATED, NAMES)
    for level, names in table.items()
    for name in names.split()
}
FOREIGN = "|".join(
    sorted((name for names in TRANSLATED.values() for name in names.split()), key=len, reverse=True)
)
FOREIGN_DETAILS = (
    "ANWEISUNG|TIPP|ZUSAMMENHANG|ANFRAGE|INSTRUCTION|ASTUCE|DÉTAIL|CONTEXTE|REQUÊTE|SENTENCIA|SUGERENCIA"
    "|DETALLE|CONTEXTO|DETTAGLIO|SUGGERIMENTO|CONTESTO|ISTRUZIONE|DETALHE|DICA|COMANDO|ОПЕРАТОР|ПОДСКАЗКА"
    "|ПОДРОБНОСТИ|КОНТЕКСТ|詳細|ヒント|文脈|문맥|상세정보|힌트|구문|语句|提示|详细信息|上下文|查询"
)
"""What PostgreSQL calls in those languages what it adds to an error."""

LETTERS = {
    "T": "trace", "V": "trace", "D": "debug", "I": "info", "N": "info", "W": "warning",
    "E": "error", "F": "error", "C": "error", "A": "error", "P": "error",
}  # fmt: skip
REDIS = {".": "debug", "-": "debug", "*": "info", "#": "warning"}

_OFFSET = re.compile(r"([A-Za-z]+)[+-][0-9]{1,3}")  # slog: DEBUG-4, ERROR+4


def named(word: str) -> str | None:
    """The level of a word of any case; ``ERROR+4`` is a kind of error."""
    level = LEVEL_OF_NAME.get(word.lower())
    if level is None and (found := _OFFSET.fullmatch(word)):
        level = LEVEL_OF_NAME.get(found[1].lower())
    return level


@dataclass(frozen=True)
class Scale:
    """Numbers for levels: ``fits`` says of the fields of a line whether they are meant.

    ``steps`` are the least numbers of each level, rising or falling; beyond ``low`` and ``high`` a
    number is none of this scale's.
    """

    name: str
    fits: Callable[[Mapping[str, Any]], bool]
    low: int
    high: int
    steps: tuple[tuple[int, str], ...]
    example: str
    level: str
    counter: str
    counter_level: str | None
    source: str

    def level_of(self, number: int) -> str | None:
        """The level that the number stands for."""
        if not self.low <= number <= self.high:
            return None
        found = None
        for least, level in self.steps:
            if number >= least:
                found = level
        return found


def _has(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda fields: any(name in fields for name in names)


SYSLOG_STEPS = ((0, "error"), (4, "warning"), (5, "info"), (7, "debug"))

SCALES = (
    Scale(
        "Monolog, 100 to 600", _has("channel", "level_name"), 100, 600,
        ((100, "debug"), (200, "info"), (300, "warning"), (400, "error")),
        '{"message":"Cart saved","level":250,"channel":"app","datetime":"2026-02-01"}', "info",
        '{"id":7,"level":250,"name":"hero"}', None,
        "RFC 5424 severities as Monolog numbers them (Monolog\\Level)",
    ),
    Scale(
        "Nextcloud, 0 to 4", lambda f: "reqId" in f and "app" in f, 0, 4,
        ((0, "debug"), (1, "info"), (2, "warning"), (3, "error")),
        '{"reqId":"b7","level":2,"remoteAddr":"10.0.0.1","app":"files","message":"d"}', "warning",
        '{"app":"files","level":2}', None,
        "Nextcloud's ILogger",
    ),
    Scale(
        "GELF and syslog, 0 to 7", _has("short_message", "full_message", "host", "facility"), 0, 7,
        SYSLOG_STEPS,
        '{"version":"1.1","host":"x","short_message":"boom","level":3}', "error",
        '{"id":7,"level":3,"name":"hero"}', None,
        "RFC 5424, 6.2.1; GELF 1.1",
    ),
    Scale(
        "java.util.logging, 300 to 1000", _has("loggerName", "logger", "sourceClassName"), 300, 1000,
        ((300, "trace"), (500, "debug"), (800, "info"), (900, "warning"), (1000, "error")),
        '{"level":900,"loggerName":"com.shop","message":"slow"}', "warning",
        '{"level":900,"name":"hero"}', None,
        "java.util.logging.Level",
    ),
    Scale(
        "pino and bunyan, 10 to 60",
        _has("msg", "message", "time", "hostname"), 10, 69,
        ((10, "trace"), (20, "debug"), (30, "info"), (40, "warning"), (50, "error")),
        '{"level":40,"time":1700000000000,"pid":1,"hostname":"h","msg":"slow"}', "warning",
        '{"id":7,"level":40,"name":"hero"}', None,
        "pino and bunyan",
    ),
)  # fmt: skip

# Fields that have a scale of their own, whatever stands beside them.
NUMBER_FIELDS: Mapping[str, tuple[int, int, tuple[tuple[int, str], ...]]] = {
    "levelno": (10, 50, ((10, "debug"), (20, "info"), (30, "warning"), (40, "error"))),
    "PRIORITY": (0, 7, SYSLOG_STEPS),
    "level_value": (
        5_000, 50_000,
        ((5_000, "trace"), (10_000, "debug"), (20_000, "info"), (30_000, "warning"), (40_000, "error")),
    ),
}  # fmt: skip
OPENTELEMETRY = (1, 24, ((1, "trace"), (5, "debug"), (9, "info"), (13, "warning"), (17, "error")))


def on_scale(number: int, scale: tuple[int, int, tuple[tuple[int, str], ...]]) -> str | None:
    """The level of a number on one of the scales above."""
    low, high, steps = scale
    if not low <= number <= high:
        return None
    return next((level for least, level in reversed(steps) if number >= least), None)


def syslog(priority: int) -> str | None:
    """Of a syslog priority: its lowest three bits."""
    return on_scale(priority & 7, (0, 7, SYSLOG_STEPS)) if priority < 192 else None
