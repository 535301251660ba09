"""Files under /static: kept for ever at the address that says what they hold, and only there."""

from __future__ import annotations

import gzip
import json
import logging
import os
import time
from pathlib import Path

import gevent
import pytest
from flask import Flask, render_template_string
from gevent import monkey

from cloudbang.web.pages import assets
from tests.support import no_descriptor_left, patient

SCRIPT = "export const lines = [];\n" * 200


def make(folder: Path, mode: assets.Mode = "auto") -> Flask:
    (folder / "js" / "logs").mkdir(parents=True)
    (folder / "js" / "logs" / "log_page.js").write_text("// one")
    app = Flask(__name__, static_folder=str(folder), static_url_path="/static")
    assets.install(app, mode)
    return app


def build(folder: Path, script: str = SCRIPT) -> None:
    """What scripts/build.mjs leaves, of one page."""
    into = folder / "build"
    into.mkdir(exist_ok=True)
    for name in ("log_page-AB12.js", "shared-CD34.js"):
        (into / name).write_text(script)
        (into / f"{name}.gz").write_bytes(gzip.compress(script.encode()))
        (into / f"{name}.br").write_bytes(b"as brotli")
    (into / "log_page-EF56.css").write_text("p { }")
    (into / "manifest.json").write_text(
        json.dumps(
            {
                "pages": {
                    "logs/log_page": {
                        "script": "log_page-AB12.js",
                        "imports": ["shared-CD34.js"],
                        "style": "log_page-EF56.css",
                    }
                },
                "files": {"js/frame/boot.js": "boot-0000.js"},
                "made": [],
            }
        )
    )


def shown(app: Flask, template: str = "{{ page_files('logs/log_page').script }}") -> str:
    with app.test_request_context():
        return render_template_string(template)


# --- as built ----------------------------------------------------------------------------------


def test_a_page_is_made_of_what_was_built(tmp_path: Path) -> None:
    """Script, what it imports and style sheet by the manifest; other files by their source."""
    app = make(tmp_path)
    build(tmp_path)
    assert shown(app) == "/static/build/log_page-AB12.js"
    files = "{{ page_files('logs/log_page').imports[0] }} {{ page_files('logs/log_page').style }}"
    assert shown(app, files) == "/static/build/shared-CD34.js /static/build/log_page-EF56.css"
    assert shown(app, "{{ asset('js/frame/boot.js') }}") == "/static/build/boot-0000.js"


def test_what_was_built_is_kept_for_ever_and_the_manifest_is_not(tmp_path: Path) -> None:
    app = make(tmp_path)
    build(tmp_path)
    client = app.test_client()
    with client.get("/static/build/log_page-EF56.css") as answer:
        assert answer.text == "p { }"
        assert "immutable" in answer.headers["Cache-Control"]
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    with client.get("/static/build/manifest.json") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"


def test_who_takes_it_packed_gets_it_packed(tmp_path: Path) -> None:
    """As it was packed when it was built, the better way first; caches between are told that there
    are several forms."""
    app = make(tmp_path)
    build(tmp_path)
    client = app.test_client()
    address = "/static/build/log_page-AB12.js"
    with client.get(address, headers={"Accept-Encoding": "gzip, deflate"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert gzip.decompress(packed.data).decode() == SCRIPT
        assert "immutable" in packed.headers["Cache-Control"]
    with client.get(address, headers={"Accept-Encoding": "gzip, br"}) as better:
        assert better.headers["Content-Encoding"] == "br"
        assert better.data == b"as brotli"
        assert better.headers["Content-Type"] == "text/javascript; charset=utf-8"
    for encoding in ("identity", "gzip;q=0"):
        with client.get(address, headers={"Accept-Encoding": encoding}) as plain:
            assert "Content-Encoding" not in plain.headers
            assert plain.text == SCRIPT
            assert plain.headers["Vary"] == "Accept-Encoding"


def test_a_new_build_is_seen_while_the_server_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "LOOK_EVERY", 0.0)
    app = make(tmp_path)
    build(tmp_path)
    assert shown(app) == "/static/build/log_page-AB12.js"
    manifest = tmp_path / "build" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("AB12", "9999"))
    os.utime(manifest, ns=(time.time_ns(), time.time_ns() + 1_000_000))
    assert shown(app) == "/static/build/log_page-9999.js"


def test_a_page_that_a_new_build_calls_otherwise_keeps_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between an upgrade's build and its restart the pages of the old process still work."""
    monkeypatch.setattr(assets, "LOOK_EVERY", 0.0)
    app = make(tmp_path)
    build(tmp_path)
    assert shown(app) == "/static/build/log_page-AB12.js"
    manifest = tmp_path / "build" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("logs/log_page", "logs/page"))
    os.utime(manifest, ns=(time.time_ns(), time.time_ns() + 1_000_000))
    assert shown(app) == "/static/build/log_page-AB12.js"
    assert shown(app, "{{ page_files('logs/page').script }}") == "/static/build/log_page-AB12.js"


def test_sources_that_are_newer_than_the_build_are_served_and_it_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody looks at yesterday's page because a build was forgotten; a removed file counts."""
    monkeypatch.setattr(assets, "LOOK_EVERY", 0.0)
    app = make(tmp_path)
    other = tmp_path / "js" / "logs" / "other.js"
    other.write_text("// two")
    build(tmp_path)
    assert shown(app).startswith("/static/build/")
    later = time.time_ns() + 1_000_000_000
    other.unlink()
    os.utime(other.parent, ns=(later, later))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert shown(app).startswith("/static/~")
    said = [one for one in caplog.messages if "older than its sources" in one]
    assert len(said) == 1
    os.utime(tmp_path / "build" / "manifest.json", ns=(later, later))
    assert shown(app).startswith("/static/build/")


# --- as the sources are ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["source", "auto"])
def test_without_a_build_or_where_it_is_asked_for_the_sources_are_served(
    tmp_path: Path, mode: assets.Mode
) -> None:
    """The address that templates make is answered with an immutable file."""
    app = make(tmp_path, mode)
    if mode == "source":
        build(tmp_path)
    address = shown(app)
    assert address.endswith("/js/logs/log_page.js")
    with app.test_client().get(address) as answer:
        assert answer.data == b"// one"
        assert "immutable" in answer.headers["Cache-Control"]
        assert "max-age=31536000" in answer.headers["Cache-Control"]
    style = shown(app, "{{ page_files('logs/log_page').style }}")
    assert style.endswith("/css/logs/log_page.css")
    assert shown(app, "{{ page_files('logs/log_page').imports }}") == "()"


def test_without_a_version_or_at_an_old_one_a_file_is_not_kept(tmp_path: Path) -> None:
    """A page that was open during an upgrade still finds its files, but keeps none of them."""
    app = make(tmp_path)
    for base in ("/static", "/static/~0123456789ab"):
        with app.test_client().get(f"{base}/js/logs/log_page.js") as answer:
            assert answer.data == b"// one"
            assert answer.headers["Cache-Control"] == "no-cache"


def test_the_version_changes_with_a_file(tmp_path: Path) -> None:
    """A file that is edited has another address."""
    app = make(tmp_path)
    before = shown(app)
    path = tmp_path / "js" / "logs" / "log_page.js"
    os.utime(path, ns=(1, 1))
    one, other = (assets.Assets(tmp_path).page("logs/log_page") for _ in range(2))
    assert one.script != before
    assert one == other


def test_nothing_outside_of_the_folder_is_served(tmp_path: Path) -> None:
    """Neither a version nor the build is a way around the folder."""
    (tmp_path / "static").mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "secret.gz").write_text("secret")
    app = make(tmp_path / "static")
    build(tmp_path / "static")
    for address in (
        *("/static/~x/../../secret", "/static/~x/%2e%2e/%2e%2e/secret", "/static/~"),
        *("/static/build/../../secret", "/static/build/%2e%2e/%2e%2e/secret", "/static/build/"),
    ):
        with app.test_client().get(address, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.status_code == 404


@pytest.mark.parametrize("base", ["/static/", "/static/~0123456789ab/", "/static/build/"])
def test_a_file_has_one_address(tmp_path: Path, base: str) -> None:
    """Odd forms of it are nothing: as another address each would be kept anew, here or on the way."""
    app = make(tmp_path)
    build(tmp_path)
    name = "log_page-EF56.css" if base.endswith("build/") else "js/logs/log_page.js"
    first, _, rest = name.rpartition("/")
    with app.test_client().get(base + name) as answer:
        assert answer.status_code == 200
    for odd in (
        *(f"./{name}", f"/{name}", f"{name}/", f"{name}/.", f"x/../{name}", f"././{name}"),
        *(f"{first}/./{rest}", f"{first}//{rest}", f"{first}%2f.%2f{rest}", f".%5c{name}"),
    ):
        with app.test_client().get(base + odd) as answer:
            assert answer.status_code in (404, 308), odd
            if answer.status_code == 308:  # the router's own, to the one address
                assert answer.headers["Location"].endswith(base + name), odd


def test_looking_for_what_changed_is_done_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub goes on while some hundred files are asked for their times, and one look serves all
    who ask meanwhile."""
    app = make(tmp_path)
    looks: list[int] = []
    scan = assets._scan
    here = monkey.get_original("_thread", "get_ident")

    def scan_slowly(folder: Path) -> tuple[str, int]:
        looks.append(here())
        monkey.get_original("time", "sleep")(0.05)
        return scan(folder)

    monkeypatch.setattr(assets, "_scan", scan_slowly)
    asked = [gevent.spawn(shown, app) for _ in range(5)]
    gevent.sleep(0)
    assert not any(one.dead for one in asked)
    assert {one.get(timeout=patient(5)) for one in asked} == {shown(app)}
    assert len(looks) == 1
    assert looks[0] != here()


def test_a_page_is_drawn_where_nobody_can_look_whether_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As it was known: a want of descriptors for a moment takes no page away."""
    app = make(tmp_path)
    before = shown(app)
    monkeypatch.setattr(assets, "LOOK_EVERY", 0.0)
    with no_descriptor_left():
        assert shown(app) == before
    assert "cannot be seen" in caplog.text
