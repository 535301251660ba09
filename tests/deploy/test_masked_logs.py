"""What an app's secrets hold is in no log: what its own containers print as well."""

from __future__ import annotations

import pytest

from tests.deploy import apps
from tests.deploy.program import Program
from tests.support import wait_until

pytestmark = pytest.mark.engine
SAYS = (
    'n=0; while :; do n=$((n+1)); echo "$n: key is $KEY, $(cat /run/secrets/KEY)"; sleep 0.5; done'
)


@pytest.mark.slow("two deployments, and a server that is killed between them")
def test_no_log_has_what_secrets_hold(program: Program) -> None:
    """Live, in the file and once it is read again by the next process; the secret before as well;
    and no line is lost or doubled by that."""

    def numbers() -> dict[str, list[int]]:
        """By container."""
        found = program.http.get("/api/v1/apps/masked/lines?limit=1000").json()["lines"]
        said: dict[str, list[int]] = {}
        for _, _, container, _, text, *_ in found:
            number, _, rest = text.partition(":")
            assert rest == " key is •••, •••", text
            said.setdefault(container, []).append(int(number))
        return said

    def newest() -> int:
        return len(list(numbers().values())[-1]) if numbers() else 0

    spec = {**apps.spec(program.image), "command": ["sh", "-c", SAYS], **apps.DEAF}
    for of, secret in enumerate(("first-of-two", "second-of-two"), 1):
        begun = program.begin("masked", spec={**spec, "secrets": {"KEY": secret}})
        done = program.ended(begun["id"])
        assert done["state"] == "serving", program.said(begun["id"])
        assert not [text for text in program.said(begun["id"]) if "of-two" in text]
        wait_until(lambda of=of: len(numbers()) == of and newest() > 3, what="its lines")
        program.server.kill()
        program.server.start()
    before = newest()
    wait_until(lambda: newest() > before + 2, what="lines that come now")
    for said in numbers().values():
        assert said == list(range(1, len(said) + 1))
    assert b"of-two" not in b"".join(
        path.read_bytes() for path in program.server.storage.glob("*/masked/*.log")
    )
