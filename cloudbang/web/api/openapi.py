"""The description of the HTTP API (OpenAPI 3.1), written as a table and unfolded on demand."""

from __future__ import annotations

import functools
from typing import Any

from cloudbang import __version__
from cloudbang.web.api.schemas.openapi import (
    NUMBER,
    OPTIONAL_NUMBER,
    SCHEMAS,
    TEXT,
    TIME,
    Json,
    a_list,
    a_ref,
    an_object,
)

_FILTERS: dict[str, tuple[Json, str]] = {
    "after": (NUMBER, "lines with a greater seq"),
    "before": (NUMBER, "lines with a smaller seq; alone, the last of them"),
    "since": (TIME, "lines of this time or later"),
    "until": (TIME, "lines of this time or earlier; alone, the last of them"),
    "container": (TEXT, "lines of this container: 12 or 64 hex digits"),
    "stream": ({"enum": ["stdout", "stderr", "marker"]}, "lines of this stream"),
    "q": (TEXT, "lines whose text holds this, without its colour codes"),
    "regex": ({"enum": ["0", "1"]}, "1: q is a regular expression in RE2's syntax"),
    "case": ({"enum": ["0", "1"]}, "1: q tells capitals from small letters"),
    "level": (
        a_list({"enum": ["trace", "debug", "info", "warning", "error", "none"]}),
        "lines of these levels; none: lines that do not say",
    ),
}
_LIMIT = {"limit": ({"type": "integer", "minimum": 1, "maximum": 5000, "default": 500}, "at most")}

_TERMINALS: Json = {"terminals": a_list(a_ref("Terminal"))}

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
        "get": ("The own sessions", "", {"sessions": a_list(a_ref("Session"))}, 200, {})
    },
    "/api/v1/sessions/{session_id}": {"delete": ("Ends an own session", "", None, 204, {})},
    "/api/v1/tokens": {
        "get": ("The own API tokens", "", {"tokens": a_list(a_ref("Token"))}, 200, {}),
        "post": ("Makes an API token, shown in this answer only", "NewToken", "Token", 201, {}),
    },
    "/api/v1/tokens/{token_id}": {"delete": ("Revokes an own API token", "", None, 204, {})},
    "/api/v1/accounts": {
        "get": ("Every account (admin)", "", {"accounts": a_list(a_ref("Account"))}, 200, {}),
        "post": ("Makes an account (admin)", "NewAccount", "Account", 201, {}),
    },
    "/api/v1/accounts/{account_id}": {
        "patch": ("Changes role or password (admin)", "AccountChange", "Account", 200, {}),
        "delete": ("Deletes an account (admin)", "", None, 204, {}),
    },
    "/api/v1/apps": {"get": ("Every app", "", {"apps": a_list(a_ref("App"))}, 200, {})},
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
            {"seq": NUMBER},
            200,
            {"time": (TIME, "required")},
        )
    },
    "/api/v1/apps/{app}/events": {
        "get": (
            "Events, oldest first: the newest of those asked for",
            "",
            {"events": a_list(a_ref("Event"))},
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
            {**_TERMINALS, "next": OPTIONAL_NUMBER},
            200,
            {
                "app": (TEXT, "terminals of this app"),
                "account": (TEXT, "terminals of whoever is called so"),
                "before": (NUMBER, "go on: what next said"),
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
        "get": ("The folder its foreground process works in", "", {"folder": TEXT}, 200, {})
    },
    "/api/v1/terminals/{session}/files": {
        "get": (
            "A file of its container as it is, or a folder as a tar",
            "",
            None,
            200,
            {"path": (TEXT, "required")},
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
            "schema": NUMBER if name == "account_id" else TEXT,
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
        good["content"] = {"application/json": {"schema": a_ref(answer)}}
    elif answer is not None:
        good["content"] = {"application/json": {"schema": an_object(answer)}}
    problem = {"application/problem+json": {"schema": a_ref("Problem")}}
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
        content = {"application/json": {"schema": a_ref(body)}}
        operation["requestBody"] = {"required": True, "content": content}
    if (path, method) in OPEN:
        operation["security"] = []
    return operation


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _words(path: str) -> list[str]:
    return [part.strip("{}").replace(".", "_").replace("_", "") for part in path.split("/")[3:]]
