"""The house rules that a machine can check: imports, file sizes, texts, documents."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "cloudbang"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# room -> rooms it may import from. What is not named here is a service.
INNER = {
    "domain": {"domain"},
    "store": {"store", "domain", "errors", "config", "supervise"},
    "engine": {"engine", "domain", "errors", "config", "supervise"},
    "bus": {"bus", "curve", "domain", "errors", "config"},
    "curve": {"curve", "errors"},
    "errors": {"errors"},
    "config": {"config", "errors"},
    "supervise": {"supervise", "errors"},
}
OUTERMOST = {"web", "app", "__main__"}
ONE_IMPORTER = {"docker": "engine", "zmq": "bus", "geventwebsocket": "web/sockets"}


def room_of(path: Path) -> str:
    """The first name below the package: cloudbang/web/live.py -> web."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, by its full dotted name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "cloudbang":
                found.update(f"cloudbang.{alias.name}" for alias in node.names)
    return found


def rooms_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports_of(path) if name.startswith("cloudbang.")}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_inward(path: Path) -> None:
    """A room imports only rooms further in: web -> services -> engine, bus, store -> domain."""
    room, used = room_of(path), rooms_imported(path)
    if room in INNER:
        assert used <= INNER[room], f"{room} may not import {used - INNER[room]}"
    elif room not in OUTERMOST:
        assert not used & OUTERMOST, f"{room} is a service and may not import {used & OUTERMOST}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_risky_libraries_have_one_importer(path: Path) -> None:
    """docker, zmq and geventwebsocket are each known in one room only."""
    here = str(path.relative_to(PACKAGE).with_suffix(""))
    for name in imports_of(path):
        owner = ONE_IMPORTER.get(name.split(".")[0])
        assert owner is None or here == owner or here.startswith(owner + "/"), f"{here}: {name}"


def test_domain_is_pure() -> None:
    """The domain knows the standard library and nothing of clocks, files or sockets."""
    forbidden = {"os", "socket", "time", "subprocess", "pathlib", "gevent", "threading", "random"}
    for path in (PACKAGE / "domain").glob("*.py"):
        used = {name.split(".")[0] for name in imports_of(path)}
        assert not used & forbidden, f"{path.name}: {used & forbidden}"


def test_files_stay_readable() -> None:
    """No source file grows past 400 lines: a second reason has moved in by then."""
    paths = [*SOURCES, *ROOT.glob("static/js/**/*.js"), *ROOT.glob("static/css/**/*.css")]
    long = {
        str(p.relative_to(ROOT)): n for p in paths if (n := len(p.read_text().splitlines())) > 400
    }
    assert not long


def test_pages_hold_no_inline_code_and_no_raw_html() -> None:
    """Templates carry no inline scripts, styles or |safe; scripts never write HTML from text."""
    for path in ROOT.glob("cloudbang/web/templates/**/*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text), path
        assert not re.search(r"\son\w+=|\sstyle=|\|\s*safe\b", text), path
    for path in ROOT.glob("static/js/**/*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b", text
        ), path


def test_documents_name_files_that_exist() -> None:
    """A path in backticks in a document is a path in the project."""
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        if not document.exists():
            continue
        for name in re.findall(
            r"`((?:cloudbang|tests|bench|static|conf|docs|scripts)/[\w./-]+)`", document.read_text()
        ):
            assert (ROOT / name).exists(), f"{document.name} names {name}, which does not exist"
