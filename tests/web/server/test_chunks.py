"""Bodies in chunks: where one ends is beyond dispute, or it is refused."""

from __future__ import annotations

import pytest

from tests.web.server.test_server import Client, request, serving


@pytest.mark.parametrize(
    "body",
    [
        b"2;a\nb\r\n{}\r\n0\r\n\r\n",  # an extension that ends for one reader and not for another
        b"2\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\n0\r\n\r\n",
        b"2\r\n{}0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"+2\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\r\n0\r\n \r\n\r\n",
        b"2\r\n{}\r\n0\r\nX: y\n\r\n",
    ],
)
def test_a_chunk_that_two_readers_may_understand_differently(body: bytes) -> None:
    """Is refused, and nothing after it is read as a request."""
    with serving() as server, Client(server) as client:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.send(head + body + request())
        assert client.answer()[0] == 400
        assert client.ended()


def test_chunks_with_extensions_and_trailers() -> None:
    """As RFC 9112 has them; what follows is the next request."""
    with serving() as server, Client(server) as client:
        head = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunks = b"2;a=b\r\n{}\r\n00003 ;c\r\nabc\r\n0\r\nX: y\r\n\r\n"
        client.send(head + chunks + request())
        assert client.answer() == (200, b"5 bytes")
        assert client.answer() == (200, b"0 bytes")
