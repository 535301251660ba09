"""Reading what a request holds, into values; what cannot be used is a BadRequest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

import orjson
from flask import Response, request
from pydantic import ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from cloudbang.core.peer_json import read_json
from cloudbang.domain.lines import parse_time
from cloudbang.errors import BadRequest, UnknownField
from cloudbang.web.api.schemas.shapes import Body

Taken = TypeVar("Taken", bound=Body)

MAX_SEQ = 2**53 - 1  # what a number of JavaScript holds exactly

# What the functions below read, as JSON Schema.
SEQ = {"type": "integer", "minimum": 0, "maximum": MAX_SEQ}
TIME = {"type": "string", "format": "date-time"}
FLAG = {"enum": ["0", "1"]}


def whole(low: int, high: int, default: int) -> dict[str, object]:
    """The schema of a :func:`number`."""
    return {"type": "integer", "minimum": low, "maximum": high, "default": default}


def read_body(model: type[Taken], most: int = 0) -> Taken:
    """The JSON body as a value, of at most so many bytes where that is more than usual. Any other
    type is refused: a form of another site cannot send this one without asking first. Raises
    BadRequest, UnknownField, UnsupportedMediaType, RequestEntityTooLarge."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    if most:
        request.max_content_length = most
    data = request.get_data(cache=False)
    try:
        value = read_json(data)
    except orjson.JSONDecodeError as e:
        raise BadRequest("body", e.msg, "a JSON object") from None
    return read_value(model, value)


def read_value(model: type[Taken], value: object) -> Taken:
    """The same of what was read already. Raises BadRequest, UnknownField."""
    try:
        return model.model_validate(value)
    except ValidationError as e:
        errors = e.errors(include_url=False)
        # Before what is missing: that is mostly its right spelling.
        error = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
        name = ".".join(str(part) for part in error["loc"]) or "body"
        if error["type"] == "extra_forbidden":
            raise UnknownField(name, model.model_fields) from None
        # What was sent may be a password: it is not said back.
        raise BadRequest(name, "…", error["msg"]) from None


def number(name: str, low: int, high: int) -> int | None:
    """A whole number from the query, None when it is not there."""
    text = request.args.get(name)
    if text is None or text == "":
        return None
    if not re.fullmatch(r"[0-9]{1,16}", text) or not low <= int(text) <= high:
        raise BadRequest(name, text, f"a whole number from {low} to {high}")
    return int(text)


def seq(name: str) -> int | None:
    """A seq from the query."""
    return number(name, 0, MAX_SEQ)


def moment(name: str) -> int | None:
    """A time from the query, in nanoseconds since 1970; None when it is not there."""
    text = request.args.get(name)
    if text is None or text == "":
        return None
    try:
        # A plus that nobody encoded arrives as a space.
        return parse_time(re.sub(r" (\d\d:?\d\d)$", r"+\1", text))
    except ValueError:
        raise BadRequest(name, text, "a time such as 2026-07-01T12:00:00Z") from None


def flag(name: str, args: Mapping[str, str] | None = None) -> bool:
    """A yes or no from the query, or from another one."""
    text = (request.args if args is None else args).get(name, "")
    if text not in ("", "0", "1", "true", "false"):
        raise BadRequest(name, text, "1 or 0")
    return text in ("1", "true")


def json(value: object, status: int = 200) -> Response:
    """An answer."""
    return Response(orjson.dumps(value), status, content_type="application/json")
