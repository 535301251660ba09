"""What the lines of an app have in common, asked for: today against yesterday, since a deployment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloudbang.domain.lines import format_time
from tests.web.api.test_deployments import deployed
from tests.web.api.test_operate import WEB
from tests.web.web_support import START, WebGround

DAY = 86_400
PATH = "/api/v1/apps/web/patterns"


def at(seconds: float) -> str:
    return format_time(START + round(seconds * 1e9))


@pytest.fixture
def two_days(ground: WebGround) -> WebGround:
    """A line an hour, of which some come on the second day alone, and one on the first alone."""
    texts = []
    for hour in range(48):
        said = f"ERROR order {hour} failed" if hour % 12 == 0 else f"INFO took {hour} ms"
        texts.append("WARN disk is slow" if hour > 44 else "bye" if hour == 1 else said)
    ground.log("web", texts, step_ns=3_600_000_000_000)
    return ground


def test_today_against_yesterday(two_days: WebGround) -> None:
    """Errors first; what is new says so by what came before; what is no more stands last."""
    me = two_days.person()
    found = me.get(f"{PATH}?since={at(DAY)}&until={at(2 * DAY)}").json
    rows = [(r["level"], r["pattern"], r["count"], r["before"]) for r in found["patterns"]]
    assert rows == [
        ("error", "ERROR order <n> failed", 2, 2),
        ("warning", "WARN disk is slow", 3, 0),
        ("info", "INFO took <duration>", 19, 21),
        (None, "bye", 0, 1),
    ]
    assert (found["sampled"], found["more"], found["others"]) == (False, 0, [0, 0])
    assert (found["before"]["since"], found["before"]["until"]) == (at(0), at(DAY))
    first = found["patterns"][0]
    assert (first["first"], first["last"], first["seq"]) == (at(24 * 3600), at(36 * 3600), 37)
    assert [count for _, count in first["hours"]] == [1, 1]
    lines = me.get("/api/v1/apps/web/lines", query_string={"q": first["expression"], "regex": "1"})
    assert [row[0] for row in lines.json["lines"]] == [1, 13, 25, 37]


def test_a_part_of_a_day_is_compared_with_the_same_of_the_day_before(two_days: WebGround) -> None:
    """Unless other times are given."""
    me = two_days.person()
    found = me.get(f"{PATH}?since={at(DAY)}&until={at(DAY + 7200)}").json
    assert (found["before"]["since"], found["before"]["until"]) == (at(0), at(7200))
    assert {r["pattern"]: (r["count"], r["before"]) for r in found["patterns"]} == {
        "ERROR order <n> failed": (1, 1),
        "INFO took <duration>": (1, 0),
        "bye": (0, 1),
    }
    other = me.get(
        f"{PATH}?since={at(DAY)}&until={at(DAY + 7200)}&against={at(3600)}&against_until={at(DAY)}&limit=1"
    ).json
    assert (other["patterns"][0]["before"], other["more"]) == (1, 2)


def test_what_is_new_since_the_last_deployment(two_days: WebGround) -> None:
    """One that came to serve; of what was not deployed here, since its newest container was made."""
    me = two_days.person()
    refused = me.get(f"{PATH}?since=deployment")
    assert (refused.status_code, refused.json["code"]) == (400, "bad-request")
    two_days.inventory._change([replace(WEB, app="web", created=at(40 * 3600))])
    found = me.get(f"{PATH}?since=deployment&until={at(2 * DAY)}").json
    assert found["deployed"] == {"time": at(40 * 3600), "deployment": None, "number": None}
    assert found["now"]["since"] == found["before"]["until"] == at(40 * 3600)
    assert [r["pattern"] for r in found["patterns"] if not r["before"]] == ["WARN disk is slow"]
    made = deployed(two_days)
    found = me.get(f"{PATH}?since=deployment").json
    assert (found["deployed"]["deployment"], found["deployed"]["number"]) == (made.id, made.number)


def test_of_several_apps_each_since_its_own_deployment(two_days: WebGround) -> None:
    """What is new in one of them is new, and stands before the rest, though another one had said it
    before; those that nobody deployed are left out."""
    me = two_days.person()
    path = "/api/v1/patterns?app=web&app=shop&app=old"
    hour = 3_600_000_000_000
    two_days.log(
        "shop",
        ["INFO took 1 ms"] * 30 + ["INFO ready"] * 17 + ["ERROR order 1 failed"],
        step_ns=hour,
    )
    two_days.log("old", ["INFO of long ago"] * 3, step_ns=hour)
    refused = me.get(f"{path}&since=deployment")
    assert (refused.status_code, refused.json["code"]) == (400, "bad-request")
    assert me.get(path).json["deployed"] is None
    made = {"web": 40 * 3600, "shop": 30 * 3600}
    two_days.inventory._change(
        [
            replace(WEB, id=f"{n}" * 64, name=app, app=app, created=at(when))
            for n, (app, when) in enumerate(made.items(), 1)
        ]
    )
    found = me.get(f"{path}&since=deployment&until={at(2 * DAY)}").json
    assert found["deployed"] == {"apps": 2, "first": at(30 * 3600), "last": at(40 * 3600)}
    assert (found["counted"], found["left"], found["undeployed"]) == (2, 0, 1)
    assert (found["now"]["since"], found["now"]["until"]) == (at(30 * 3600), at(2 * DAY))
    assert found["before"]["until"] == at(40 * 3600)
    rows = {
        row["pattern"]: {one["name"]: (one["count"], one["before"]) for one in row["apps"]}
        for row in found["patterns"]
    }
    assert rows == {
        "ERROR order <n> failed": {"shop": (1, 0), "web": (0, 2)},
        "WARN disk is slow": {"web": (3, 0)},
        "INFO ready": {"shop": (17, 0)},
        "INFO took <duration>": {"web": (5, 22), "shop": (0, 24)},
    }
    assert list(rows) == [*list(rows)[:2], "INFO ready", "INFO took <duration>"]
    day = me.get(f"{path}&since={at(DAY)}&until={at(2 * DAY)}").json
    assert day["counted"] == 3
    assert day["deployed"]["apps"] == 2


def test_what_cannot_be_asked(two_days: WebGround) -> None:
    """Times the wrong way round; an app that is none."""
    me = two_days.person()
    for query in (
        *(f"since={at(1)}&until={at(0)}", "since=yesterday", "limit=0"),
        *(f"since={at(5)}&against={at(6)}", f"since={at(5)}&against_until={at(6)}"),
    ):
        assert me.get(f"{PATH}?{query}").status_code == 400, query
    assert me.get("/api/v1/apps/nobody/patterns").status_code == 404
