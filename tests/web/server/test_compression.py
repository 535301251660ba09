"""Answers packed on their way out: what is packed, by whose wish, and that its length is blurred."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from flask import Flask, Response

from cloudbang.web.server import compression

TEXT = "a line of a page, again and again; " * 100
LARGE = TEXT * 40


@pytest.fixture
def app() -> Flask:
    made = Flask(__name__)
    made.after_request(compression.compress)
    bodies = {
        "page": Response(TEXT, mimetype="text/html"),
        "json": Response(TEXT, content_type="application/json"),
        "problem": Response(TEXT, 404, content_type="application/problem+json"),
        "large": Response(LARGE, content_type="application/json"),
        "small": Response("{}", content_type="application/json"),
        "picture": Response(TEXT, mimetype="image/png"),
        "nothing": Response(status=204, mimetype="text/html"),
    }

    @made.get("/<name>")
    def answer(name: str) -> Response:
        return bodies[name]

    @made.get("/pieces")
    def pieces() -> Response:
        def write() -> Iterator[str]:
            yield from (TEXT, TEXT)

        return Response(write(), mimetype="text/plain")

    return made


@pytest.mark.parametrize("name", ["page", "json", "problem", "large"])
def test_pages_and_json_are_packed_for_who_takes_it(app: Flask, name: str) -> None:
    """The same text, smaller, said so to caches; a problem keeps its status."""
    client = app.test_client()
    plain = client.get(f"/{name}")
    assert "Content-Encoding" not in plain.headers
    packed = client.get(f"/{name}", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 4
    assert gzip.decompress(packed.data) == plain.data
    assert packed.status_code == plain.status_code


@pytest.mark.parametrize("name", ["small", "picture", "nothing", "pieces"])
def test_what_is_small_no_text_or_written_in_pieces_is_left_alone(app: Flask, name: str) -> None:
    answer = app.test_client().get(f"/{name}", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert answer.data == app.test_client().get(f"/{name}").data


def test_who_refuses_gzip_gets_it_plain(app: Flask) -> None:
    answer = app.test_client().get("/page", headers={"Accept-Encoding": "gzip;q=0, br"})
    assert "Content-Encoding" not in answer.headers


def test_the_length_of_a_packed_answer_tells_little(app: Flask) -> None:
    """The same answer has many lengths, so that one byte more or less is not seen."""
    lengths = {len(compression.gzip(TEXT.encode())) for _ in range(400)}
    assert len(lengths) > 40
    assert max(lengths) - min(lengths) <= compression.BLUR
