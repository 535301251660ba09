"""Stacks over the API, as they are kept."""

from __future__ import annotations

import orjson
import sqlalchemy as sa

from cloudbang.deploy.errors import SwarmOff
from cloudbang.domain.deploy.stack_run import Part, StackRun, Why
from cloudbang.storage.database.stacks import StackStore
from cloudbang.storage.database.tables import stack_runs
from tests.web.web_support import WebGround

WHEN = "2026-01-01T00:00:00Z"


def test_why_a_part_was_not_begun_is_said_in_the_readers_language(ground: WebGround) -> None:
    """Its facts filled in; of one that an older version has kept, as it was kept."""
    why = Why("{app} is new, and could belong to several teams: name one of {teams}", FACTS)
    parts = (Part("web", "shop.web", state="failed", why=why), Part("db", "shop.db"))
    run = StackStore(ground.database).add(StackRun(0, "shop", "ada", False, WHEN, parts))
    admin, path = ground.person(), f"/api/v1/stacks/shop/deployments/{run.id}"
    said = {
        language: [
            part["why"]
            for part in admin.ask("GET", path, headers={"Accept-Language": language}).json["parts"]
        ]
        for language in ("en", "zh")
    }
    assert said["en"] == [str(why), ""]
    assert said["zh"][0].startswith("shop.web 是新应用")
    assert "blue, {green}" in said["zh"][0]
    old = orjson.dumps([{**Part("web", "shop.web").as_json(), "why": f"{SwarmOff()} {{x}}"}])
    change = sa.update(stack_runs).values(parts=old.decode())
    ground.database.write(lambda c: c.execute(change).rowcount)
    assert admin.get(path).json["parts"][0]["why"] == f"{SwarmOff()} {{x}}"


FACTS = {"app": "shop.web", "teams": "blue, {green}"}
