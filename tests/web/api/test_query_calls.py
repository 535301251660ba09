"""The language of filters in each call that gives lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from tests.storage.logs.records import line
from tests.web.web_support import Client, WebGround

COUNT = 60


def _text(n: int) -> str:
    if n % 10 == 7:
        return f'{{"level":"error","msg":"pay {n}","status":{500 + n % 3},"path":"/pay/{n}"}}'
    if n % 10 == 3:
        return f'10.0.0.7 - - [01/Feb/2026:09:00:00 +0000] "GET /healthz HTTP/1.1" 503 {n}'
    if n % 10 == 4:
        return "Traceback (most recent call last):"
    if n % 10 == 5:
        return f'  File "shop.py", line {n}, in pay'
    if n % 10 == 6:
        return "ValueError: refused"
    return f"level=info status=200 took={n}ms path=/cart"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    made = WebGround(tmp_path_factory.mktemp("query"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudbang.storage.logs.app_log.BLOCK_BYTES", 512)
        for app in ("shop", "web"):
            made.log(app, [])
            made.store.append(app, [line(_text(n), n) for n in range(COUNT)])
    yield made.program("viewer")
    made.close()


def seqs(program: Client, query: str, more: str = "") -> list[int]:
    answer = program.get(f"/api/v1/apps/shop/lines?limit=500{more}&query={quote(query)}")
    assert answer.status_code == 200, answer.text
    return [line[0] for line in answer.json["lines"]]


def every(digit: int) -> list[int]:
    return [n + 1 for n in range(digit, COUNT, 10)]


def test_lines(program: Client) -> None:
    assert seqs(program, "status:>=500") == sorted(every(7) + every(3))
    assert seqs(program, "status:>=500 -path:/healthz") == every(7)
    assert seqs(program, "status:500..501 level:error path:/pay*") == [8, 28, 38, 58]
    assert seqs(program, "took:>=50ms") == [51, 52, 53, 59, 60]
    assert seqs(program, "client:10.0.0.7 status:503", "&before=20") == [4, 14]
    assert seqs(program, "level:info -took:*") == []


def test_an_entry_is_wanted_or_not_as_a_whole(program: Client) -> None:
    """Terms may hold in different lines of a trace, and what one of them has leaves out all of it."""
    whole = sorted([*every(4), *every(5), *every(6)])
    assert seqs(program, "refused shop.py") == whole
    assert seqs(program, "refused -traceback") == []
    assert seqs(program, '-"level=info" -status:*') == whole
    pages, at = [], 0
    while True:
        answer = program.get(
            f"/api/v1/apps/shop/lines?limit=1&after={at}&query=shop.py%20refused"
        ).json
        pages += [line[0] for line in answer["lines"]]
        if (at := answer.get("cursor")) is None:
            break
    assert pages == whole


def test_words_of_the_other_parameters_count_besides(program: Client) -> None:
    assert seqs(program, "status:>=500", "&q=PAY%2017") == [18]
    assert seqs(program, "status:>=500", "&q=PAY%2017&case=1") == []
    assert seqs(program, "status:>=500", "&q=pay%20[12]7&regex=1") == [18, 28]
    assert seqs(program, "status:>=500", "&level=none") == every(3)
    assert seqs(program, "level:error", "&level=warning") == []


def test_downloads_searches_and_merged_logs(program: Client) -> None:
    query = quote("status:>=500 -path:/healthz")
    text = program.get(f"/api/v1/apps/shop/download?query={query}").text
    assert [line[51:] for line in text.splitlines()] == [_text(n - 1) for n in every(7)]
    merged = program.get(f"/api/v1/lines?query={query}").json
    assert [line[0] for line in merged["lines"]] == sorted(every(7) * 2)
    found = program.get(f"/api/v1/search?query={query}").data.splitlines()
    ends: Any = orjson.loads(found[-1])
    assert (ends["op"], ends["found"]) == ("end", 12)
    assert program.get("/api/v1/search?query=level:error&app=web").data.count(b'"line":')


def test_what_is_wrong_is_said_with_its_place(program: Client) -> None:
    for call in ("apps/shop/lines", "apps/shop/download", "lines", "search"):
        answer = program.get(f"/api/v1/{call}?query=refused%20status:%3E=5oo")
        assert answer.status_code == 400
        problem = answer.json
        assert (problem["code"], problem["at"], problem["part"]) == ("bad-request", 17, "5oo")
        assert "5oo" in problem["detail"]
        assert "18" in problem["detail"]
    assert program.get("/api/v1/apps/shop/lines?query=/(/").status_code == 400
