"""The variables of Compose files."""

from __future__ import annotations

import pytest

from cloudbang.domain.deploy.compose_variables import interpolated, needed_of, places_of


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("- ${SOCKET}:/var/run/docker.sock:ro,z", {"SOCKET"}),
        ('  - "${PORT}:80"', {"PORT"}),
        ("- $PORT", {"PORT"}),
        ("- 127.0.0.1:${PORT}:80", {"PORT"}),
        ("image: ${IMAGE}  # ours", {"IMAGE"}),
        ("image: app:${TAG}", {"TAG"}),
        ("- ${DATA}/x:/x", set()),
        ("- ${PORT:-80}:80", set()),
        ("- URL=http://x:${PORT}/", set()),
        ("URL: ${URL}", set()),
        ("- ${OTHER}:80", set()),
    ],
)
def test_what_there_is_nothing_without(line: str, needed: set[str]) -> None:
    names = {"SOCKET", "PORT", "IMAGE", "TAG", "DATA", "URL"}
    assert needed_of(f"services:\n{line}\n", names) == needed


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a.env", "a.env"),
        ("${A}.env", "1.env"),
        ("$A.env", "1.env"),
        ("${A:-x}", "1"),
        ("${NONE:-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${NONE-${A}}", "1"),
        ("${NONE:-${EMPTY:-${A}y}z}", "1yz"),
        ("${A:+set}", "set"),
        ("${NONE+set}", ""),
        ("$${A}", "${A}"),
        ("a$", "a$"),
        ("${NONE}", None),
        ("$NONE", None),
        ("${NONE:?say}", None),
        ("${EMPTY:?say}", None),
        ("${EMPTY?say}", ""),
        ("${A", None),
        ("${" * 50 + "A" + "}" * 50, None),
        ("${NONE:-" * 50 + "A" + "}" * 50, None),
    ],
)
def test_variables_in_a_path(text: str, made: str | None) -> None:
    assert interpolated(text, {"A": "1", "EMPTY": ""}) == made


def test_where_a_variable_is_named() -> None:
    text = "a: ${A:-${B:?why}}\n# $C\nb: $$D ${A:?because}\n- E\nF:\n  G: x$H\n"
    found = {name: (place.line, place.why) for name, place in places_of(text).items()}
    assert {name: found.get(name) for name in "ABCDEH"} == {
        "A": (3, "because"),
        "B": (1, "why"),
        "C": None,
        "D": None,
        "E": (4, ""),
        "H": (6, ""),
    }
