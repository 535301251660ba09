"""What a message says, in the language of who reads it.

Names and facts come from elsewhere: an app's are who made its containers chose, a text that a rule
looks for is what somebody's program prints. So each is on one line, and reads in the direction of
the line, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import orjson

from cloudbang.domain.alerts.incidents import Item
from cloudbang.domain.lines import parse_time
from cloudbang.domain.log_markdown import visible

SayIn = Callable[[str], Callable[[str], str]]
"""Of a language what gives a text in it."""

SHOWN = 30  # incidents that one message names; of more it says how many there are
NAMES = 20  # of their apps
TITLES = {
    "began": "Alert: {app}: {rule}",
    "ended": "Over: {app}: {rule}",
    "flapping": "Unsteady: {app}: {rule}",
    "reminder": "Still: {app}: {rule}",
}
SEVERAL = "{n} alerts: {names}"
OVER = "{n} alerts are over: {names}"
STILL_ON = "{n} alerts are still on: {names}"
STILL = "{text}; after {hours} h it still is so"
NEWS = "{n} news of alerts: {names}"
MORE = "and {n} more"
TEST = "This is a test: alerts arrive here."
TEST_TITLE = "CloudBang: a test"


def title_of(items: Sequence[Item], say: Callable[[str], str]) -> str:
    """A line."""
    if not items:
        return say(TEST_TITLE)
    if len(items) == 1:
        one = items[0]
        return say(TITLES[one.change]).format(app=visible(one.app), rule=visible(say(one.rule)))
    changes = {item.change for item in items}
    alike = {"ended": OVER, "began": SEVERAL, "reminder": STILL_ON}
    template = alike.get(next(iter(changes)), NEWS) if len(changes) == 1 else NEWS
    return say(template).format(n=len(items), names=_names(items, 3))


def lines_of(items: Sequence[Item], say: Callable[[str], str], shown: int = SHOWN) -> list[str]:
    """A line for each."""
    if not items:
        return [say(TEST)]
    lines = [f"{_clock(item.time)} {sentence(item, say)}" for item in items[:shown]]
    if len(items) > shown:
        more = say(MORE).format(n=len(items) - shown)
        lines.append(f"{more}: {_names(items[shown:], NAMES)}")
    return lines


def _names(items: Sequence[Item], most: int) -> str:
    """Of the apps that they are about."""
    names = list(dict.fromkeys(visible(item.app) for item in items))
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def sentence(item: Item, say: Callable[[str], str]) -> str:
    """What happened, with its facts."""
    text = filled(item.template, item.facts, say)
    if item.change == "reminder":
        return say(STILL).format(text=text, hours=_shown(item.facts.get("hours", 0)))
    return text


def filled(template: str, facts: Any, say: Callable[[str], str]) -> str:
    known = {name: _shown(value) for name, value in facts.items()}
    if "rule" in known:
        known["rule"] = say(known["rule"])
    try:
        return say(template).format(**known)
    except (KeyError, IndexError, ValueError):
        return say(template)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = visible(str(value))
    return text if len(text) <= 200 else text[:199] + "…"


def cut(text: str, bytes: int) -> str:
    """Of at most so many bytes of JSON, which is what services count, and whole characters."""
    if (over := _size(text) - bytes) <= 0:
        return text
    while over > 0:
        text = text.encode()[: -over - len("…".encode())].decode("utf-8", "ignore")
        over = _size(text + "…") - bytes
    return text + "…"


def _size(text: str) -> int:
    return len(orjson.dumps(text)) - 2


def _clock(time: str) -> str:
    """In the zone of this machine, and which one that is."""
    at = datetime.fromtimestamp(parse_time(time) / 1e9).astimezone()
    return at.strftime("%Y-%m-%d %H:%M:%S %z")
