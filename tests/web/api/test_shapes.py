"""What the document says of a body is what is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from tests.web.api.test_account import code
from tests.web.web_support import PASSWORD, WebGround


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory):
    made = WebGround(Path(tmp_path_factory.mktemp("shapes")))
    yield made
    made.close()


TERMINAL = {"container": "0123456789ab"}
WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    ("NewToken", "/api/v1/tokens", {"name": "ci", "role": "root"}, "role"),
    ("NewToken", "/api/v1/tokens", {"role": "viewer"}, "name"),
    (
        "NewAccount",
        "/api/v1/accounts",
        {"username": "x", "password": PASSWORD, "role": "x"},
        "role",
    ),
    ("NewAccount", "/api/v1/accounts", {"username": "x" * 257, "password": PASSWORD}, "username"),
    ("NewTerminal", "/api/v1/terminals", {**TERMINAL, "kind": "vm"}, "kind"),
    ("NewTerminal", "/api/v1/terminals", {**TERMINAL, "command": "x" * 8193}, "command"),
    ("NewTerminal", "/api/v1/terminals", {**TERMINAL, "command": ["x"] * 257}, "command"),
    ("NewTerminal", "/api/v1/terminals", {**TERMINAL, "command": 1}, "command"),
    ("NewTerminal", "/api/v1/terminals", {**TERMINAL, "user": "x" * 129}, "user"),
    ("NewTerminal", "/api/v1/terminals", {**TERMINAL, "folder": "/" + "x" * 4096}, "folder"),
    ("NewTerminal", "/api/v1/terminals", {"container": "x" * 257}, "container"),
    ("NewTerminal", "/api/v1/terminals", {**TERMINAL, "comand": "top"}, "comand"),
    ("NewToken", "/api/v1/tokens", {"nane": "ci"}, "nane"),
]


@pytest.mark.parametrize(("model", "path", "body", "field"), WRONG)
def test_what_the_document_forbids_is_refused(
    ground: WebGround, model: str, path: str, body: dict[str, Any], field: str
) -> None:
    """Roles, kinds and lengths are the same in both; the problem names the field."""
    admin = ground.person()
    document = admin.get("/api/v1/openapi.json").json
    schema = {"$ref": f"#/components/schemas/{model}", "components": document["components"]}
    assert not OAS31Validator(schema).is_valid(body)
    answer = admin.post(path, body)
    assert code(answer) == (400, "bad-request")
    assert answer.json["name"] == field


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "comand is no field of this call; it takes container, command, user, folder, kind"),
        ("zh", "comand 不是此调用的字段；可用的字段有：container, command, user, folder, kind"),
    ],
)
def test_a_field_that_nobody_knows_is_refused_by_name(
    ground: WebGround, language: str, said: str
) -> None:
    """Ignored, a misspelt command would be a shell that nobody asked for."""
    body = {**TERMINAL, "comand": ["rm", "-rf", "/tmp/x"]}
    headers = {"Accept-Language": language}
    answer = ground.person().ask("POST", "/api/v1/terminals", body, headers=headers)
    assert (answer.json["name"], answer.json["detail"]) == ("comand", said)
    long = ground.person().post("/api/v1/tokens", {"name": "ci", "x" * 10_000: 1})
    assert code(long) == (400, "bad-request")
    assert len(long.json["name"]) == 120


def test_every_body_refuses_what_it_does_not_know(ground: WebGround) -> None:
    """In the document as well: nothing there takes more than it names."""
    document = ground.person().get("/api/v1/openapi.json").json
    schemas = document["components"]["schemas"]
    bodies = {
        one["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for methods in document["paths"].values()
        for one in methods.values()
        if "requestBody" in one
    }
    assert "NewTerminal" in bodies
    assert {
        name for name in bodies if schemas[name].get("additionalProperties") is not False
    } == set()


def test_what_the_document_allows_is_taken(ground: WebGround) -> None:
    """A token with the maker's own role, and an account without one said."""
    admin = ground.person()
    assert admin.post("/api/v1/tokens", {"name": "own", "role": ""}).json["role"] == "admin"
    assert admin.post("/api/v1/tokens", {"name": "less", "role": "viewer"}).json["role"] == "viewer"
    made = admin.post("/api/v1/accounts", {"username": "ada", "password": PASSWORD})
    assert made.json["role"] == "viewer"
    changed = admin.patch(f"/api/v1/accounts/{made.json['id']}", {"role": "admin"})
    assert changed.json["role"] == "admin"
