"""Names that a reader takes for one another."""

from __future__ import annotations

from cloudbang.accounts.models import name_key

# Letters and the Latin ones that they look like, small or as capitals: Cyrillic, Greek, others (from
# confusables.txt of Unicode's UTS 39).
_TWINS = (
    "аa вb сc ԁd еe һh нh іi јj кk ӏl мm оo рp ԛq ѕs тt ԝw хx уy "
    "αa βb εe ηn ιi κk μm νv οo ρp τt υu χx ζz "
    "ıi ɩi ɡg ɑa"
)
_LOOKS = str.maketrans({twin[0]: twin[1] for twin in _TWINS.split()})


def looks(name: str) -> str:
    """A name as it looks: two that look the same have one."""
    return name_key(name).translate(_LOOKS)
