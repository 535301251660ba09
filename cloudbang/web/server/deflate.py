"""What client and server agree on for permessage-deflate (RFC 7692, sections 5 and 7.1)."""

from __future__ import annotations

from typing import NamedTuple

_FLAGS = ("server_no_context_takeover", "client_no_context_takeover")
_BITS = ("server_max_window_bits", "client_max_window_bits")
_WINDOWS = ("8", "9", "10", "11", "12", "13", "14", "15")


class Agreement(NamedTuple):
    """``response`` goes into Sec-WebSocket-Extensions; ``window_bits`` bounds what we send."""

    response: str
    window_bits: int


def negotiate(offers: str) -> Agreement | None:
    """The first acceptable offer of a Sec-WebSocket-Extensions header, or None for none.

    Context takeover is refused both ways whatever is offered (7.1.1 lets a server say so): then
    one compressed frame serves every viewer, and an idle connection holds no compressor. The
    window that the client asks of us is honoured; the client may use any window it likes.
    """
    for offer in offers.split(","):
        name, *rest = (part.strip() for part in offer.split(";"))
        if name != "permessage-deflate":
            continue
        parameters = _parameters(rest)
        if parameters is None:
            continue
        response = "; ".join((name, *_FLAGS))
        bits = parameters.get("server_max_window_bits")
        if bits is None:
            return Agreement(response, 15)
        return Agreement(f"{response}; server_max_window_bits={bits}", int(bits))
    return None


def _parameters(parts: list[str]) -> dict[str, str | None] | None:
    """The parameters of one offer; None when it holds one that is unknown, doubled or wrong."""
    found: dict[str, str | None] = {}
    for part in parts:
        name, equals, text = (piece.strip() for piece in part.partition("="))
        value = text.removeprefix('"').removesuffix('"') if equals else None
        if name in found or name not in _FLAGS + _BITS:
            return None
        if name in _FLAGS and value is not None:
            return None
        # Only client_max_window_bits may stand without a value (7.1.2.2).
        if name == _BITS[0] and value not in _WINDOWS:
            return None
        if name == _BITS[1] and value is not None and value not in _WINDOWS:
            return None
        found[name] = value
    return found
