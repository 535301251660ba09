"""A specification in YAML means on the command line what it means on its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudbang.cli.deployed_spec import SpecUnreadable, read_spec

WRITTEN = """\
image: nginx
env:
  DATE: 2024-01-01
  MOMENT: 2024-01-01T10:00:00Z
  MODE: 0755
  COLOUR: on
  YES: no
  PORTS: 22:22
  THOUSANDS: 1_000
  SURE: true
  NOTHING:
  HEX: 0x1F
  OCTAL: 0o17
  LARGE: 1e3
  FRACTION: -.5
  NORWAY: NO
  QUOTED: "true"
"""


def test_it_is_read_as_the_page_reads_it(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(WRITTEN)
    assert read_spec(str(tmp_path / "app.yaml"))["env"] == {
        "DATE": "2024-01-01",
        "MOMENT": "2024-01-01T10:00:00Z",
        "MODE": 755,
        "COLOUR": "on",
        "YES": "no",
        "PORTS": "22:22",
        "THOUSANDS": "1_000",
        "SURE": True,
        "NOTHING": None,
        "HEX": 31,
        "OCTAL": 15,
        "LARGE": 1000.0,
        "FRACTION": -0.5,
        "NORWAY": "NO",
        "QUOTED": "true",
    }


@pytest.mark.parametrize("value", ["!!binary aGk=", "!!set {a}", "!!python/object:os.system x"])
def test_what_no_json_can_hold_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "app.yaml").write_text(f"image: nginx\nenv: {{A: {value}}}\n")
    with pytest.raises(SpecUnreadable):
        read_spec(str(tmp_path / "app.yaml"))


def test_what_is_merged_is_there(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("x: &x {A: 1}\nimage: nginx\nenv: {<<: *x, B: 2}\n")
    assert read_spec(str(tmp_path / "app.yaml"))["env"] == {"A": 1, "B": 2}
