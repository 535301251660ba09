"""What a program's token may not do, whosever it is: every route is tried with one of each kind.

The routes are those of test_two_teams, where each has a name: one that somebody adds and calls a
person's own, or the house's, is tried here without being named again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from tests.web.test_two_teams import ROUTES, House
from tests.web.whole_app import CHANGES, NO_ENGINE, PASSWORD

pytestmark = NO_ENGINE

# Of the routes that are a person's own ("own" above), what a program with a token may as well; all
# the others are for the person in their browser, and a route that is new is, too.
PROGRAMS_MAY = {
    ("/api/v1/me", "GET"),
    ("/api/v1/session", "POST"),
    # They change nothing; and several operations at once are each what it may do one by one.
    *((f"/api/v1/drafts/{of}", "POST") for of in ("run_line", "recipe", "compose", "git")),
    ("/api/v1/operations", "POST"),
}
# Of the routes of who manages the installation, those that are about its machine and about no account.
OF_THE_MACHINE = (
    *("/api/v1/swarm", "/api/v1/stacks", "/api/v1/storage"),
    "/api/v1/alerts/sign_of_life",
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("tokens"))
    yield made
    made.close()


def programs(house: House) -> dict[str, dict[str, str]]:
    """A token of each kind, as headers: of a person who manages everything, and the machine's."""
    rosa = house.parts.accounts.named("rosa").id
    made = {
        "viewer": house.parts.accounts.tokens.create("dashboard", "viewer", rosa)[0],
        "admin": house.parts.accounts.tokens.create("deploys", "admin", rosa)[0],
        "machine's": house.parts.accounts.tokens.create("ci", "admin")[0],
    }
    return {name: {"Authorization": f"Bearer {secret}"} for name, secret in made.items()}


def credentials_of(house: House) -> list[Any]:
    """All that was handed out, and what each account may do and signs in with."""
    tables = ("sessions", "api_tokens", "accounts", "memberships")
    return house.parts.database.read(
        lambda c: [
            [tuple(row[:4]) for row in c.execute(sa.text(f"SELECT * FROM {table}"))]
            for table in tables
        ]
    )


def test_what_is_a_persons_needs_that_person(house: House) -> None:
    """Tokens, logins, the password: a token that was found in a dashboard makes no other, ends
    nothing and guesses nothing, whatever its role and whosever it is."""
    tokens, tried = programs(house), 0
    before = credentials_of(house)
    mine = house.parts.accounts.credentials
    rosa = house.parts.accounts.named("rosa").id
    known = {
        "session_id": mine.logins_of(rosa)[0].id,
        "token_id": next(
            one.id for one in house.parts.accounts.tokens.of(rosa) if one.name == "deploys"
        ),
    }
    bodies = {
        "/api/v1/tokens": {"name": "another"},
        "/api/v1/me/password": {"old_password": PASSWORD, "new_password": PASSWORD + "!"},
    }
    for rule, method in house.routes():
        if ROUTES[rule.rule] != "own" or (rule.rule, method) in PROGRAMS_MAY:
            continue
        for name, headers in tokens.items():
            path, body = house.path(rule, **known), bodies.get(rule.rule, {})
            answer = house.ask(path, method, headers=headers, json=body)
            said = (answer.status_code, answer.json and answer.json.get("code"))
            assert said == (403, "not-allowed"), f"{method} {path} for the {name} token"
            tried += 1
    assert tried >= 18
    assert credentials_of(house) == before


def test_a_persons_token_changes_no_account(house: House) -> None:
    """It could else make what outlives it, or give its owner another password. The machine's own
    may: whoever has made it reads the disk."""
    tokens, tried = programs(house), 0
    ben = house.parts.accounts.named("ben").id
    before = credentials_of(house)
    bodies = {"POST": {"username": "eve", "password": PASSWORD}, "PATCH": {"password": PASSWORD}}
    for rule, method in house.routes():
        if ROUTES[rule.rule] != "house" or method not in CHANGES:
            continue
        if rule.rule.startswith(OF_THE_MACHINE):
            continue
        for name in ("viewer", "admin"):
            path = house.path(rule, account_id=ben)
            answer = house.ask(path, method, headers=tokens[name], json=bodies.get(method, {}))
            assert (answer.status_code, answer.json["code"]) == (403, "not-allowed"), path
            tried += 1
    assert tried >= 6
    assert credentials_of(house) == before
    body = {"username": "made", "password": PASSWORD}
    made = house.ask("/api/v1/accounts", "POST", headers=tokens["machine's"], json=body)
    assert made.status_code == 201
    house.parts.accounts.delete(made.json["id"])
