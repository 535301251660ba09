"""What tells a process's own messages from strangers': a code that only it can make.

The hub takes messages from any program of the machine and every subscriber sees all of them, so
nothing that stands in a message can be a secret. Each carries a code of its own instead (BLAKE2b
with a key that never leaves the process) over topic, header and body: to change any of them takes
the key, and a message that is sent again says nothing that was not true.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

_SIZE = 16  # bytes
_BEFORE, _AFTER = b',"mark":"', b'"}'
_LENGTH = len(_BEFORE) + 2 * _SIZE + len(_AFTER)
_MARK = slice(-_LENGTH, -_LENGTH + len(_BEFORE))
_CODE = slice(-_LENGTH + len(_BEFORE), -len(_AFTER))


class Mark:
    """The key of this process. A new one at each start."""

    def __init__(self) -> None:
        self._keyed = hashlib.blake2b(digest_size=_SIZE, key=secrets.token_bytes(32))

    def sign(self, topic: bytes, header: bytes, body: bytes) -> bytes:
        """The header, a JSON object with members, with the mark as its last member."""
        return b"%b%b%b%b" % (header[:-1], _BEFORE, self._code(topic, header, body), _AFTER)

    def proves(self, topic: bytes, header: bytes, body: bytes) -> bool:
        """Whether this very message was sent by this process."""
        if header[_MARK] != _BEFORE or header[-len(_AFTER) :] != _AFTER:
            return False
        signed = header[:-_LENGTH] + b"}"
        return hmac.compare_digest(header[_CODE], self._code(topic, signed, body))

    def _code(self, topic: bytes, header: bytes, body: bytes) -> bytes:
        # The two lengths first: where one ends and the next begins is part of what is said.
        keyed = self._keyed.copy()
        keyed.update(b"%d %d %b%b" % (len(topic), len(header), topic, header))
        keyed.update(body)
        return keyed.hexdigest().encode()
