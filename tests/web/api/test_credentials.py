"""Credentials for registries and Git hosts, as pages and programs keep them."""

from __future__ import annotations

import logging

import pytest

from tests.web.web_support import WebGround

CANARY = "canary-71c2"
URL = "/api/v1/credentials"


def test_they_are_kept_and_shown_to_nobody(
    ground: WebGround, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    person = ground.person()
    for host in ("localhost:5000", "docker.io"):
        body = {"user": "ada", "password": CANARY}
        assert person.put(f"{URL}/registry/{host}", body).status_code == 204
    person.put(f"{URL}/git/git.example.com", {"user": "x", "password": "y"})
    answer = person.get(URL)
    assert answer.json == {
        "credentials": [
            {"kind": "registry", "host": "docker.io"},
            {"kind": "registry", "host": "localhost:5000"},
            {"kind": "git", "host": "git.example.com"},
        ]
    }
    assert CANARY not in answer.text + caplog.text
    kept = ground.sources.credentials
    assert kept.get("default", "registry", "localhost:5000") == ("ada", CANARY)
    assert person.delete(f"{URL}/registry/localhost:5000").status_code == 204
    gone = person.delete(f"{URL}/registry/localhost:5000")
    assert (gone.status_code, gone.json["code"]) == (404, "no-such-credentials")


def test_what_cannot_be_used_is_refused_without_being_said_back(ground: WebGround) -> None:
    person = ground.person()
    for path, body in (
        ("registry/a b", {"user": "ada", "password": CANARY}),
        ("other/r.example.com", {"user": "ada", "password": CANARY}),
        ("registry/r.example.com", {"user": "", "password": CANARY}),
        ("registry/r.example.com", {"user": "ada", "password": f"{CANARY}\n"}),
        ("registry/r.example.com", {"user": "ada", "password": CANARY, "more": 1}),
    ):
        answer = person.put(f"{URL}/{path}", body)
        assert answer.status_code == 400, answer.text
        assert CANARY not in answer.text


def test_they_are_for_who_may_deploy(ground: WebGround) -> None:
    """In the team whose they are."""
    viewer = ground.person("vera", "viewer")
    body = {"user": "ada", "password": "x"}
    assert viewer.get(URL).status_code == 403
    assert viewer.put(f"{URL}/registry/r.example.com", body).status_code == 403
    admin = ground.person()
    assert admin.get(f"{URL}?team=other").status_code == 403
    assert admin.put(f"{URL}/registry/r.example.com?team=other", body).status_code == 403
