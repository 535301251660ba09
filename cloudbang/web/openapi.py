"""The description of the HTTP API (OpenAPI 3.1), written as a table and unfolded on demand."""

from __future__ import annotations

import functools
from typing import Any

from cloudbang import __version__

Json = dict[str, Any]

_T: Json = {"type": "string"}
_N: Json = {"type": "integer"}
_TIME: Json = {"type": "string", "format": "date-time"}
_OPT_TIME: Json = {"type": ["string", "null"], "format": "date-time"}
_OPT_N: Json = {"type": ["integer", "null"]}
_MODE: Json = {"enum": ["watch", "type"]}
_ROLE: Json = {"type": "string", "enum": ["admin", "viewer"]}


def _object(required: Json, optional: Json | None = None) -> Json:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


def _list(of: Json) -> Json:
    return {"type": "array", "items": of}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS: Json = {
    "Problem": _object(
        {"type": _T, "title": _T, "status": _N, "code": _T, "detail": _T}, {"name": _T}
    ),
    "Line": {
        "description": "seq, time, container, stream, text",
        "type": "array",
        "prefixItems": [_N, _TIME, _T, {"enum": ["stdout", "stderr", "marker"]}, _T],
        "minItems": 5,
        "maxItems": 5,
    },
    "Instance": _object(
        {"id": _T, "name": _T, "image": _T, "state": _T, "ports": _list(_T)},
        {
            "image_id": _T,
            "health": {"type": ["string", "null"]},
            "created": _OPT_TIME,
            "started_at": _OPT_TIME,
            "finished_at": _OPT_TIME,
            "restarts": _N,
            "exit_code": _OPT_N,
            "oom_killed": {"type": "boolean"},
            "tty": {"type": "boolean"},
            "log_driver": _T,
            "readable": {"type": "boolean"},
            "unreadable_reason": {"type": ["string", "null"]},
        },
    ),
    "App": _object(
        {"name": _T, "team": _T, "state": _T, "instances": _list(_ref("Instance"))},
        {
            "stack": {"type": ["string", "null"]},
            "last_line": {"oneOf": [_ref("Line"), {"type": "null"}]},
            "first": _N,
            "next": _N,
            "rate": {"type": "number"},
        },
    ),
    "Lines": _object({"lines": _list(_ref("Line")), "first": _N, "next": _N}, {"cursor": _N}),
    "Event": _object(
        {
            "id": _N,
            "app": _T,
            "time": _TIME,
            "kind": _T,
            "container": _T,
            "data": {"type": "object"},
        }
    ),
    "Account": _object(
        {"id": _N, "username": _T, "role": _ROLE, "created_at": _TIME}, {"signed_in_at": _OPT_TIME}
    ),
    "Session": _object(
        {
            "id": _T,
            "created_at": _TIME,
            "seen_at": _TIME,
            "address": _T,
            "agent": _T,
            "current": {"type": "boolean"},
        }
    ),
    "Token": _object(
        {"id": _T, "name": _T, "role": _ROLE, "own": {"type": "boolean"}, "created_at": _TIME},
        {"seen_at": _OPT_TIME, "token": _T},
    ),
    "Me": _object(
        {
            "id": _OPT_N,
            "username": _T,
            "role": _ROLE,
            "session": _T,
            "csrf_token": _T,
            "language": _T,
        }
    ),
    "Status": _object(
        {
            "version": _T,
            "uptime": {"type": "number"},
            "engine": {"type": "object"},
            "storage": {"type": "object"},
            "notices": _list({"type": "object"}),
        }
    ),
    "Terminal": _object(
        {
            "id": _T,
            "kind": {"enum": ["exec", "toolbox", "share"]},
            **dict.fromkeys(("app", "team", "container", "name", "image"), _T),
            "command": _list(_T),
            **dict.fromkeys(("user", "folder", "account"), _T),
            "account_id": _OPT_N,
            "address": _T,
            "started": _TIME,
            "ended": _OPT_TIME,
            "state": {"enum": ["running", "ended"]},
            **dict.fromkeys(("people", "columns", "rows"), _N),
            "names": _list(_T),
            "names": {**_list(_T), "description": "the accounts that look"},
            "exit_code": _OPT_N,
            "reason": {"type": ["string", "null"]},
            "recorded": {"type": "boolean"},
            "recording_bytes": _N,
            "title": _T,
        }
    ),
    "NewTerminal": _object(
        {"container": {"type": "string", "description": "12 or 64 hex digits, or its name"}},
        {
            "command": {
                "description": "a text is split as a shell would, and given to none",
                "oneOf": [_T, _list(_T)],
            },
            "user": _T,
            "folder": _T,
            "kind": {"enum": ["exec", "toolbox"]},
        },
    ),
    "Ticket": _object(dict.fromkeys(("T_id", "S_id", "C_id", "Md5", "url", "session"), _T)),
    "NewLink": _object({"mode": _MODE}),
    "Link": _object({"mode": _MODE, "key": _T, "url": _T}),
    "SetUp": _object({"token": _T, "username": _T, "password": _T}),
    "SignIn": _object({"username": _T, "password": _T}),
    "NewPassword": _object({"old_password": _T, "new_password": _T}),
    "NewToken": _object({"name": _T}, {"role": _ROLE}),
    "NewAccount": _object({"username": _T, "password": _T}, {"role": _ROLE}),
    "AccountChange": _object({}, {"role": _ROLE, "password": _T}),
}

_FILTERS: dict[str, tuple[Json, str]] = {
    "after": (_N, "lines with a greater seq"),
    "before": (_N, "lines with a smaller seq; alone, the last of them"),
    "since": (_TIME, "lines of this time or later"),
    "until": (_TIME, "lines of this time or earlier; alone, the last of them"),
    "container": (_T, "lines of this container: 12 or 64 hex digits"),
    "stream": ({"enum": ["stdout", "stderr", "marker"]}, "lines of this stream"),
    "q": (_T, "lines whose text holds this, without its colour codes"),
    "regex": ({"enum": ["0", "1"]}, "1: q is a regular expression in RE2's syntax"),
    "case": ({"enum": ["0", "1"]}, "1: q tells capitals from small letters"),
    "level": (
        _list({"enum": ["trace", "debug", "info", "warning", "error", "none"]}),
        "lines of these levels; none: lines that do not say",
    ),
}
_LIMIT = {"limit": ({"type": "integer", "minimum": 1, "maximum": 5000, "default": 500}, "at most")}

_TERMINALS: Json = {"terminals": _list(_ref("Terminal"))}

# path -> method -> (what it does, schema of the body, of the answer, status, query)
PATHS: dict[str, dict[str, tuple[str, str, Any, int, dict[str, tuple[Json, str]]]]] = {
    "/api/v1/setup": {
        "post": ("Makes the first account and signs it in", "SetUp", "Account", 201, {})
    },
    "/api/v1/session": {
        "post": ("Signs in: the answer brings the session's cookie", "SignIn", None, 204, {}),
        "delete": ("Signs out", "", None, 204, {}),
    },
    "/api/v1/me": {"get": ("Who is asking, with the CSRF token", "", "Me", 200, {})},
    "/api/v1/me/password": {
        "post": ("Changes the own password; other sessions end", "NewPassword", None, 204, {})
    },
    "/api/v1/sessions": {
        "get": ("The own sessions", "", {"sessions": _list(_ref("Session"))}, 200, {})
    },
    "/api/v1/sessions/{session_id}": {"delete": ("Ends an own session", "", None, 204, {})},
    "/api/v1/tokens": {
        "get": ("The own API tokens", "", {"tokens": _list(_ref("Token"))}, 200, {}),
        "post": ("Makes an API token, shown in this answer only", "NewToken", "Token", 201, {}),
    },
    "/api/v1/tokens/{token_id}": {"delete": ("Revokes an own API token", "", None, 204, {})},
    "/api/v1/accounts": {
        "get": ("Every account (admin)", "", {"accounts": _list(_ref("Account"))}, 200, {}),
        "post": ("Makes an account (admin)", "NewAccount", "Account", 201, {}),
    },
    "/api/v1/accounts/{account_id}": {
        "patch": ("Changes role or password (admin)", "AccountChange", "Account", 200, {}),
        "delete": ("Deletes an account (admin)", "", None, 204, {}),
    },
    "/api/v1/apps": {"get": ("Every app", "", {"apps": _list(_ref("App"))}, 200, {})},
    "/api/v1/apps/{app}": {"get": ("One app with its instances", "", "App", 200, {})},
    "/api/v1/apps/{app}/lines": {
        "get": (
            "Lines, oldest first. A search that ran out of time, or an answer that grew too "
            "large, has a cursor: go on with after=cursor, or with before=cursor where only "
            "before or until was given",
            "",
            "Lines",
            200,
            {**_FILTERS, **_LIMIT},
        )
    },
    "/api/v1/apps/{app}/download": {
        "get": (
            "Every line that passes the filters, as a file",
            "",
            None,
            200,
            {"format": ({"enum": ["text", "jsonl"]}, "text unless said"), **_FILTERS},
        )
    },
    "/api/v1/apps/{app}/seq": {
        "get": (
            "The seq of the first line at or after a time",
            "",
            {"seq": _N},
            200,
            {"time": (_TIME, "required")},
        )
    },
    "/api/v1/apps/{app}/events": {
        "get": (
            "Events, oldest first: the newest of those asked for",
            "",
            {"events": _list(_ref("Event"))},
            200,
            {"since": _FILTERS["since"], "until": _FILTERS["until"], **_LIMIT},
        )
    },
    "/api/v1/terminals": {
        "get": (
            "The own running terminals",
            "",
            _TERMINALS,
            200,
            {"all": ({"enum": ["0", "1"]}, "1: everybody's (admin)")},
        ),
        "post": (
            "A ticket that opens a terminal in a container, once, within 60 s (admin)",
            "NewTerminal",
            "Ticket",
            201,
            {},
        ),
    },
    "/api/v1/terminals/history": {
        "get": (
            "The audit list, newest first: the own terminals, for an admin everybody's",
            "",
            {**_TERMINALS, "next": _OPT_N},
            200,
            {
                "app": (_T, "terminals of this app"),
                "account": (_T, "terminals of whoever is called so"),
                "before": (_N, "go on: what next said"),
                "limit": ({"type": "integer", "minimum": 1, "maximum": 500}, "50 unless said"),
            },
        )
    },
    "/api/v1/terminals/{session}": {
        "get": ("A terminal, running or ended", "", "Terminal", 200, {}),
        "delete": ("Ends a terminal and every process of it", "", None, 204, {}),
    },
    "/api/v1/terminals/{session}/recording": {
        "get": ("What it printed, as asciicast v2 (application/x-asciicast)", "", None, 200, {})
    },
    "/api/v1/terminals/{session}/folder": {
        "get": ("The folder its foreground process works in", "", {"folder": _T}, 200, {})
    },
    "/api/v1/terminals/{session}/files": {
        "get": (
            "A file of its container as it is, or a folder as a tar",
            "",
            None,
            200,
            {"path": (_T, "required")},
        )
    },
    "/api/v1/terminals/{session}/links": {
        "post": (
            "A fresh link to watch, or to type; the older one of its kind is void",
            "NewLink",
            "Link",
            201,
            {},
        ),
        "delete": ("Voids the links; who typed through one watches", "", None, 204, {}),
    },
    "/api/v1/status": {"get": ("How CloudBang itself does", "", "Status", 200, {})},
    "/api/v1/openapi.json": {
        "get": ("This document", "", {}, 200, {}),
    },
}
OPEN = {("/api/v1/setup", "post"), ("/api/v1/session", "post")}


@functools.cache
def document() -> Json:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CloudBang",
            "version": __version__,
            "description": "A browser has a session cookie and sends its CSRF token as X-CSRF-Token "
            "with each change; a program has a Bearer token. Errors are problem documents (RFC 9457).",
        },
        "security": [{"token": []}, {"session": []}],
        "paths": {
            path: {method: _operation(path, method, *row) for method, row in methods.items()}
            for path, methods in PATHS.items()
        },
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "cloudbang_session"},
            },
        },
    }


def _operation(
    path: str, method: str, text: str, body: str, answer: Any, status: int, query: dict[str, Any]
) -> Json:
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _N if name == "account_id" else _T,
        }
        for name in _names(path)
    ]
    parameters += [
        {
            "name": name,
            "in": "query",
            "description": about,
            "schema": schema,
            "required": about == "required",
        }
        for name, (schema, about) in query.items()
    ]
    good: Json = {"description": "done"}
    if isinstance(answer, str):
        good["content"] = {"application/json": {"schema": _ref(answer)}}
    elif answer is not None:
        good["content"] = {"application/json": {"schema": _object(answer)}}
    problem = {"application/problem+json": {"schema": _ref("Problem")}}
    operation: Json = {
        "operationId": method + "".join(part.title() for part in _words(path)),
        "summary": text,
        "parameters": parameters,
        "responses": {
            str(status): good,
            "default": {"description": "a problem", "content": problem},
        },
    }
    if body:
        content = {"application/json": {"schema": _ref(body)}}
        operation["requestBody"] = {"required": True, "content": content}
    if (path, method) in OPEN:
        operation["security"] = []
    return operation


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _words(path: str) -> list[str]:
    return [part.strip("{}").replace(".", "_").replace("_", "") for part in path.split("/")[3:]]
