"""Files under /static: kept for ever at the address of their version, and only there."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from flask import Flask, render_template_string

from cloudbang.web.pages import assets


def make(folder: Path) -> Flask:
    (folder / "js").mkdir()
    (folder / "js" / "live.js").write_text("// one")
    app = Flask(__name__, static_folder=str(folder), static_url_path="/static")
    assets.install(app)
    return app


def base(app: Flask) -> str:
    with app.test_request_context():
        return render_template_string("{{ static }}")


def test_at_its_version_a_file_is_kept_for_ever(tmp_path: Path) -> None:
    """The address that templates make is answered with an immutable file."""
    app = make(tmp_path)
    with app.test_client().get(f"{base(app)}/js/live.js") as answer:
        assert answer.data == b"// one"
        assert "immutable" in answer.headers["Cache-Control"]
        assert "max-age=31536000" in answer.headers["Cache-Control"]


def test_without_a_version_or_at_an_old_one_a_file_is_not_kept(tmp_path: Path) -> None:
    """A page that was open during an upgrade still finds its files, but keeps none of them."""
    app = make(tmp_path)
    for address in ("/static/js/live.js", "/static/~0123456789ab/js/live.js"):
        with app.test_client().get(address) as answer:
            assert answer.data == b"// one"
            assert answer.headers["Cache-Control"] == "no-cache"


def test_the_version_changes_with_a_file(tmp_path: Path) -> None:
    """A file that is edited has another address."""
    app = make(tmp_path)
    before = base(app)
    path = tmp_path / "js" / "live.js"
    os.utime(path, ns=(1, 1))
    assert assets.Assets(tmp_path).base != before
    assert assets.Assets(tmp_path).base == assets.Assets(tmp_path).base


def test_nothing_outside_of_the_folder_is_served(tmp_path: Path) -> None:
    """A version is no way around the folder."""
    (tmp_path / "static").mkdir()
    (tmp_path / "secret").write_text("secret")
    client = make(tmp_path / "static").test_client()
    for address in ("/static/~x/../../secret", "/static/~x/%2e%2e/%2e%2e/secret", "/static/~"):
        with client.get(address) as answer:
            assert answer.status_code == 404


def test_who_takes_it_packed_gets_it_packed(tmp_path: Path) -> None:
    """The same bytes either way, and caches between are told that there are two forms."""
    app = make(tmp_path)
    text = "export const lines = [];\n" * 200
    (tmp_path / "js" / "long.js").write_text(text)
    address = f"{base(app)}/js/long.js"
    client = app.test_client()
    with client.get(address, headers={"Accept-Encoding": "gzip, br"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data).decode() == text
        assert "immutable" in packed.headers["Cache-Control"]
    for encoding in ("identity", "gzip;q=0"):
        with client.get(address, headers={"Accept-Encoding": encoding}) as plain:
            assert "Content-Encoding" not in plain.headers
            assert plain.text == text
            assert plain.headers["Vary"] == "Accept-Encoding"
