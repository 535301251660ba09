"""Whether others pass for this machine, as its tables tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudbang.gateway.ipv6 import passes_for_local

BRIDGE = "fe800000000000000042abfffe3c0001 03 40 20 80 docker_gwbridge"
LINK = "fe80000000000000020c29fffe1f0001 02 40 20 80 enp1s0"
TAKEN = "0: 00000000000000000000000000000000:1FF4 00000000000000000000000000000000:0000 {} 0 0"


@pytest.mark.parametrize(
    ("addresses", "state", "is_up", "passes"),
    [
        ([LINK], "0A", True, True),
        ([LINK], "0A", False, True),  # it will listen there, as far as anybody knows
        ([LINK], "", True, False),  # without the engine's proxy
        ([LINK], "01", True, False),  # a connection
        ([], "0A", True, False),
    ],
)
def test_who_comes_by_ipv6_passes_where_the_engines_proxy_takes_them(
    tmp_path: Path, addresses: list[str], state: str, is_up: bool, passes: bool
) -> None:
    loopback = "00000000000000000000000000000001 01 80 10 80       lo"
    (tmp_path / "if_inet6").write_text("\n".join([loopback, BRIDGE, *addresses]) + "\n")
    (tmp_path / "dev").write_text("Inter-| Receive\n    lo: 1 2\ndocker_gwbridge: 3 4\n")
    taken = [TAKEN.format(state)] if state else []
    (tmp_path / "tcp6").write_text("\n".join(["  sl  local_address", *taken]) + "\n")
    assert passes_for_local(8180, is_up=is_up, proc=tmp_path) is passes


def test_what_cannot_be_seen_is_taken_for_open(tmp_path: Path) -> None:
    """As from within a container, whose tables are its own; a machine without IPv6 has none."""
    assert passes_for_local(8180, is_up=True, proc=tmp_path)
    (tmp_path / "dev").write_text("docker_gwbridge: 3 4\n")
    assert not passes_for_local(8180, is_up=True, proc=tmp_path)
    assert not passes_for_local(8180, is_up=False, proc=tmp_path)
