"""Routes as they are kept."""

from __future__ import annotations

from pathlib import Path

from cloudbang.storage.database.database import Database
from cloudbang.storage.database.routes import KeptRoute, RouteStore


def test_routes_are_kept_by_app(tmp_path: Path) -> None:
    """The newest of an app, and none of one that has none any more."""
    database = Database(tmp_path)
    database.open()
    store = RouteStore(database)
    web = KeptRoute("web", "web.example.com", "/a", 80, 0, "web-r1", 80)
    shop = KeptRoute("shop", own_port=8181, port=3000)
    for route in (KeptRoute("web"), web, shop):
        store.save(route)
    assert store.all() == [shop, web]
    store.remove("web")
    store.remove("none")
    assert RouteStore(database).all() == [shop]
    database.close()
