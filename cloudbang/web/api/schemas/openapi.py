"""The shapes of what the HTTP API takes and gives, as JSON Schema; see ``openapi``."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "integer"}
TIME: Json = {"type": "string", "format": "date-time"}
OPTIONAL_TIME: Json = {"type": ["string", "null"], "format": "date-time"}
OPTIONAL_NUMBER: Json = {"type": ["integer", "null"]}
MODE: Json = {"enum": ["watch", "type"]}
ROLE: Json = {"type": "string", "enum": ["admin", "viewer"]}


def an_object(required: Json, optional: Json | None = None) -> Json:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


def a_list(of: Json) -> Json:
    return {"type": "array", "items": of}


def a_ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS: Json = {
    "Problem": an_object(
        {"type": TEXT, "title": TEXT, "status": NUMBER, "code": TEXT, "detail": TEXT},
        {"name": TEXT},
    ),
    "Line": {
        "description": "seq, time, container, stream, text",
        "type": "array",
        "prefixItems": [NUMBER, TIME, TEXT, {"enum": ["stdout", "stderr", "marker"]}, TEXT],
        "minItems": 5,
        "maxItems": 5,
    },
    "Instance": an_object(
        {"id": TEXT, "name": TEXT, "image": TEXT, "state": TEXT, "ports": a_list(TEXT)},
        {
            "image_id": TEXT,
            "health": {"type": ["string", "null"]},
            "created": OPTIONAL_TIME,
            "started_at": OPTIONAL_TIME,
            "finished_at": OPTIONAL_TIME,
            "restarts": NUMBER,
            "exit_code": OPTIONAL_NUMBER,
            "oom_killed": {"type": "boolean"},
            "tty": {"type": "boolean"},
            "log_driver": TEXT,
            "readable": {"type": "boolean"},
            "unreadable_reason": {"type": ["string", "null"]},
        },
    ),
    "App": an_object(
        {"name": TEXT, "team": TEXT, "state": TEXT, "instances": a_list(a_ref("Instance"))},
        {
            "stack": {"type": ["string", "null"]},
            "last_line": {"oneOf": [a_ref("Line"), {"type": "null"}]},
            "first": NUMBER,
            "next": NUMBER,
            "rate": {"type": "number"},
        },
    ),
    "Lines": an_object(
        {"lines": a_list(a_ref("Line")), "first": NUMBER, "next": NUMBER}, {"cursor": NUMBER}
    ),
    "Event": an_object(
        {
            "id": NUMBER,
            "app": TEXT,
            "time": TIME,
            "kind": TEXT,
            "container": TEXT,
            "data": {"type": "object"},
        }
    ),
    "Account": an_object(
        {"id": NUMBER, "username": TEXT, "role": ROLE, "created_at": TIME},
        {"signed_in_at": OPTIONAL_TIME},
    ),
    "Session": an_object(
        {
            "id": TEXT,
            "created_at": TIME,
            "seen_at": TIME,
            "address": TEXT,
            "agent": TEXT,
            "current": {"type": "boolean"},
        }
    ),
    "Token": an_object(
        {"id": TEXT, "name": TEXT, "role": ROLE, "own": {"type": "boolean"}, "created_at": TIME},
        {"seen_at": OPTIONAL_TIME, "token": TEXT},
    ),
    "Me": an_object(
        {
            "id": OPTIONAL_NUMBER,
            "username": TEXT,
            "role": ROLE,
            "session": TEXT,
            "csrf_token": TEXT,
            "language": TEXT,
        }
    ),
    "Status": an_object(
        {
            "version": TEXT,
            "uptime": {"type": "number"},
            "engine": {"type": "object"},
            "storage": {"type": "object"},
            "notices": a_list({"type": "object"}),
        }
    ),
    "Terminal": an_object(
        {
            "id": TEXT,
            "kind": {"enum": ["exec", "toolbox", "share"]},
            **dict.fromkeys(("app", "team", "container", "name", "image"), TEXT),
            "command": a_list(TEXT),
            **dict.fromkeys(("user", "folder", "account"), TEXT),
            "account_id": OPTIONAL_NUMBER,
            "address": TEXT,
            "started": TIME,
            "ended": OPTIONAL_TIME,
            "state": {"enum": ["running", "ended"]},
            **dict.fromkeys(("people", "columns", "rows"), NUMBER),
            "names": {**a_list(TEXT), "description": "the accounts that look"},
            "exit_code": OPTIONAL_NUMBER,
            "reason": {"type": ["string", "null"]},
            "recorded": {"type": "boolean"},
            "recording_bytes": NUMBER,
            "title": TEXT,
        }
    ),
    "NewTerminal": an_object(
        {"container": {"type": "string", "description": "12 or 64 hex digits, or its name"}},
        {
            "command": {
                "description": "a text is split as a shell would, and given to none",
                "oneOf": [TEXT, a_list(TEXT)],
            },
            "user": TEXT,
            "folder": TEXT,
            "kind": {"enum": ["exec", "toolbox"]},
        },
    ),
    "Ticket": an_object(dict.fromkeys(("T_id", "S_id", "C_id", "Md5", "url", "session"), TEXT)),
    "NewLink": an_object({"mode": MODE}),
    "Link": an_object({"mode": MODE, "key": TEXT, "url": TEXT}),
    "SetUp": an_object({"token": TEXT, "username": TEXT, "password": TEXT}),
    "SignIn": an_object({"username": TEXT, "password": TEXT}),
    "NewPassword": an_object({"old_password": TEXT, "new_password": TEXT}),
    "NewToken": an_object({"name": TEXT}, {"role": ROLE}),
    "NewAccount": an_object({"username": TEXT, "password": TEXT}, {"role": ROLE}),
    "AccountChange": an_object({}, {"role": ROLE, "password": TEXT}),
}
