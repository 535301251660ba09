"""Apps for tests: one small image, whose behaviour its environment says.

``RELEASE`` is what it answers; it listens at 8080 after ``LATE`` seconds, unless ``LISTENS`` is
"no"; after ``AFTER`` seconds it exits with ``CODE``, if that is given. ``cgi-bin/held?NAME`` answers
once there is a file ``/www/NAME`` (``House.let_go``). SIGTERM ends it.
"""

from __future__ import annotations

DEAF: dict[str, object] = {"stop_signal": "SIGKILL"}
"""For a command that as process 1 hears no SIGTERM, as sleep and httpd: else 10 s go by at each end."""

SCRIPT = r"""
trap 'echo "$RELEASE ends"; exit 0' TERM
echo "$RELEASE begins"
[ -n "$LATE" ] && sleep "$LATE"
if [ "$LISTENS" != no ]; then
    mkdir -p /www/cgi-bin
    echo "$RELEASE" >/www/index.html
    printf '#!/bin/sh\nuntil [ -e "/www/$QUERY_STRING" ]; do sleep 0.1; done\n%s\necho\necho "%s"\n' \
        'echo "Content-Type: text/plain"' "$RELEASE" >/www/cgi-bin/held
    chmod +x /www/cgi-bin/held
    httpd -f -p 8080 -h /www &
fi
if [ -n "$CODE" ]; then
    sleep "${AFTER:-0}"
    echo "$RELEASE gives up" >&2
    exit "$CODE"
fi
while :; do sleep 1000 & wait $!; done
"""


def spec(image: str, release: str = "one", **written: object) -> dict[str, object]:
    """A SPEC; what is not one of its fields is a variable: ``LATE="3"``."""
    env = {"RELEASE": release}
    env |= {name: str(written.pop(name)) for name in list(written) if name.isupper()}
    made: dict[str, object] = {"image": image, "command": ["sh", "-c", SCRIPT], "env": env}
    return {**made, **written}


def web(image: str, release: str = "one", **written: object) -> dict[str, object]:
    """One that is asked over HTTP."""
    return spec(image, release, port=8080, **written)
