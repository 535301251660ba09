"""Who is told: where, how, and when not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from cloudbang.domain.alerts.delivery import CAP, quiet_hours
from cloudbang.domain.alerts.rules import NoRule

Kind = Literal["webhook", "email", "dingtalk", "feishu", "wecom"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Language = Literal["en", "zh"]
Security = Literal["starttls", "tls", "none"]

# What of a receiver is secret: an address of a robot is what lets anybody speak through it.
SECRETS: dict[Kind, tuple[str, ...]] = {
    "webhook": ("address", "secret"),
    "email": ("password",),
    "dingtalk": ("address", "secret"),
    "feishu": ("address", "secret"),
    "wecom": ("address",),
}


@dataclass(frozen=True, slots=True)
class Options:
    """``everything``: takes what a rule names nobody for; ``second``: another receiver, who is told
    when this one does not take it; ``quiet``: hours such as "22:00-07:00" in which only what is
    critical comes (``quiet_all``: nothing); ``cap``: messages in ten minutes; ``private``: whether it
    may be on a private network or this machine; ``shown``: of its address what is no secret. Of
    e-mail ``host`` and what follows."""

    language: Language = "en"
    everything: bool = True
    second: int | None = None
    quiet: str = ""
    quiet_all: bool = False
    cap: int = CAP
    private: bool = False
    shown: str = ""
    host: str = ""
    port: int = 0
    security: Security = "starttls"
    user: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises NoRule."""
        try:
            quiet_hours(self.quiet)
        except ValueError:
            raise NoRule("quiet", 'hours such as "22:00-07:00", or empty') from None
        if not 1 <= self.cap <= 100:
            raise NoRule("cap", "1 to 100")


@dataclass(frozen=True, slots=True)
class Receiver:
    """``failures`` in a row, ``why`` the last of them; nothing is sent before ``until``, seconds since
    1970."""

    id: int
    team: str
    name: str
    kind: Kind
    options: Options
    enabled: bool = True
    by: str = ""
    created: str = ""
    failures: int = 0
    why: str = ""
    until: float = 0.0
