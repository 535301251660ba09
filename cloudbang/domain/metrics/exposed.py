"""Where a program exposes what it measures, as its container's labels say; and why that is not read,
in sentences: pages show them in the language of who reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from cloudbang.domain.names import METRICS_PATH, METRICS_PORT

USUAL_PATH = "/metrics"

# Nothing that ends a request's first line or begins another; and never a host.
_PATH = re.compile(r"/[!-~]{0,255}")

NO_PORT = "the label {label} is {value}: a port is a number from 1 to 65535"
NO_PATH = "the label {label} is {value}: a path begins with / and has no spaces"
NO_ADDRESS = "what it exposes is asked for at an address of its own, and it has none"
NOT_BESIDE = "what it exposes cannot be asked for: its network is not reached from here"
UNREACHED = "port {port} does not answer: {reason}"
CLOSED = "GET {path} at port {port} is not answered: {reason}"
TOO_SLOW = "GET {path} at port {port} is not answered in full within {seconds} s"
NO_SUCCESS = "GET {path} at port {port} is answered with {status}, not with 200"
NO_HTTP = "GET {path} at port {port} is answered by something that does not speak HTTP"
TOO_LONG = "GET {path} at port {port} is answered with more than {most} bytes"
TOO_MANY = "GET {path} at port {port} is answered with more than {most} samples"
PACKED = "GET {path} at port {port} is answered in a way that cannot be unpacked: {encoding}"
TOO_MANY_LINES = "GET {path} at port {port} is answered with more than {most} lines"
NO_METRICS = "GET {path} at port {port} is answered with something else than metrics"
BAD_LINES = (
    "{count} of the lines that it exposes cannot be read, the first of them line {line}: {text}"
)
NOT_ASKED = "the engine did not say where it is reached: {reason}"


class Why(NamedTuple):
    """``sentence`` is translated before its ``facts`` are filled in."""

    sentence: str
    facts: Mapping[str, object] = {}


class NotExposed(Exception):
    """What a program exposes is not read."""

    def __init__(self, sentence: str, **facts: object) -> None:
        self.why = Why(sentence, facts)
        super().__init__(sentence.format(**facts))


class Exposed(NamedTuple):
    """``GET path`` at ``port``."""

    port: int
    path: str


def exposed(port: str, path: str) -> Exposed:
    """As the two labels say. Raises NotExposed."""
    if not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) or not 0 < int(port) < 65536:
        raise NotExposed(NO_PORT, label=METRICS_PORT, value=_shown(port))
    if path and not _PATH.fullmatch(path):
        raise NotExposed(NO_PATH, label=METRICS_PATH, value=_shown(path))
    return Exposed(int(port), path or USUAL_PATH)


def _shown(text: str) -> str:
    return repr(text[:60])
