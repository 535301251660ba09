"""What a start does not make anew, and that it is what would have been made."""

from __future__ import annotations

import os
from pathlib import Path

import jinja2
import pytest
from werkzeug.routing import BuildError, Map, Rule

from cloudbang.web.flask_app import CompiledTemplates, LateRule


def shown(folder: Path, **values: object) -> str:
    """The page of a process that has just begun."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        bytecode_cache=CompiledTemplates(folder / "__pycache__"),
        autoescape=True,
    )
    return environment.get_template("page.html").render(**values)


def test_a_template_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next process takes what the one before has made; when the text is another, nothing of it."""
    page = tmp_path / "page.html"
    page.write_text("Hello {{ name }}")
    assert shown(tmp_path, name="<a>") == "Hello &lt;a&gt;"
    with monkeypatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", lambda *_, **__: pytest.fail("compiled again"))
        assert shown(tmp_path, name="b") == "Hello b"
    before = page.stat()
    page.write_text("Hullo {{ name }}")
    os.utime(page, ns=(before.st_atime_ns, before.st_mtime_ns))  # however it was put there
    assert shown(tmp_path, name="b") == "Hullo b"


def test_where_nothing_may_be_written_templates_work(tmp_path: Path) -> None:
    """And what is damaged there is not used."""
    (tmp_path / "page.html").write_text("Hello {{ name }}")
    (tmp_path / "__pycache__").write_text("no folder")
    assert shown(tmp_path, name="a") == "Hello a"
    (tmp_path / "__pycache__").unlink()
    assert shown(tmp_path, name="a") == "Hello a"
    [made] = (tmp_path / "__pycache__").iterdir()
    whole = made.read_bytes()
    for damage in (b"", b"rubbish", *(whole[:n] for n in range(1, len(whole), 7))):
        made.write_bytes(damage)
        assert shown(tmp_path, name="a") == "Hello a"


ADDRESSES = ["/", "/apps/<app>/logs", "/static/<path:filename>", "/page/<int:n>"]
VALUES = [
    {},
    {"app": "a b/ü"},
    {"app": "web", "q": "x y"},
    {"filename": "js/a.js", "v": 1},
    {"n": 3},
]


@pytest.mark.parametrize("values", VALUES, ids=str)
def test_addresses_are_built_as_ever(values: dict[str, object]) -> None:
    """A rule that is made ready late gives what one that is made ready at once gives; twice."""

    def built(kind: type[Rule]) -> list[str | None]:
        rules = Map([kind(path, endpoint=str(n)) for n, path in enumerate(ADDRESSES)])
        adapter, found = rules.bind("example.com"), []
        for _ in range(2):
            for n in range(len(ADDRESSES)):
                try:
                    found.append(adapter.build(str(n), values))
                except BuildError:
                    found.append(None)
        return found

    assert built(LateRule) == built(Rule)
    assert any(built(LateRule))
