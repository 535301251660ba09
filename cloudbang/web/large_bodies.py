"""Which calls take a large body, which they read as it comes; every other one takes 64 KiB."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cloudbang.deploy.uploads import MOST_BYTES
from cloudbang.web.server.body_stream import LargeBody

MIB = 1024 * 1024
SAMPLES_BYTES = 512 * 1024  # of what a program measured of itself
WEBHOOK_BYTES = 8 * MIB  # of what a host of code tells of a push

# Who calls those before it is known before any of it is read; of a webhook that there is one.
_CALLS = (
    (re.compile(r"/api/v1/apps/[^/]+/deployments"), LargeBody(MOST_BYTES + MIB)),
    (re.compile(r"/api/v1/apps/[^/]+/plan"), LargeBody(MOST_BYTES + MIB)),
    (re.compile(r"/api/v1/apps/[^/]+/samples"), LargeBody(SAMPLES_BYTES)),
    (re.compile(r"/api/v1/stacks/[^/]+/deployments"), LargeBody(MOST_BYTES + MIB)),
    (re.compile(r"/api/v1/webhooks/[^/]+"), LargeBody(WEBHOOK_BYTES, 10.0, 30.0)),
)


def large_body(environ: Mapping[str, Any]) -> LargeBody | None:
    """What the body of this request may take, where that is more than usual."""
    if environ["REQUEST_METHOD"] != "POST":
        return None
    path = environ["PATH_INFO"]
    return next((bounds for call, bounds in _CALLS if call.fullmatch(path)), None)
