"""Numbers and times from the ends of what can be written: of nothing, and no failure."""

from __future__ import annotations

import pytest

from tests.web.web_support import WebGround

LARGE = 10**23


def test_the_number_of_nothing(ground: WebGround) -> None:
    """In every address that has one: as of any that is not there. Beyond a database's numbers, and just
    within."""
    admin = ground.person()
    rules = [rule for rule in ground.app.url_map.iter_rules() if "<int:" in rule.rule]
    assert len(rules) > 10
    for rule in rules:
        for number in (LARGE, 10**18 - 1):
            values = {
                name: number if f"<int:{name}>" in rule.rule else "x" for name in rule.arguments
            }
            path = rule.rule
            for name, value in values.items():
                path = path.replace(f"<int:{name}>", str(value)).replace(f"<{name}>", str(value))
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                body = {} if method in ("POST", "PUT", "PATCH") else None
                answer = admin.ask(method, path, body)
                assert answer.status_code < 500, (method, path, answer.text)


@pytest.mark.parametrize("name", ["second", "receivers"])
def test_the_id_of_nothing(ground: WebGround, name: str) -> None:
    admin = ground.person()
    value = LARGE if name == "second" else [LARGE]
    kinds = {"second": "receivers", "receivers": "rules"}
    body = {"name": "n", "kind": "webhook" if name == "second" else "event", name: value}
    body |= (
        {"condition": {"occurrence": "died"}}
        if name == "receivers"
        else {"address": "https://a.b/"}
    )
    assert admin.post(f"/api/v1/alerts/{kinds[name]}", body).status_code == 400


@pytest.mark.parametrize(
    "span",
    [
        "since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z",
        "until=0001-01-01T00:00:00Z",
        "since=9999-12-31T23:59:59.999999999Z",
        "since=1677-01-01T00:00:00Z&until=2262-04-12T00:00:00Z",
        "since=0001-01-01T00:00:00%2B14:00",
        "until=9999-12-31T23:59:60Z",
    ],
)
@pytest.mark.parametrize(
    "path",
    ["timeline?app=web", "lines?app=web", "apps/web/lines?", "search?q=x"],
)
def test_times_from_the_ends_of_all_time(ground: WebGround, path: str, span: str) -> None:
    """Answered to the end; or refused in words, where in UTC they have a year of more than four digits."""
    ground.log("web", ["one", "two"])
    answer = ground.program().get(f"/api/v1/{path}&{span}")
    refused = span.endswith((":60Z", "14:00"))
    assert answer.status_code == (400 if refused else 200)
    assert answer.text
