"""The house rules that a machine can check: imports, file sizes, texts, documents."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "cloudbang"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# room -> rooms it may import from; what every room may use is in ANYWHERE.
ANYWHERE = {"errors", "config", "domain", "core"}
SERVICES = {"accounts", "apps", "deploy", "events", "gateway", "intake", "monitoring", "terminals"}
MAY_IMPORT = {
    "errors": set(),
    "config": {"errors"},
    "core": {"errors", "config"},
    "domain": {"errors"},
    "bus": ANYWHERE,
    "engine": ANYWHERE,
    "storage": ANYWHERE,
    # What sits beside an engine: what it finds goes into a sink, so that an agent can be one.
    "node": {*ANYWHERE, "engine", "bus"},
    **{service: {*ANYWHERE, *SERVICES, "engine", "bus", "storage", "node"} for service in SERVICES},
    "web": {*ANYWHERE, *SERVICES, "engine", "bus", "storage", "node"},
    "cli": {*ANYWHERE, *SERVICES, "engine", "bus", "storage", "node"},
}
OUTERMOST = {"app", "__main__"}
NOT_YET: dict[str, set[str]] = {}  # what does not keep the rule yet; each line is a debt
ONE_IMPORTER = {"docker": "engine", "zmq": "bus", "geventwebsocket": "web/server"}


def room_of(path: Path) -> str:
    """The first name below the package: cloudbang/web/live/push.py -> web."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@cache  # it is most of what these tests take
def import_nodes(path: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return tuple(node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, by its full dotted name."""
    found: set[str] = set()
    for node in import_nodes(path):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif node.module:
            found.add(node.module)
            if node.module == "cloudbang":
                found.update(f"cloudbang.{alias.name}" for alias in node.names)
    return found


def module_of(path: Path) -> str:
    """cloudbang/web/live/push.py -> web.live.push; a package by its own name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_of(path): path for path in SOURCES}


def imported_modules(path: Path) -> set[str]:
    """Every module of the package that a file imports, inside functions and for types too."""
    found: set[str] = set()
    for node in import_nodes(path):
        if isinstance(node, ast.Import):
            found.update(a.name.removeprefix("cloudbang.") for a in node.names)
        elif (node.module or "").startswith("cloudbang."):
            module = (node.module or "").removeprefix("cloudbang.")
            for alias in node.names:
                one = f"{module}.{alias.name}"
                found.add(one if one in MODULES else module)
    return found


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """The groups of modules that reach each other, in order of their names (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(graph[name]):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = set()
            while True:
                group.add(stack.pop())
                if name in group:
                    break
            if len(group) > 1:
                found.append(group)

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return sorted(found, key=sorted)


def rooms_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports_of(path) if name.startswith("cloudbang.")}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_inward(path: Path) -> None:
    """A room imports only rooms further in: web -> services -> node, storage, bus -> engine, domain."""
    room, used = room_of(path), rooms_imported(path)
    if room in OUTERMOST or room == "__init__":
        return
    used.discard("__version__")
    debt = NOT_YET.get(str(path.relative_to(PACKAGE)), set())
    assert used <= MAY_IMPORT[room] | {room} | debt, (
        f"{room} may not import {used - MAY_IMPORT[room]}"
    )


def test_no_module_imports_in_a_circle() -> None:
    """What one module takes from another is found without coming back, for types as well."""
    graph = {
        name: {found for found in imported_modules(path) if found in MODULES and found != name}
        for name, path in MODULES.items()
    }
    assert circles(graph) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_risky_libraries_have_one_importer(path: Path) -> None:
    """docker, zmq and geventwebsocket are each known in one room only."""
    here = str(path.relative_to(PACKAGE).with_suffix(""))
    for name in imports_of(path):
        owner = ONE_IMPORTER.get(name.split(".")[0])
        assert owner is None or here == owner or here.startswith(owner + "/"), f"{here}: {name}"


def test_who_reads_from_others_by_a_library_is_bounded() -> None:
    """It reads lines in loops of its own, in which nobody else has a turn: see core/bounded_file.py.
    Commands are processes of their own."""
    for path in SOURCES:
        used = imports_of(path)
        if room_of(path) != "cli" and used & {"http.client", "smtplib", "urllib.request", "ftplib"}:
            assert "cloudbang.core.bounded_file" in used, path.name


def test_who_asks_all_processes_is_told_of_those_that_run() -> None:
    """What ends between the list and the question is an exception: tests/support.py knows of it."""
    asking = [p for p in ROOT.glob("tests/**/*.py") if "process_iter(" in p.read_text()]
    assert [str(p.relative_to(ROOT)) for p in asking] == ["tests/support.py", "tests/test_house.py"]


def test_domain_is_pure() -> None:
    """The domain knows the standard library and nothing of clocks, files or sockets."""
    forbidden = {"os", "socket", "time", "subprocess", "pathlib", "gevent", "threading", "random"}
    for path in (PACKAGE / "domain").rglob("*.py"):
        used = {name.split(".")[0] for name in imports_of(path)}
        assert not used & forbidden, f"{path.name}: {used & forbidden}"


LONG = {
    # path -> why it is one room all the same
    "cloudbang/app.py": "every area is built here, and the order in which they start and end is one",
    "cloudbang/storage/logs/group_commit.py": "what waits, is written, refused or kept is one queue",
    "cloudbang/node/inventory.py": "what is known of containers, and each way in which that changes",
    "cloudbang/node/collector/follower.py": "one log, from its first reading to its end",
    "cloudbang/node/terminals/exec_source.py": "one exec, from its shell's search to its end",
    "cloudbang/web/server/websocket.py": "one connection: reading, writing and ending share state",
    "cloudbang/storage/logs/reader.py": "the blocks of a view, and each way of going through them",
    "cloudbang/storage/logs/log_store.py": "the one way to the logs: append, read, delete, forget",
    "cloudbang/terminals/session.py": "one session: what goes between its process and its people",
    "cloudbang/terminals/registry.py": "every way in which a session begins and ends, in one place",
    "static/js/logs/feed.js": "the window on a log is filled from four sides, and all of them move its edges",
    "static/js/logs/log_model.js": "the entries of the window and its edges, true together or not at all",
    "static/js/logs/merged_log.js": "the numbers of lines, pages and live lines of several apps are given out in one place, or one line has two",
    "static/js/terminal/view.js": "where the parts of one terminal meet, and nowhere else",
    # Tests of one thing, whose helpers or whose server serve all of them.
    "tests/accounts/test_accounts.py": "the one service of accounts, each promise of it",
    "tests/bus/test_bus.py": "hub, publisher and subscriber only prove something together",
    "tests/browser/test_logs.py": "the log page, over one server that starts once",
    "tests/browser/test_pages.py": "the pages around it, over one server that starts once",
    "tests/cli/test_share.py": "one command, each way in which its program or its server ends",
    "tests/faults/test_terminal_flow.py": "what goes through a terminal, both ways, in floods",
    "tests/storage/recordings/test_recordings.py": "a recording from its beginning to its end",
    "tests/web/test_two_teams.py": "one table of what each route owes, over one house that starts once",
    "tests/web/live/test_live.py": "what a live socket owes to who subscribes",
    "tests/web/server/test_websocket.py": "RFC 6455: good and bad input, slow peers, both closes",
}


def test_what_a_name_is_stands_once() -> None:
    """Names of apps and ids of containers are looked at by ``domain/names``, for everybody."""
    pattern = re.compile(r"0-9a-f\]\{12\}|A-Za-z0-9_\.?-?\]\[A-Za-z0-9_|A-Za-z0-9_\.-\]\{1,128\}")
    for path in SOURCES:
        if path.name != "names.py":
            assert not pattern.search(path.read_text()), path


def test_files_stay_readable() -> None:
    """A source file past 400 lines says why: a second reason has mostly moved in by then."""
    scripts = [*ROOT.glob("static/js/**/*.js"), *ROOT.glob("static/css/**/*.css")]
    tests = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("tests/**/*.js")]
    paths = [*SOURCES, *scripts, *tests]
    long = {
        str(p.relative_to(ROOT)): n for p in paths if (n := len(p.read_text().splitlines())) > 400
    }
    assert set(long) == set(LONG), long


def test_pages_hold_no_inline_code_and_no_raw_html() -> None:
    """Templates carry no inline scripts, styles or |safe; scripts never write HTML from text."""
    for path in ROOT.glob("cloudbang/web/pages/templates/**/*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text), path
        assert not re.search(r"\son\w+=|\sstyle=|\|\s*safe\b", text), path
        # A link that only a script leads anywhere gets who is quicker the page itself.
        assert 'href="#"' not in text, path
    for path in ROOT.glob("static/js/**/*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b", text
        ), path


SCRIPTS = {str(p.relative_to(ROOT)): p for p in sorted(ROOT.glob("static/js/**/*.js"))}
PAGE_SCRIPT = re.compile(r"block made_of %\}([\w/]+)\{%|asset\('js/([\w/]+)\.js'\)")
# Types in comments are not among them: they are gone when a browser reads the module.
SCRIPT_IMPORT = re.compile(
    r"""^(?:import|export)\b[^;'"]*["'](\.[^"']+)["'];|\bawait import\(["'](\.[^"']+)["']\)""", re.M
)


def scripts_imported(path: Path) -> set[str]:
    """What a page's module loads, at once or when it is needed; not what others have made."""
    found = {a or b for a, b in SCRIPT_IMPORT.findall(path.read_text(encoding="utf-8"))}
    names = {str((path.parent / name).resolve().relative_to(ROOT)) for name in found}
    return {name for name in names if not name.startswith("static/vendor/")}


# area -> areas that its scripts may import from, beside its own and the types of the API
SCRIPT_AREAS = {
    "lib": set(),
    "types": set(),
    "live": {"lib"},
    "frame": {"lib", "live"},
    "sign_in": {"lib", "live", "frame"},
    "settings": {"lib", "live", "frame"},
    "storage": {"lib", "live", "frame"},
    "stacks": {"lib", "live", "frame"},
    "alerts": {"lib", "live", "frame"},
    "apps": {"lib", "live", "frame"},
    "terminal": {"lib", "live", "frame", "apps"},
    "recordings": {"lib", "live", "frame", "terminal"},
    "logs": {"lib", "live", "frame", "apps", "terminal"},
    "search": {"lib", "live", "frame", "logs"},
    "deployments": {"lib", "live", "frame", "apps", "terminal", "logs"},
    "metrics": {"lib", "live", "frame", "apps", "logs"},
}


def test_scripts_import_inward() -> None:
    """What knows nothing of CloudBang imports nothing that does; no area imports a later one."""
    for name, path in SCRIPTS.items():
        area = name.split("/")[2]
        used = {found.split("/")[2] for found in scripts_imported(path)}
        allowed = SCRIPT_AREAS[area] | {area, "types"}
        assert used <= allowed, f"{name}: {used - allowed}"


def test_no_script_imports_in_a_circle() -> None:
    """The order in which modules of a page run is the one they are written in."""
    assert circles({name: scripts_imported(path) for name, path in SCRIPTS.items()}) == []


def test_every_script_is_reached_from_a_page() -> None:
    """What no template names and no module of a page imports is dead."""
    templates = ROOT.glob("cloudbang/web/pages/templates/*.html")
    entries = [a or b for p in templates for a, b in PAGE_SCRIPT.findall(p.read_text())]
    left = [f"static/js/{name}.js" for name in entries]
    reached: set[str] = set()
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left.extend(scripts_imported(SCRIPTS[name]))
    assert set(SCRIPTS) == reached, set(SCRIPTS) ^ reached


def classes_defined(path: Path) -> set[str]:
    """The classes that a style sheet says of its own what they look like: ``.tool``, ``.tool:hover``,
    ``.tool.main`` of ``tool``. What it says of one within another (``.log-find > .field``) is about
    that other one."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
    found = set()
    for prelude in re.findall(r"([^{};]+)\{", text):
        while "(" in prelude:  # :has(…), :not(…) and what stands in them
            prelude = re.sub(r"\([^()]*\)", "", prelude)
        for selector in prelude.split(","):
            if name := re.match(r"\.([\w-]+)[^\s>+~]*$", selector.strip()):
                found.add(name[1])
    return found


def test_a_class_has_one_meaning() -> None:
    """Each class is defined in one style sheet, and each style sheet is in one layer."""
    defined: dict[str, list[str]] = {}
    layers: dict[str, set[str]] = {}
    for path in sorted(ROOT.glob("static/css/**/*.css")):
        for name in classes_defined(path):
            defined.setdefault(name, []).append(str(path.relative_to(ROOT)))
        for name, layer in re.findall(
            r'@import "([^"]+)" layer\((\w+)\)', path.read_text(encoding="utf-8")
        ):
            layers.setdefault(str((path.parent / name).resolve()), set()).add(layer)
    assert not {name: paths for name, paths in defined.items() if len(paths) > 1}
    assert not {name: found for name, found in layers.items() if len(found) > 1}
    order = re.search(r"@layer ([\w, ]+);", (ROOT / "static/css/lib/layers.css").read_text())
    assert order
    assert {layer for found in layers.values() for layer in found} == set(order[1].split(", "))


def test_every_style_is_in_a_layer() -> None:
    """What no page's style sheet takes into a layer would win over everything, or show nowhere."""
    sheets = {path.resolve() for path in ROOT.glob("static/css/**/*.css")}
    entries = {path for path in sheets if re.search(r"(_page|panel_terminal)$", path.stem)}
    taken = {
        (path.parent / name).resolve()
        for path in entries
        for name in re.findall(r'@import "([^"]+)"', path.read_text(encoding="utf-8"))
    }
    assert sheets - entries <= taken, sheets - entries - taken
    for path in entries:
        for name in re.findall(r'@import "([^"]+)";', path.read_text(encoding="utf-8")):
            assert name.endswith(("/layers.css", "_page.css")), f"{path.name}: {name}"


def test_what_scrolls_has_its_own_scrolled_with_it() -> None:
    """A class that scrolls has a position: what is placed in it, if only words for a screen reader,
    else stays behind, and makes a box around it, or the page, as high as all of it."""
    scrolls: dict[str, str] = {}
    placed: set[str] = set()
    for path in sorted(ROOT.glob("static/css/**/*.css")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        for prelude, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text):
            last = [re.findall(r"\.([\w-]+)", one.split()[-1]) for one in prelude.split(",")]
            names = {name for found in last for name in found[:1]}
            if re.search(r"overflow(-[xy])?:\s*(auto|scroll)", body):
                scrolls |= dict.fromkeys(names, path.name)
            if re.search(r"(?<![\w-])position:\s*(relative|absolute|fixed|sticky)", body):
                placed |= names
    assert not {name: where for name, where in scrolls.items() if name not in placed}


def test_faults_name_tests_that_exist() -> None:
    """docs/faults.md: what is said to be proven is proven by a test that is still there."""
    texts = {p: p.read_text() for p in (ROOT / "tests").rglob("*.py")}
    everything = "\n".join(texts.values())
    missing = []
    for path, name in re.findall(
        r"`(?:(tests/[\w/.-]+\.(?:py|json|js))|…)?(?:(?:::)?(test_\w+))?`",
        (ROOT / "docs" / "faults.md").read_text(),
    ):
        there = not path or (ROOT / path).is_file()
        text = texts.get(ROOT / path, "") if path else everything
        if not there or (name and f"def {name}(" not in text):
            missing.append(f"{path}::{name}")
    assert not missing, missing


def test_faults_and_decisions_have_a_number_each() -> None:
    """Who names one means one."""
    faults = re.findall(r"^\| ([A-Z]\d+) ", (ROOT / "docs" / "faults.md").read_text(), re.MULTILINE)
    decisions = [path.name[:4] for path in (ROOT / "docs" / "decisions").iterdir()]
    for numbers in (faults, decisions):
        assert not [number for number, times in Counter(numbers).items() if times > 1]


def test_documents_name_files_that_exist() -> None:
    """A path in backticks in a document is a path in the project."""
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        if not document.exists():
            continue
        for name in re.findall(
            r"`((?:cloudbang|tests|bench|static|conf|docs|scripts)/[\w./-]+)`", document.read_text()
        ):
            assert (ROOT / name).exists(), f"{document.name} names {name}, which does not exist"
