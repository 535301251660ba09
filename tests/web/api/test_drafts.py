"""What a person has, read into what they might deploy."""

from __future__ import annotations

import pytest

from tests.web.web_support import WebGround

RUN = """$ docker run -d --name shop \\
    -p 8080:80 -e A=b --privileged -v data:/data \\
    nginx:1.27 nginx -g 'daemon off;'"""

SHOP = """
services:
  db:
    image: postgres:16
    privileged: true
  web:
    image: shop:${VERSION:?say which}
    user: "${WHO}"
    depends_on: [db]
    env_file: web.env
"""


NAMED = {"default": "", "required": False, "set_by": "", "line": 0, "why": ""}


def test_a_run_line_is_read(ground: WebGround) -> None:
    answer = ground.person().post("/api/v1/drafts/run_line", {"line": RUN})
    assert answer.json == {
        "name": "shop",
        "spec": {
            "image": "nginx:1.27",
            "command": ["nginx", "-g", "daemon off;"],
            "env": {"A": "b"},
            "ports": [{"published": 8080, "target": 80}],
            "volumes": [{"name": "data", "path": "/data"}],
        },
        "left": [
            {"service": "", "key": "--privileged", "why": "a service of Swarm cannot have it"}
        ],
    }


def test_what_is_not_honoured_is_said_in_the_readers_language(ground: WebGround) -> None:
    person = ground.person()
    answer = person.post(
        "/api/v1/drafts/run_line", {"line": RUN}, headers={"Accept-Language": "zh-CN"}
    )
    assert [one["why"] for one in answer.json["left"]] == ["Swarm 服务不支持"]


def test_what_is_no_run_line_is_refused_with_its_field(ground: WebGround) -> None:
    answer = ground.person().post("/api/v1/drafts/run_line", {"line": "ls -l"})
    assert (answer.status_code, answer.json["field"]) == (422, "line")


def test_a_source_without_a_dockerfile_gets_one(ground: WebGround) -> None:
    person = ground.person()
    body = {"names": ["app.py", "requirements.txt"], "texts": {"requirements.txt": "flask\n"}}
    recipe = person.post("/api/v1/drafts/recipe", body).json["recipe"]
    assert (recipe["language"], recipe["port"]) == ("python", 8000)
    assert "flask --app app:app run" in recipe["text"]
    assert person.post("/api/v1/drafts/recipe", {"names": ["x"]}).json == {"recipe": None}


def test_a_compose_file_becomes_apps(ground: WebGround) -> None:
    """Asked for what it needs first; then each service with what is wrong with it."""
    person = ground.person()
    first = person.post("/api/v1/drafts/compose", {"text": SHOP, "name": "My Shop"}).json
    assert first["name"] == "my-shop"
    assert first["services"] == []
    assert first["variables"] == [
        {**NAMED, "name": "VERSION", "required": True, "line": 7, "why": "say which"},
        {**NAMED, "name": "WHO", "line": 8},
    ]
    assert first["missing"] == ["web.env"]
    body = {
        "text": SHOP,
        "name": "My Shop",
        "variables": {"VERSION": "7", "WHO": "a b"},
        "files": {"web.env": "GREETING=hi there\n"},
    }
    found = person.post("/api/v1/drafts/compose", body).json
    db, web = found["services"]
    assert (db["app"], db["after"], db["problem"]) == ("my-shop.db", [], None)
    assert web["after"] == ["db"]
    assert web["spec"]["image"] == "shop:7"
    assert web["spec"]["env"] == {"GREETING": "hi there"}
    assert web["problem"]["field"] == "user"
    assert [(one["service"], one["key"]) for one in found["left"]] == [("db", "privileged")]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("a: [", ""),
        ("services: {a: {image: x, imagee: y}}", ""),
        ("services: {a: {image: x, env_file: /etc/passwd}}", "services.a.env_file"),
        ("services: {a: {image: x, env_file: ../x}}", "services.a.env_file"),
        ("include: ['oci://example.com/x']\nservices: {a: {image: x}}", "include"),
        ("services: {a: {extends: {file: /etc/x.yaml, service: b}}}", "services.a.extends"),
    ],
)
def test_what_is_no_compose_file_or_reaches_outside_is_refused(
    ground: WebGround, text: str, field: str
) -> None:
    answer = ground.person().post("/api/v1/drafts/compose", {"text": text})
    assert (answer.status_code, answer.json["code"]) == (422, "compose-invalid")
    assert answer.json.get("field", "") == field


def test_a_file_beside_it_is_never_written_outside(ground: WebGround) -> None:
    body = {"text": "services: {a: {image: x}}", "files": {"../../x": "y"}}
    answer = ground.person().post("/api/v1/drafts/compose", body)
    assert (answer.status_code, answer.json["field"]) == (422, "files")


@pytest.mark.parametrize("call", ["run_line", "recipe", "compose"])
def test_only_who_may_deploy_asks(ground: WebGround, call: str) -> None:
    ground.person()
    answer = ground.person("eve", "viewer").post(f"/api/v1/drafts/{call}", {})
    assert answer.status_code == 403
