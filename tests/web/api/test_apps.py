"""Apps, lines, downloads and events over HTTP."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from time import thread_time
from typing import Any

import orjson
import pytest
from openapi_spec_validator import validate

from cloudbang.domain.events import Event
from cloudbang.errors import BadRequest
from cloudbang.web.api.search import matcher
from tests.support import wait_until
from tests.web.api.test_account import code
from tests.web.web_support import Client, WebGround

TEXTS = ["hello", "ERROR boom", "\x1b[31mred\x1b[0m \x1b[1mtext", "级别 INFO 你好", "level=warn x"]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebGround]:
    """An app "web" with ten lines, the texts above twice, and one of long lines."""
    made = WebGround(tmp_path_factory.mktemp("web"))
    made.log("web", TEXTS * 2)
    made.log("long", ["x" * 1_000_000 for _ in range(40)])
    yield made
    made.close()


@pytest.fixture(scope="module")
def program(full: WebGround) -> Client:
    return full.program("viewer")


def seqs(program: Client, query: str, app: str = "web") -> list[int]:
    answer = program.get(f"/api/v1/apps/{app}/lines?{query}")
    assert answer.status_code == 200, answer.text
    return [line[0] for line in answer.json["lines"]]


def test_lines_as_the_contract_says(program: Client) -> None:
    """Rows of seq, time, container, stream and text; first and next beside them."""
    body = program.get("/api/v1/apps/web/lines?limit=2").json
    assert body == {
        "lines": [
            [1, "2025-06-15T15:06:40.000000000Z", "ba9876543210", "stderr", "hello"],
            [2, "2025-06-15T15:06:41.000000000Z", "0123456789ab", "stdout", "ERROR boom"],
        ],
        "levels": [None, "error"],
        "entries": [],
        "first": 1,
        "next": 11,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", list(range(1, 11))),
        ("after=0&limit=3", [1, 2, 3]),
        ("after=8", [9, 10]),
        ("after=10", []),
        ("after=9007199254740991", []),
        ("before=4", [1, 2, 3]),
        ("before=4&limit=2", [2, 3]),
        ("after=2&before=5", [3, 4]),
        ("since=2025-06-15T15:06:47Z", [8, 9, 10]),
        ("since=2025-06-15T23:06:47%2B08:00", [8, 9, 10]),
        ("since=2025-06-15T23:06:47+08:00", [8, 9, 10]),
        ("until=2025-06-15T15:06:42Z", [1, 2, 3]),
        ("until=2025-06-15T15:06:42.999Z&limit=1", [3]),
        ("since=2025-06-15T15:06:42Z&until=2025-06-15T15:06:43Z", [3, 4]),
        ("container=0123456789ab", [2, 4, 6, 8, 10]),
        ("container=" + "0123456789ab" + "0" * 52, [2, 4, 6, 8, 10]),
        ("stream=stderr", [1, 4, 7, 10]),
        ("stream=marker", []),
        ("stream=stderr&container=0123456789ab", [4, 10]),
        ("q=boom", [2, 7]),
        ("q=BOOM", [2, 7]),
        ("q=BOOM&case=1", []),
        ("q=red+text", [3, 8]),
        ("q=%E4%BD%A0%E5%A5%BD", [4, 9]),
        ("q=h.llo", []),
        ("q=h.llo&regex=1", [1, 6]),
        ("q=%5EERROR%5Cb&regex=1&case=1", [2, 7]),
        ("q=2025", []),
        ("level=error", [2, 7]),
        ("level=error&level=warning", [2, 5, 7, 10]),
        ("level=none", [1, 3, 4, 6, 8, 9]),
        ("level=info&q=nothing", []),
        ("q=o&limit=1&before=8", [7]),
    ],
)
def test_which_lines(program: Client, query: str, expected: list[int]) -> None:
    """Every filter, alone and together."""
    assert seqs(program, query) == expected


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=١", "limit"),
        ("after=-1", "after"),
        ("after=1.5", "after"),
        ("after=99999999999999999999", "after"),
        ("before=x", "before"),
        ("since=yesterday", "since"),
        ("since=2025-13-01T00:00:00Z", "since"),
        ("since=2025-06-15", "since"),
        ("until=9999999999", "until"),
        ("container=web", "container"),
        ("container=0123456789abc", "container"),
        ("container=../../etc", "container"),
        ("stream=stdin", "stream"),
        ("q=(&regex=1", "q"),
        ("q=(?%3Dx)&regex=1", "q"),
        ("q=" + "x" * 1001, "q"),
        ("q=(.{1000}){1000}&regex=1", "q"),
        ("regex=yes", "regex"),
        ("level=loud", "level"),
    ],
)
def test_values_that_cannot_be_used(program: Client, query: str, name: str) -> None:
    """400, and the problem document names the parameter."""
    answer = program.get(f"/api/v1/apps/web/lines?{query}")
    assert code(answer) == (400, "bad-request")
    assert answer.json["name"] == name


def test_a_pattern_cannot_hold_the_server(full: WebGround, program: Client) -> None:
    """The patterns that make other engines take years are linear here."""
    full.log("evil", ["a" * 50_000])
    assert seqs(program, "q=(a*)*b&regex=1", "evil") == []
    assert seqs(program, "q=(a|aa)%2B$&regex=1", "evil") == [1]


def test_an_answer_is_bounded_and_goes_on_from_its_cursor(program: Client) -> None:
    """Forty lines of 1 MB do not come in one answer, but all of them come."""
    found: list[int] = []
    cursor = 0
    while True:
        answer = program.get(f"/api/v1/apps/long/lines?after={cursor}&limit=5000")
        assert len(answer.data) < 17_000_000
        found += [line[0] for line in answer.json["lines"]]
        if "cursor" not in answer.json:
            break
        assert answer.json["cursor"] == found[-1]
        cursor = answer.json["cursor"]
    assert found == list(range(1, 41))


def test_a_bounded_answer_backwards_keeps_the_newest(program: Client) -> None:
    """With only before, what does not fit is older."""
    answer = program.get("/api/v1/apps/long/lines?before=41&limit=5000").json
    got = [line[0] for line in answer["lines"]]
    assert got[-1] == 40
    assert answer["cursor"] == got[0] > 1


@pytest.mark.parametrize(
    "name", ["nothing", "..", ".", "...", "a%20b", "a%00b", "%2e%2e", "x" * 129, "web%0a", "ｗeb"]
)
@pytest.mark.parametrize(
    "rest", ["", "/lines", "/download", "/events", "/seq?time=2025-06-15T15:06:47Z"]
)
def test_apps_that_are_not(program: Client, name: str, rest: str) -> None:
    """404 for what is no app, and no name reaches the disk that is not one."""
    assert program.get(f"/api/v1/apps/{name}{rest}").status_code == 404


def test_apps_of_which_only_lines_are_left(program: Client) -> None:
    """They are listed with their last line, as gone."""
    listed: dict[str, Any] = {a["name"]: a for a in program.get("/api/v1/apps").json["apps"]}
    assert {"web", "long"} <= set(listed)
    web = program.get("/api/v1/apps/web").json
    assert web == listed["web"]
    assert (web["state"], web["instances"], web["next"]) == ("gone", [], 11)
    assert web["last_line"][0] == 10
    assert len(listed["long"]["last_line"][4]) <= 300


def test_download_as_text_is_what_the_files_hold(full: WebGround, program: Client) -> None:
    """The lines with their frame, byte by byte, as an attachment."""
    answer = program.get("/api/v1/apps/web/download?stream=stderr")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert re.fullmatch(
        r'attachment; filename="web-\d{8}-\d{6}\.log"', answer.headers["Content-Disposition"]
    )
    on_disk = b"".join(
        line
        for path in sorted(Path(full.store.root).glob("default/web/*.log"))
        for line in path.read_bytes().splitlines(keepends=True)
        if line[44:50] == b"stderr"
    )
    assert answer.data == on_disk
    assert len(on_disk.splitlines()) == 4


def test_download_as_json_lines(program: Client) -> None:
    """One object a line, with the same filters."""
    answer = program.get("/api/v1/apps/web/download?format=jsonl&level=error")
    rows = [orjson.loads(line) for line in answer.data.splitlines()]
    assert [row["seq"] for row in rows] == [2, 7]
    assert rows[0] == {
        "seq": 2,
        "time": "2025-06-15T15:06:41.000000000Z",
        "container": "0123456789ab",
        "stream": "stdout",
        "text": "ERROR boom",
        "level": "error",
    }


def test_a_download_has_the_names_of_containers_that_are_gone(
    full: WebGround, program: Client
) -> None:
    """Where they are asked for: as text in place of the ids, as JSON beside them."""
    at = "2025-06-15T15:06:40.000000000Z"
    full.events.add(Event("web", at, "create", "0123456789ab", {"name": "web-1-old"}))
    full.events.add(Event("web", at, "remove", "0123456789ab", {"name": "web-1"}))
    plain = program.get("/api/v1/apps/web/download").data
    named = program.get("/api/v1/apps/web/download?names=1").data
    assert named == plain.replace(b" 0123456789ab ", b" web-1 ")
    assert named != plain
    answer = program.get("/api/v1/apps/web/download?format=jsonl&names=1&level=error")
    first = orjson.loads(answer.data.splitlines()[0])
    assert (first["container"], first["instance"]) == ("0123456789ab", "web-1")


def test_download_of_much_is_streamed(program: Client) -> None:
    """40 MB come in pieces, all of them."""
    answer = program.get("/api/v1/apps/long/download")
    assert answer.is_streamed
    assert sum(map(len, answer.iter_encoded())) == 40 * (1_000_000 + 52)


def test_a_download_ends_with_the_session(full: WebGround) -> None:
    """Who is signed out while it runs gets no more, and not the end that the whole has."""
    client = full.person("leaving", "viewer")
    answer = client.get("/api/v1/apps/long/download")
    pieces = answer.iter_encoded()
    assert next(pieces)
    client.delete("/api/v1/session")
    with pytest.raises(BrokenPipeError):
        next(filter(None, pieces))  # nothing is sent of an empty one


def test_bad_values_are_said_before_a_download_starts(program: Client) -> None:
    """A problem document rather than a broken file."""
    assert code(program.get("/api/v1/apps/web/download?q=(&regex=1"))[0] == 400
    assert code(program.get("/api/v1/apps/web/download?format=pdf"))[0] == 400


def test_jump_to_a_time(program: Client) -> None:
    """The seq of the first line at or after it; the next seq when there is none."""
    path = "/api/v1/apps/web/seq?time="
    assert program.get(path + "2025-06-15T15:06:43.5Z").json == {"seq": 5}
    assert program.get(path + "2000-01-01T00:00:00Z").json == {"seq": 1}
    assert program.get(path + "2050-01-01T00:00:00Z").json == {"seq": 11}
    assert code(program.get("/api/v1/apps/web/seq"))[0] == 400


def test_events_of_an_app(full: WebGround, program: Client) -> None:
    """As they are kept, oldest first, within a span."""
    times = [f"2025-06-15T15:06:4{n}.000000000Z" for n in range(3)]
    for time in times:
        full.events.add(Event("web", time, "die", "0123456789ab", {"exit_code": 137}))
    found = program.get(f"/api/v1/apps/web/events?since={times[1]}").json["events"]
    assert [event["time"] for event in found] == times[1:]
    assert found[0]["data"] == {"exit_code": 137}
    assert len(program.get("/api/v1/apps/web/events?limit=1").json["events"]) == 1


def test_status(full: WebGround, program: Client) -> None:
    """Version, disk use and what is wrong. That no engine answers is wrong once one was asked."""
    body = program.get("/api/v1/status").json
    assert body["storage"]["lines"] >= 50
    assert (body["engine"], body["notices"]) == ({"state": "starting", "error": None}, [])
    full.inventory.start()
    wait_until(lambda: full.inventory.engine_state == "down")
    full.inventory.stop()
    body = program.get("/api/v1/status").json
    assert [notice["code"] for notice in body["notices"]] == ["engine-unreachable"]
    assert body["engine"]["state"] == "down"


def test_healthz_needs_nothing_and_tells_nothing(full: WebGround) -> None:
    """A supervisor learns that the process answers, and no more."""
    answer = full.nobody().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_metrics_name_apps_only_to_those_with_an_account(full: WebGround, program: Client) -> None:
    """Prometheus needs no account for numbers; names of apps need a token."""
    anonymous = full.nobody().get("/metrics")
    assert anonymous.status_code == 200
    assert "cloudbang_log_lines_total" in anonymous.text
    assert "web" not in anonymous.text
    assert 'cloudbang_app_log_lines_total{app="web"} 10.0' in program.get("/metrics").text


def test_the_description_is_valid_and_complete(full: WebGround, program: Client) -> None:
    """The OpenAPI document is valid and has every route of the API, and no other."""
    document = program.get("/api/v1/openapi.json").json
    validate(document)
    described = {
        (path, method.upper()) for path, methods in document["paths"].items() for method in methods
    }
    routed = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in full.app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == routed


def test_the_description_names_every_parameter(program: Client) -> None:
    """Filters of lines are those of downloads, and each is described."""
    document = program.get("/api/v1/openapi.json").json
    by_path = {
        path: {
            p["name"]
            for p in document["paths"][f"/api/v1/apps/{{app}}/{path}"]["get"]["parameters"]
        }
        for path in ("lines", "download")
    }
    assert by_path["lines"] - {"limit"} == by_path["download"] - {"format", "names"}
    assert {"after", "before", "since", "until", "container", "stream", "q"} <= by_path["lines"]


def test_compiling_an_expression_does_not_keep_the_hub() -> None:
    """RE2 compiles with every thread waiting: what may be compiled is small, the rest refused."""
    slowest = 0.0
    for count in (20, 40, 80, 150, 300):
        started = thread_time()
        with contextlib.suppress(BadRequest):
            matcher(rf"(?i)(?:\pL|\pN|\pS){{{count}}}", regex=True)
        slowest = max(slowest, thread_time() - started)
    assert slowest < 0.1
