"""The kinds of events for the scripts of a page: what is said of each, in the reader's language."""

from __future__ import annotations

from cloudbang.domain.alerts.rules import DEFAULTS
from cloudbang.domain.events import AMOUNTS, KINDS, NAMES
from cloudbang.web.pages.i18n import gettext


def event_kinds() -> dict[str, object]:
    """A JSON value: ``kinds``, by kind its phrases, of which the first that fits is said; ``names``,
    by field those of values that have one; ``amounts``, by field how a count is written. See
    static/js/logs/events.js."""
    return {
        "kinds": {
            name: [{**one.as_json(), "words": gettext(one.words)} for one in kind.phrases]
            for name, kind in KINDS.items()
        },
        # A rule has the name that somebody gave it; those of a new installation are in English.
        "names": {**NAMES, "rule": {rule.name: gettext(rule.name) for rule in DEFAULTS}},
        "amounts": AMOUNTS,
    }
