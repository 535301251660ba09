"""Lines put by other programs: validated, stored, and back as fact."""

from __future__ import annotations

import os
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.bus import HEADER, Malformed, Message, Publisher, Subscriber
from cloudbang.domain.lines import is_record, row
from cloudbang.intake.logs import read_put
from tests.intake.intake_support import Ground
from tests.support import DEEP, wait_until

NOW = 1_700_000_000_000_000_000
NOW_TEXT = "2023-11-14T22:13:20.000000000Z"


def test_what_is_put_comes_back_as_fact(ground: Ground) -> None:
    """A put line is stored and then published on log/<app>/ with its seq."""
    listener = Subscriber(ground.hub.subscribe_at)
    listener.subscribe("log/shop/")
    wait_until(lambda: ground.ours.wanted("log/shop/"))
    ground.put([{"text": "sold", "time": "2024-05-01T12:00:00+02:00", "stream": "stderr"}, "two"])
    fact = next(listener.batches())[0]
    header = {"v": 1, "first": 1, "next": 3, "levels": [None, None], "entries": []}
    assert orjson.loads(fact.header) == header
    first, second = orjson.loads(fact.body)
    assert first == [1, "2024-05-01T10:00:00.000000000Z", "000000000000", "stderr", "sold"]
    assert [second[0], second[2], second[3], second[4]] == [2, "0" * 12, "stdout", "two"]
    assert ground.rows()[0] == tuple(first)
    listener.close()


def test_rubbish_is_counted_and_the_rest_is_kept(ground: Ground) -> None:
    """Messages that do not parse are dropped whole and counted; those around them are stored."""
    ground.put("before")
    rubbish: list[Any] = [b"", b"{", b"\xff", 7, None, [1], {}, {"text": 5}, ["good", {"text": 1}]]
    rubbish += [{"text": "x", "time": "yesterday"}, {"text": "x", "time": 12}]
    rubbish += [{"text": "x", "stream": "marker"}, {"text": "x", "container": "../../etc"}]
    rubbish += [
        {"text": "x", "time": f"2026-01-01T00:00:00{zone}"} for zone in ("+99:99", "-24:00")
    ]
    rubbish += [["x"] * 5001, "\n" * 6000]
    for body in rubbish:
        ground.put(body)
    ground.put("x", header=b'{"v":2}')
    ground.put("x", header=b"no")
    odd = ["../evil", "..", "a" * 129, ".hidden", ".lock", ".terminals", "-rf", "a/b", "", "a\nb"]
    for app in odd:
        ground.put("x", app=app)
    ground.put("after")
    wait_until(lambda: ground.store.next_seq("shop") == 3)
    assert [r[4] for r in ground.rows()] == ["before", "after"]
    assert ground.intake.dropped.total() == len(rubbish) + 2 + len(odd)
    assert ground.store.apps() == ["shop"]


def test_many_publishers_lose_nothing(ground: Ground) -> None:
    """Lines of several apps and publishers are all stored, each publisher's in its order."""
    others = [Publisher(ground.hub.publish_to) for _ in range(3)]
    for other in others:
        wait_until(lambda other=other: other.wanted("put/log/a/"))
    for n in range(200):
        for i, other in enumerate(others):
            header = orjson.dumps({"v": 1, "source": f"program {i}"})
            other.send(f"put/log/{'ab'[n % 2]}/", header, orjson.dumps([f"{i} {n}"]))
    wait_until(lambda: ground.intake.lines == 600)
    for app, parity in (("a", 0), ("b", 1)):
        found = ground.rows(app)
        assert [r[0] for r in found] == list(range(1, 301))
        sources = {r[2] for r in found}
        assert len(sources) == 3
        for i in range(3):
            texts = [r[4] for r in found if r[4].startswith(f"{i} ")]
            assert texts == [f"{i} {n}" for n in range(parity, 200, 2)]
    for other in others:
        other.close()


def test_a_full_disk_makes_it_wait(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store has no room nothing is lost or stored twice; it goes on by itself."""
    ground.put("before")
    wait_until(lambda: ground.store.next_seq("shop") == 2)
    ask = os.statvfs
    full = os.statvfs_result((4096, 4096, 1000, 0, 0, 1000, 1000, 1000, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: full)
    wait_until(lambda: ground.put("early") or ground.store.health is not None)
    waiting = ground.store.next_seq("shop")
    ground.put("patient")
    monkeypatch.setattr(os, "statvfs", ask)
    wait_until(lambda: ground.rows()[-1][4] == "patient")
    texts = [r[4] for r in ground.rows()]
    assert texts == ["before", *["early"] * (len(texts) - 2), "patient"]
    assert waiting < ground.store.next_seq("shop")


def put(body: bytes, header: bytes = HEADER) -> list[bytes]:
    app, _, records = read_put(Message("put/log/shop/", header, body), NOW)
    assert app == "shop"
    return records


def test_a_text_of_several_lines_is_several_lines() -> None:
    """A text is cut at its line ends; a last one ends no further line."""
    texts = [row(1, r)[4] for r in put(orjson.dumps({"text": "one\r\ntwo\n\nfour\n"}))]
    assert texts == ["one", "two", "", "four"]


def test_a_message_that_is_too_large_is_counted(ground: Ground) -> None:
    """256 KiB are plenty; who puts a little more is told by the counter, and puts on."""
    ground.put("x" * (256 * 1024 - 2))
    ground.put("x" * (256 * 1024 - 1))
    ground.put("after")
    wait_until(lambda: ground.store.next_seq("shop") == 3)
    assert ground.intake.dropped.total("size") == 1


def test_who_sends_far_too_much_is_disconnected_and_comes_back(ground: Ground) -> None:
    """No part of what comes from outside is larger than half a mebibyte, whatever it is."""
    ground.put("x" * (600 * 1024))

    def put() -> int:
        ground.put("after")
        return ground.store.next_seq("shop") > 1

    wait_until(put)
    assert {text for *_, text in ground.rows()} == {"after"}


def test_a_line_over_a_mebibyte_is_cut_and_says_so() -> None:
    """Of a text that is too long beginning and end are kept, in whole characters, and the note says
    between them how much is not."""
    (found,) = put(orjson.dumps("é" * 700_000))
    text = row(1, found)[4]
    assert len(text.encode()) <= 1024 * 1024
    assert "bytes of a line longer than 1 MiB] …é" in text
    assert text.startswith("éé")
    assert text.endswith("éé")
    assert "\ufffd" not in text


def test_the_source_stands_in_the_containers_place() -> None:
    """The same source always gets the same twelve hex digits; a container's own id wins."""
    header = b'{"v":1,"source":"cron"}'
    (one,), (two,) = put(b'"x"', header), put(b'"y"', header)
    assert one[31:43] == two[31:43] != b"0" * 12
    (own,) = put(orjson.dumps({"text": "x", "container": "ab" * 32}), header)
    assert own[31:43] == b"ab" * 6
    assert row(1, put(b'"x"')[0])[1] == NOW_TEXT


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["text", "time", "container", "stream", "x"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(json)
def test_whatever_comes_is_whole_records_or_malformed(body: object) -> None:
    """Any JSON value gives records that the store can keep, or Malformed; never anything else."""
    try:
        found = put(orjson.dumps(body))
    except Malformed:
        return
    assert all(is_record(raw) and raw.count(b"\n") == 1 for raw in found)


@pytest.mark.parametrize("name", ["time", "container", "stream", "text"])
def test_what_is_nested_deeply_is_malformed(name: str) -> None:
    """What is wrong with it is told in words, in which it cannot stand."""
    with pytest.raises(Malformed):
        put(f'[{{"text":"x","{name}":{DEEP}}}]'.encode())
    with pytest.raises(Malformed):
        put(b'"x"', f'{{"v":{DEEP}}}'.encode())
