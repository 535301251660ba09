"""The description of the HTTP API (OpenAPI 3.1), made of the routes and what their views declare."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from flask import Flask, current_app
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from cloudbang import __version__
from cloudbang.web.api.operation import Operation
from cloudbang.web.api.schemas.problems import Problem
from cloudbang.web.api.schemas.shapes import Json

ABOUT = (
    "A browser has a session cookie and sends its CSRF token as X-CSRF-Token with each change; "
    "a program has a Bearer token. Errors are problem documents (RFC 9457)."
)

FORM: Json = {
    "type": "object",
    "properties": {
        "spec": {"type": "string", "contentMediaType": "application/json"},
        "team": {"type": "string"},
        "wait": {"enum": ["0", "1"]},
        "folder": {
            "type": "string",
            "format": "binary",
            "description": "the source as tar, packed or not; after spec and team, which are looked at first",
        },
    },
    "required": ["spec"],
}
"""A deployment whose source is sent with it."""


class _Schemas(GenerateJsonSchema):
    """Pydantic's, without the titles that repeat a name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def generate_definitions(self, inputs: Any) -> Any:
        found, definitions = super().generate_definitions(inputs)
        for definition in definitions.values():
            definition.pop("title", None)
        return found, definitions


def document() -> Json:
    """The whole document, of the application that serves this request; made once."""
    made: Json | None = current_app.extensions.get("cloudbang-openapi")
    if made is None:
        made = current_app.extensions["cloudbang-openapi"] = describe(current_app)
    return made


def describe(app: Flask) -> Json:
    """The whole document of an application."""
    found = list(_operations(app))
    references, schemas = _schemas([view.operation for _, _, view in found])
    paths: Json = {}
    for path, method, view in found:
        paths.setdefault(path, {})[method] = _described(path, method, view, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "CloudBang", "version": __version__, "description": ABOUT},
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "cloudbang_session"},
            },
        },
    }


def _operations(app: Flask) -> Iterator[tuple[str, str, Any]]:
    """Path, method and view of every call, in the order of their paths."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        if hasattr(view, "operation"):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield path, method.lower(), view


def _schemas(operations: list[Operation]) -> tuple[dict[Any, Json], Json]:
    """Where each model is referred to, and all of them by name."""
    modes: dict[Any, JsonSchemaMode] = {Problem: "serialization"}
    for one in operations:
        if one.body is not None:
            modes[one.body] = "validation"
        if isinstance(one.gives, type):
            modes[one.gives] = "serialization"
    models = sorted(modes, key=lambda model: model.__name__)
    found, schema = TypeAdapter.json_schemas(
        [(model, modes[model], TypeAdapter(model)) for model in models],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Schemas,
    )
    return {model: found[model, modes[model]] for model in models}, schema["$defs"]


def _described(path: str, method: str, view: Any, references: dict[Any, Json]) -> Json:
    said: Operation = view.operation
    problem = {"application/problem+json": {"schema": references[Problem]}}
    described: Json = {
        "operationId": method + "".join(part.title() for part in _words(path)),
        "summary": _summary(view),
        "parameters": [*_of_path(path, view), *_of_query(said)],
        "responses": {
            str(said.status): _answer(said, references),
            "default": {"description": "a problem", "content": problem},
        },
    }
    if said.body is not None:
        content: Json = {"application/json": {"schema": references[said.body]}}
        if said.form:
            content["multipart/form-data"] = {"schema": FORM}
        described["requestBody"] = {"required": True, "content": content}
    if getattr(view, "open_to_all", False):
        described["security"] = []
    return described


def _answer(said: Operation, references: dict[Any, Json]) -> Json:
    answer: Json = {"description": "done"}
    if isinstance(said.gives, tuple):
        answer["content"] = {kind: {} for kind in said.gives}
    elif said.gives is not None:
        answer["content"] = {"application/json": {"schema": references[said.gives]}}
    return answer


def _of_path(path: str, view: Any) -> list[Json]:
    types = inspect.signature(view).parameters
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if types[name].annotation == "int" else "string"},
        }
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _of_query(said: Operation) -> list[Json]:
    return [
        {
            "name": name,
            "in": "query",
            "description": one.about,
            "schema": one.schema,
            "required": one.required,
        }
        for name, one in said.query.items()
    ]


def _summary(view: Any) -> str:
    """What the docstring says before it says what may be raised."""
    text = " ".join((inspect.getdoc(view) or "").split())
    return re.split(r"\.? Raises ", text)[0].rstrip(".")


def _words(path: str) -> list[str]:
    return [part.strip("{}").replace(".", "_").replace("_", "") for part in path.split("/")[3:]]
