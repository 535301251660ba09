"""Answers are packed on their way out: pages and JSON, by gzip (RFC 1952), where the client takes it.

Files of the pages are packed when they are built. What is written in pieces (downloads) is left
alone, and so is what is small.

How small an answer gets tells about what is in it, to somebody who reads along how long answers are
and can have a text of their own put into them (BREACH). Our pages and API put little of a request
into an answer, and browsers do not send the session's cookie for another site's requests; all the
same the one secret that stands in pages, the CSRF token, is written differently each time, and the
length of an answer is blurred by up to ``BLUR`` bytes of a file name in gzip's head, which is free.
"""

from __future__ import annotations

import secrets
import struct
import zlib

import gevent
from flask import Response, request

from cloudbang.core.threads import in_thread

FROM = 1000  # bytes; below, a packet is a packet
LEVEL = 5  # a page of 30 kB in 0.5 ms; 9 takes twice as long for 1 % less
IN_THREAD_FROM = 64 * 1024  # bytes; above, the hub would notice (zlib lets go of Python's lock)
BLUR = 64  # bytes
PACKED = frozenset({"text/html", "application/json", "application/problem+json", "text/plain"})

_HEAD = struct.Struct("<4BIBB")
_TAIL = struct.Struct("<II")
_DEFLATE, _NAMED, _UNKNOWN = 8, 8, 255  # method, flag of a file name, operating system


def compress(answer: Response) -> Response:
    """Pack ``answer`` where that is worth it: for Flask's ``after_request``."""
    if answer.mimetype not in PACKED or answer.direct_passthrough or not answer.is_sequence:
        return answer
    answer.vary.add("Accept-Encoding")
    if (
        request.accept_encodings["gzip"] <= 0
        or "Content-Encoding" in answer.headers
        or answer.status_code in (204, 206, 304)
    ):
        return answer
    body = answer.get_data()
    if len(body) < FROM:
        return answer
    if len(body) < IN_THREAD_FROM:
        packed = gzip(body)
    else:
        packed = in_thread(gevent.get_hub().threadpool, gzip, body)
    answer.set_data(packed)
    answer.content_encoding = "gzip"
    if (etag := answer.get_etag()[0]) is not None:
        # The same content in other bytes.
        answer.set_etag(etag, weak=True)
    return answer


def gzip(body: bytes) -> bytes:
    """``body`` as a gzip file with a meaningless name of random length."""
    name = b"x" * secrets.randbelow(BLUR + 1) + b"\0"
    pack = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return b"".join(
        (
            _HEAD.pack(0x1F, 0x8B, _DEFLATE, _NAMED, 0, 0, _UNKNOWN),
            name,
            pack.compress(body),
            pack.flush(),
            _TAIL.pack(zlib.crc32(body), len(body) & 0xFFFFFFFF),
        )
    )
