"""What lines of an app have in common, and how often they came."""

from __future__ import annotations

from typing_extensions import TypedDict

from cloudbang.web.api.schemas.apps import Level
from cloudbang.web.api.schemas.search import UnreadLog
from cloudbang.web.api.schemas.shapes import Seq, Time


class Pattern(TypedDict):
    """A pattern of entries of one ``level``: how often they came, and ``before``; when first and last,
    and the seq of the last, of that time, or of the one before where there is none. ``hours``: in which
    hours (seconds since 1970) how often. ``expression`` finds them, in RE2's syntax, as ``q`` with
    ``regex=1``."""

    pattern: str
    level: Level | None
    count: int
    before: int
    first: Time
    last: Time
    seq: Seq
    hours: list[tuple[int, int]]
    expression: str


class PatternApp(TypedDict):
    """How often a pattern came in one app, and before."""

    name: str
    count: int
    before: int


class MergedPattern(Pattern):
    """One of several apps: ``apps``, those in which it came most first; ``app`` is that of the last
    line, which ``seq`` is of."""

    app: str
    apps: list[PatternApp]


class PatternSpan(TypedDict):
    """A stretch of time, and of how many of its bytes the counts are: where that is not all, they are
    estimates."""

    since: Time
    until: Time
    looked: int
    of: int


class LastDeployed(TypedDict):
    """When the release that serves was started, and by which deployment; of an app that was not deployed
    here when its newest container was made."""

    time: Time
    deployment: int | None
    number: int | None


class Patterns(TypedDict):
    """``now`` is the stretch that was asked about, ``before`` the one that it is compared with. Errors
    first, then warnings, what is new before the rest. ``more`` patterns are left out; ``others``: how
    often those, and what was not told apart, came now and before. ``sampled``: the counts are
    estimates; who asks again learns more."""

    now: PatternSpan
    before: PatternSpan
    sampled: bool
    deployed: LastDeployed | None
    patterns: list[Pattern]
    more: int
    others: tuple[int, int]


class LastDeployments(TypedDict):
    """Of how many ``apps`` one knows when they were deployed last; the first and the last of them."""

    apps: int
    first: Time
    last: Time


class MergedPatterns(TypedDict):
    """As ``Patterns``, of several apps: ``counted`` of them; ``left`` are not counted, because there are
    too many or the time was up; ``failed``: those that could not be read. Since their deployments each
    has stretches of its own, which ``now`` and ``before`` are around; what is new in one of them stands
    before the rest, and those of which nobody knows one (``undeployed``) are left out."""

    now: PatternSpan
    before: PatternSpan
    sampled: bool
    deployed: LastDeployments | None
    patterns: list[MergedPattern]
    more: int
    others: tuple[int, int]
    counted: int
    left: int
    undeployed: int
    failed: list[UnreadLog]
