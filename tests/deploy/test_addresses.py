"""Where nobody but an admin may send CloudBang."""

from __future__ import annotations

import pytest

from cloudbang.deploy.addresses import (
    AddressRefused,
    allowed_address,
    host_of,
    is_inside,
)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.169.254", "169.254.1.1", "224.0.0.1"),
        *("255.255.255.255", "240.0.0.1", "100.100.100.200", "168.63.129.16"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "ff02::1", "fd00:ec2::254"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_this_machine_and_what_stands_beside_it(address: str) -> None:
    """However it is written."""
    assert is_inside(address)


@pytest.mark.parametrize(
    "address", ["10.0.0.5", "192.168.1.9", "172.16.0.1", "140.82.112.3", "2606:50c0::1", "fd12::1"]
)
def test_other_machines(address: str) -> None:
    assert not is_inside(address)


def test_a_name_is_judged_by_all_its_addresses() -> None:
    """One of them inside is enough: who asks may get any."""
    told = {"good": ["10.0.0.5", "10.0.0.6"], "bad": ["10.0.0.5", "127.0.0.1"], "none": []}

    def resolve(name: str, _port: int) -> list[str]:
        return told[name]

    assert allowed_address("Good.", 443, resolve=resolve) == "10.0.0.5"
    with pytest.raises(AddressRefused) as e:
        allowed_address("bad", 443, resolve=resolve)
    assert "127.0.0.1" in str(e.value)
    assert allowed_address("bad", 443, ["BAD"], resolve) == "10.0.0.5"
    with pytest.raises(AddressRefused) as e:
        allowed_address("none", 443, resolve=resolve)
    assert "has no address" in str(e.value)


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f.1", "2130706433", "[::1]"])
def test_odd_ways_to_write_this_machine(host: str) -> None:
    """The system's own resolver says what they are."""
    with pytest.raises(AddressRefused):
        allowed_address(host, 443)


def test_hosts_of_addresses() -> None:
    assert host_of("https://git.example.com/a.git") == ("git.example.com", 443)
    assert host_of("https://user:p@h:8443/a") == ("h", 8443)
    assert host_of("http://[fd12::1]/a") == ("fd12::1", 80)
    for bad in ("ssh://h/a", "file:///etc", "https:///x", "ext::sh -c x", "-upload", "git@h:a"):
        with pytest.raises(ValueError, match=r".*"):
            host_of(bad)
