"""Writes the files of the pages' JavaScript that are made of what Python declares.

``make generated`` runs it; ``tests/test_generated.py`` fails while one of them is out of date.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flask import Flask  # noqa: E402

from cloudbang.domain import levels  # noqa: E402
from cloudbang.web import api_blueprints  # noqa: E402
from cloudbang.web.api.openapi import describe  # noqa: E402

MADE = "// Made by scripts/generate.py of {source}: change it there, then `make generated`.\n"


def level_tables() -> str:
    """The tables of ``domain/levels`` as a module."""
    level, text = "/** @type {readonly Level[]} */", "/** @type {Record<string, Level>} */"
    said = ", ".join(f'"{name}"' for name in levels.LEVELS)
    rows = [
        MADE.format(source="cloudbang/domain/levels.py"),
        f"/** @typedef {{{said.replace(', ', ' | ')}}} Level */\n",
        "/** From harmless to bad. @type {readonly Level[]} */",
        f"export const LEVELS = [{said}];\n",
        f"export const LOOKED_AT = {levels.LOOKED_AT}; // characters of a line that are looked at",
        f"export const WORD_WITHIN = {levels.WORD_WITHIN}; // and for a bare word such as ERROR\n",
        "/** What writers call a level. @type {Record<Level, string>} */",
        f"export const NAMES = {_object(levels.NAMES)};\n",
    ]
    for name in ("SYSLOG", "PYTHON"):
        rows += [level, f"export const {name} = {_list(getattr(levels, name))};"]
    for name in ("GLOG", "REDIS", "MONGO"):
        rows += [text, f"export const {name} = {_object(getattr(levels, name))};"]
    rows.append("")
    for name in ("MONGO_JSON", "PRIORITY", "KLOG", "REDIS_LINE", "HINT", "FAILURE"):
        rows.append(f"export const {name} = {_expression(getattr(levels, name), '')};")
    for name in ("JSON_FIELD", "LOGFMT", "WORD"):
        rows.append(f"export const {name} = {_expression(getattr(levels, name), 'g')};")
    return "\n".join(rows) + "\n"


def api_types() -> str:
    """What the HTTP API takes and gives, as types."""
    app = Flask(__name__)
    for blueprint in api_blueprints():
        app.register_blueprint(blueprint)
    rows = [MADE.format(source="cloudbang/web/api/schemas")]
    for name, schema in describe(app)["components"]["schemas"].items():
        if about := schema.get("description"):
            rows.append(f"/** {' '.join(about.replace('``', '`').split())} */")
        rows.append(f"export type {name} = {_type(schema)};\n")
    return "\n".join(rows)


def _type(schema: dict[str, Any]) -> str:
    """TypeScript's word for a JSON Schema, of the kinds that pydantic makes of our shapes."""
    match schema:
        case {"$ref": reference}:
            return str(reference).rsplit("/", 1)[1]
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return " | ".join(json.dumps(value) for value in values)
        case {"anyOf": kinds}:
            return " | ".join(_type(kind) for kind in kinds)
        case {"prefixItems": kinds}:
            return f"[{', '.join(_type(kind) for kind in kinds)}]"
        case {"type": "array", "items": kind}:
            one = _type(kind)
            return f"({one})[]" if " " in one else f"{one}[]"
        case {"type": "object", "properties": properties}:
            required = schema.get("required", ())
            fields = [
                f"  {name}{'' if name in required else '?'}: {_type(kind)};"
                for name, kind in properties.items()
            ]
            return "\n".join(["{", *fields, "}"])
        case {"type": "object", "additionalProperties": {"type": _} as kind}:
            return f"Record<string, {_type(kind)}>"
        case {"type": "object"}:
            return "Record<string, unknown>"
        case {"type": "integer" | "number"}:
            return "number"
        case {"type": "string" | "boolean" | "null" as kind}:
            return str(kind)
    if not schema.keys() - {"description", "default"}:
        return "unknown"
    raise ValueError(f"there is no type for {schema}")


def _list(values: tuple[str, ...]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def _object(values: dict[str, str]) -> str:
    return json.dumps(values, ensure_ascii=False)


def _expression(compiled: re.Pattern[str], flags: str) -> str:
    """The literal. The two languages read what is used there alike; a slash would end it."""
    assert compiled.flags == re.compile("").flags, "an expression for both has no flags"
    return f"/{compiled.pattern.replace('/', chr(92) + '/')}/{flags}"


FILES: dict[str, Callable[[], str]] = {
    "static/js/logs/level_tables.js": level_tables,
    "static/js/types/api.d.ts": api_types,
}


def main() -> None:
    """Write those that have changed."""
    for path, make in FILES.items():
        file, text = ROOT / path, make()
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"{path} was made again")


if __name__ == "__main__":
    main()
