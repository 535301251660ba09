"""Receivers of alerts: kept whole, or not at all."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from cloudbang.errors import StorageFull
from cloudbang.storage.database.secrets import KEY, SecretStore
from tests.web.web_support import WebGround

HOOK = {"name": "hook", "kind": "webhook", "address": "https://hook.example/"}


def test_one_whose_address_is_not_kept_is_not_there(ground: WebGround) -> None:
    """It would be in the list, and take no message, for ever."""
    admin, key = ground.person(), ground.database.path.parent / KEY
    key.write_bytes(b"cut short")
    refused = admin.post("/api/v1/alerts/receivers", HOOK)
    assert refused.status_code == 500
    assert "it does not hold 32 bytes" in refused.json["detail"]
    assert admin.get("/api/v1/alerts/receivers").json == {"receivers": []}
    key.unlink()
    assert admin.post("/api/v1/alerts/receivers", HOOK).status_code == 201
    assert len(admin.get("/api/v1/alerts/receivers").json["receivers"]) == 1


def test_a_change_and_a_deletion_are_whole(
    ground: WebGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ends them half-way: what is shown of it is what it is sent to."""

    def full(*_: Any) -> NoReturn:
        raise StorageFull("the disk")

    admin = ground.person()
    made = admin.post("/api/v1/alerts/receivers", HOOK).json
    path = f"/api/v1/alerts/receivers/{made['id']}"
    place = f"@receiver-{made['id']}"
    store = SecretStore(ground.database, ground.database.path.parent)
    kept = store.get(place, store.newest(place))
    assert kept["address"] == HOOK["address"]
    with monkeypatch.context() as patch:
        patch.setattr(SecretStore, "forget_in", full)
        other = {"address": "https://other.example/"}
        assert admin.patch(path, other).status_code == 507
        assert admin.delete(path).status_code == 507
    assert admin.get("/api/v1/alerts/receivers").json["receivers"] == [made]
    assert store.get(place, store.newest(place)) == kept
    assert admin.delete(path).status_code == 204
    assert store.newest(place) == {}
