"""Receivers of alerts: kept whole, or not at all."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from cloudbang.errors import StorageFull
from cloudbang.storage.database.secrets import SecretStore
from tests.web.web_support import WebGround


def test_one_whose_address_is_not_kept_is_not_there(
    ground: WebGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full by then: it would be in the list, and take no message, for ever."""

    def full(*_: Any) -> NoReturn:
        raise StorageFull("the disk")

    admin = ground.person()
    body = {"name": "hook", "kind": "webhook", "address": "https://hook.example/"}
    with monkeypatch.context() as patch:
        patch.setattr(SecretStore, "put", full)
        assert admin.post("/api/v1/alerts/receivers", body).status_code == 507
    assert admin.get("/api/v1/alerts/receivers").json == {"receivers": []}
    assert admin.post("/api/v1/alerts/receivers", body).status_code == 201
    assert len(admin.get("/api/v1/alerts/receivers").json["receivers"]) == 1
