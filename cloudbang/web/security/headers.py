"""What a browser may do with our answers: the headers that each of them carries."""

from __future__ import annotations

from flask import Response, request

# Nothing inline, nothing from elsewhere, in nobody's frame. Sockets to the own host are 'self'.
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def add_headers(response: Response) -> Response:
    """What every answer carries."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    # What an account sees must not stay behind in a cache; files under /static may, checked anew.
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
