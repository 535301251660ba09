"""Metrics, logs, disks and certificates, as rules ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudbang.domain.alerts.rules import (
    EventCondition,
    LogCondition,
    MetricCondition,
    Rule,
    contains,
)
from cloudbang.domain.lines import record
from cloudbang.domain.metrics.series import Labels, SeriesKey
from cloudbang.domain.metrics.sweep import Sweep
from cloudbang.errors import StorageFailed
from cloudbang.monitoring.alerts.measured import (
    DAY,
    Certificates,
    Disks,
    LogRules,
    MetricRules,
    disks_of,
)
from cloudbang.monitoring.app_series import AppSeries
from cloudbang.monitoring.series import Series
from cloudbang.web.api.search import with_wildcards
from tests.monitoring.alerts.ground import Clock, World
from tests.monitoring.monitoring_support import HeardBus, KeptStore


class Numbers:
    """The newest seconds of each metric."""

    def __init__(self) -> None:
        self.values: dict[str, list[float | None]] = {}
        self.stale, self.newest = False, 0

    def window(self, key: SeriesKey, seconds: int) -> list[float | None]:
        return self.values.get(key.name, [])

    def of(self, app: str) -> AppSeries | None:
        return None


def verdicts(found: object) -> list[str]:
    return [one.verdict for one in found]  # type: ignore[attr-defined]


def test_a_share_of_the_limit_and_what_is_not_measured() -> None:
    """A gap, a sampler that is behind and an app that is down are told apart."""
    world, numbers = World(), Numbers()
    world.has("web")
    condition = MetricCondition("memory", 0.9, 0.8, of="memory.limit")
    rule = Rule(1, "", "", "Memory", condition)
    metrics = MetricRules(numbers, world, lambda: ["web", "gone"])

    def look(memory: Sequence[float | None]) -> list[str]:
        numbers.values = {"memory": list(memory), "memory.limit": [100.0]}
        return verdicts(metrics.look([rule]))

    assert look([95.0, None, 93.0]) == ["over"]
    assert look([85.0]) == ["between"]
    assert look([10.0]) == ["under"]
    assert look([None, None]) == ["unknown"]
    numbers.stale = True
    assert look([95.0]) == ["unknown"]
    numbers.stale = False
    world.has("web", "exited")
    assert look([None]) == ["under"]
    numbers.values = {"memory": [5.0]}  # no limit
    world.has("web")
    assert verdicts(metrics.look([rule])) == ["unknown"]


def line(text: str) -> bytes:
    return record(b"2026-11-30T10:00:00.000000000Z", b"0123456789ab", b"stdout", text.encode())


class Lines:
    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.fails = False

    def next_seq(self, app: str) -> int:
        if self.fails:
            raise StorageFailed("/data", "locked")
        return len(self.lines) + 1

    def newest(self, app: str, lines: int, size: int) -> tuple[int, list[bytes]]:
        return len(self.lines) - lines + 1, self.lines[-lines:]


def test_a_log_is_looked_at_for_its_own_team() -> None:
    """Whatever app a rule names: another team's lines are not counted, and it is told of nothing."""
    lines, world = Lines(), World()
    logs = LogRules(lines, world, with_wildcards)
    ours, everybodys = (
        Rule(n, team, "web", "Errors", LogCondition("error", 1, 0))
        for n, team in ((1, "blue"), (2, ""))
    )

    def look() -> list[int]:
        return [one.rule.id for one in logs.look([ours, everybodys])]

    assert look() == []
    world.has("web")
    assert look() == [2]
    world.has("web", team="blue")
    assert look() == [1, 2]


def test_lines_are_counted_once_as_they_come() -> None:
    """What was there before counts for nothing, what is old counts no more."""
    clock, lines = Clock(), Lines()
    lines.lines = [line("ERROR before")] * 10
    world = World()
    world.has("web")
    logs = LogRules(lines, world, with_wildcards, clock.monotonic)
    rule = Rule(1, "", "web", "Errors", LogCondition("error*timeout", 3, 0, 60))

    def look(*new: str) -> tuple[str, object]:
        lines.lines += map(line, new)
        (found,) = logs.look([rule])
        return found.verdict, found.facts.get("count")

    assert look() == ("under", 0)
    assert look("Error: a Timeout", "timeout, error", "fine") == ("between", 1)
    assert look(*["ERROR in x: timeout"] * 2) == ("over", 3)
    clock.pass_(30)
    assert look() == ("over", 3)
    clock.pass_(31)
    assert look() == ("under", 0)
    lines.fails = True
    assert look() == ("unknown", None)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("payment failed", "\x1b[31mPayment\x1b[0m failed: 12", True),
        ("支付失败", '{"msg":"\\u652f\\u4ed8\\u5931\\u8d25"}', True),
        ("失败*退款", '{"msg":"支付失败，需要退款"}', True),
        ("退款*失败", "支付失败，需要退款", False),
        ("stdout", "fine", False),
        ("ÉCHEC*disque", "un échec du DISQUE", True),
        ("(a+)+$*[b", "x (A+)+$ y [B", True),
    ],
)
def test_a_pattern_is_found_in_what_is_seen(pattern: str, text: str, found: bool) -> None:
    """As everywhere: colours and JSON's escapes are no part of it, nor are expressions."""
    assert with_wildcards(pattern)(line(text)) is found


def test_a_pattern_takes_as_long_as_the_text() -> None:
    """However many stars it has."""
    assert contains("a" * 100_000, "*".join("a" * 200))
    assert not contains("a" * 100_000, "*".join("a" * 200) + "b")
    assert contains("x error y", "*err*y*")
    assert not contains("y error x", "err*y")


def test_a_disk_that_is_full_and_one_that_will_be() -> None:
    """By the share that is used, or by how quickly it fills; one large file says nothing."""
    clock = Clock()
    used, whole = 60.0, 100.0
    disks = Disks(lambda: {"/data": (used * 1e9, whole * 1e9)}, clock.monotonic)
    rule = Rule(1, "", "", "Disk", EventCondition("disk", 0.9, 0.87, days=3))
    assert verdicts(disks.look([rule])) == ["under"]
    for _ in range(120):
        clock.pass_(60)
        used += 0.01  # 14 a day: full in less than three
        (found,) = disks.look([rule])
    assert (found.verdict, found.subject) == ("over", "/data")
    assert float(found.facts["days"]) < 3
    used = 95.0
    clock.pass_(60)
    assert verdicts(disks.look([rule])) == ["over"]

    other = Disks(lambda: {"/data": (used * 1e9, whole * 1e9)}, clock.monotonic)
    used = 60.0
    for n in range(120):
        clock.pass_(60)
        used = 80.0 if n > 60 else 60.0
        assert verdicts(other.look([rule])) == ["under"]


def test_each_disk_is_looked_at_as_it_was_measured() -> None:
    """The one with CloudBang's data and the engine's; what is not measured any more is unknown, and no
    disk that has room."""
    now = 1_800_000_000
    series = Series(KeptStore(), HeardBus(wanted=False), clock=lambda: now)
    clock = Clock()
    disks = Disks(disks_of(series), clock.monotonic)
    rule = Rule(1, "", "", "Disk", EventCondition("disk", 0.9, 0.87, days=3))

    def look(**used: float) -> dict[str, str]:
        nonlocal now
        now += 40
        clock.pass_(40)
        node: dict[tuple[str, Labels], float] = {}
        for path, share in used.items():
            labels = (("path", path),)
            node |= {("disk.used", labels): share * 1e9, ("disk.limit", labels): 1e9}
        series.take(Sweep(now, True, [], {}, node))
        return {one.subject: one.verdict for one in disks.look([rule])}

    assert look(own=0.5, engine=0.95) == {"own": "under", "engine": "over"}
    assert look(own=0.95, engine=0.95) == {"own": "over", "engine": "over"}
    assert look(own=0.5) == {"own": "under", "engine": "unknown"}
    now += 100
    clock.pass_(100)
    assert verdicts(disks.look([rule])) == ["unknown", "unknown"]


def test_a_certificate_that_ends(tmp_path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=10, hours=1))
        .sign(key, hashes.SHA256())
    )
    for host, content in (
        ("a.example", made.public_bytes(serialization.Encoding.PEM)),
        ("b.example", b"nonsense"),
    ):
        folder = tmp_path / "authority" / host
        folder.mkdir(parents=True)
        (folder / f"{host}.crt").write_bytes(content)
    clock = Clock()
    hosts = {"a.example": "web", "b.example": "b", "c.example": "c"}
    at = now.timestamp()
    certificates = Certificates(tmp_path, lambda: hosts, lambda: at, clock.monotonic)
    rule = Rule(1, "", "", "Certificate", EventCondition("certificate", 14, 15))
    (found,) = certificates.look([rule])
    assert found[1:] == ("web", "a.example", "over", {"value": 10})
    at -= 5 * DAY
    assert verdicts(certificates.look([rule])) == ["under"]
    at += 14.5 * DAY
    (found,) = certificates.look([rule])
    assert found.facts == {"value": 0.5}
