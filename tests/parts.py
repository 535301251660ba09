"""The parts of the suite that lanes run beside each other, and which test files are in each.

`make test` says how long each took, and how much of a processor: where that is little a test waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.support import ROOT

NOTHING, ENGINE, NETWORK = "nothing", "an engine", "an engine, and its network"


@dataclass(frozen=True)
class Part:
    """``paths`` are files and folders of tests; a file goes to the part that names it most closely.
    ``needs`` is what its lane has to have."""

    name: str
    needs: str
    paths: tuple[str, ...]
    command: tuple[str, ...] = ()  # instead of pytest

    @property
    def browser(self) -> bool:
        return self.paths[0].startswith("tests/browser")


def _of(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/{folder}/test_{name}.py" for name in names)


PARTS = (
    # In the order in which they begin: the longest first, so that the lanes end together; and what
    # mostly waits beside what needs a processor of its own, as a browser does.
    Part(
        "deploy-faults",
        NETWORK,
        _of(
            "deploy",
            *("cancelled", "engine_restarted", "killed", "killed_together", "replaced"),
            *("server_killed", "team_networks", "why_it_failed"),
        ),
    ),
    # The server asks new releases at the addresses that the engine gives them.
    Part("deploy", NETWORK, ("tests/deploy",)),
    # They have the engine pull from the loopback, and ask containers.
    Part("node", NETWORK, ("tests/node",)),
    Part("browser-terminals", ENGINE, ("tests/browser",)),
    Part(
        "plain",
        NOTHING,
        (
            "tests/accounts",
            "tests/bus",
            "tests/core",
            "tests/domain",
            "tests/intake",
            "tests/storage",
            "tests/terminals",
            "tests/web",
        ),
    ),
    Part(
        "browser-apps",
        ENGINE,
        _of(
            "browser",
            *(
                "accessible",
                "alerts",
                "deployments",
                "early_hands",
                "fields",
                "find_the_cause",
                "log_hands",
            ),
            *(
                "log_rows",
                "metrics",
                "out_of_memory",
                "patterns",
                "removal",
                "saved",
                "search",
                "storage",
                "typed_form",
                "webhooks",
            ),
        ),
    ),
    Part(
        "gateway",
        NETWORK,  # they publish ports
        ("tests/gateway", "tests/test_ground.py", "tests/monitoring/test_scrape_end_to_end.py"),
    ),
    Part(
        "sources",
        NETWORK,  # a registry on loopback, and the network and the control group of builds
        _of(
            "deploy",
            *("pull", "build", "sources", "sources_faults"),
            *("built_and_deployed", "git_deployed", "private_registry", "stacks_deployed"),
        ),
    ),
    Part(
        "browser-deploys",
        NETWORK,
        _of(
            "browser",
            "compose_way",
            "deploys_live",
            "new_app",
            "operate",
            "measured_from_outside",
            "traffic",
        ),
    ),
    Part("faults", ENGINE, ("tests/faults",)),
    Part("web", ENGINE, ("tests/web/api",)),
    Part(
        "faults-terminals",
        ENGINE,
        _of(
            "faults",
            *("terminal_2017", "terminal_bad_input", "terminal_faults", "terminal_flow"),
            *("terminal_orphans", "terminal_viewers"),
        ),
    ),
    Part("browser-pages", ENGINE, _of("browser", "pages", "logs")),
    Part("cli", ENGINE, ("tests/cli", "tests/web/sockets")),
    Part("rest", ENGINE, ("tests",)),
    Part("js", NOTHING, ("tests/js",), ("make", "--no-print-directory", "test-js")),
)


def files_of(parts: Iterable[Part]) -> dict[str, list[str]]:
    """The test files of each part, by its name."""
    found: dict[str, list[str]] = {part.name: [] for part in parts}
    place = {path: part.name for part in parts if not part.command for path in part.paths}
    for file in sorted(ROOT.glob("tests/**/test_*.py")):
        at = file.relative_to(ROOT)
        closest = next((str(p) for p in (at, *at.parents) if str(p) in place), None)
        if closest is not None:
            found[place[closest]].append(str(at))
    return found
