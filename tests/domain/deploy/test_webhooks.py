"""What hosts of code say of a push, as they say it."""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.domain.deploy.webhooks import (
    KINDS,
    Filter,
    Push,
    delivery_of,
    is_signed,
    matching,
    push_of,
    skipped,
)

SECRET = "a secret of some length"
BODY = b'{"ref": "refs/heads/main"}'


def signature(body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


GOOD = {
    "github": {"x-hub-signature-256": "sha256=" + signature()},
    "gitea": {"x-gitea-signature": signature()},
    "gitlab": {"x-gitlab-token": SECRET},
    "plain": {"x-cloudbang-token": SECRET},
}


@pytest.mark.parametrize("kind", KINDS)
def test_who_has_the_secret(kind: Any) -> None:
    """Is believed; who has another, none, or sends what was not signed, is not."""
    (name, shown), *_ = GOOD[kind].items()
    assert is_signed(kind, GOOD[kind], BODY, SECRET)
    for wrong in ("", "sha256=", shown[:-1], shown + "0", "é", "sha256=é", shown.swapcase() + "x"):
        assert not is_signed(kind, {name: wrong}, BODY, SECRET), wrong
    assert not is_signed(kind, {}, BODY, SECRET)
    assert not is_signed(kind, GOOD[kind], BODY, SECRET + "2")
    if "signature" in name:
        assert not is_signed(kind, GOOD[kind], BODY + b" ", SECRET)
    for other in KINDS:
        if other != kind:
            assert not is_signed(other, GOOD[kind], BODY, SECRET)


def test_a_plain_one_may_be_signed() -> None:
    """So that the secret does not travel."""
    headers = {"x-cloudbang-signature": "sha256=" + signature()}
    assert is_signed("plain", headers, BODY, SECRET)
    assert not is_signed("plain", headers, b"{}", SECRET)


GITHUB = {
    "ref": "refs/heads/main",
    "after": "a" * 40,
    "deleted": False,
    "repository": {"default_branch": "main", "full_name": "ann/web"},
    "pusher": {"name": "ann", "email": "ann@example.com"},
    "commits": [
        {"id": "b" * 40, "added": ["docs/a.md"], "modified": ["src/x.py"], "removed": []},
        {"id": "a" * 40, "added": [], "modified": ["src/x.py"], "removed": ["b"]},
    ],
}
GITLAB = {
    "object_kind": "push",
    "ref": "refs/heads/main",
    "after": "a" * 40,
    "user_username": "ann",
    "project": {"default_branch": "main"},
    "commits": [
        {"id": "a" * 40, "added": ["docs/a.md"], "modified": ["src/x.py"], "removed": ["b"]}
    ],
    "total_commits_count": 1,
}
GITEA = {**GITHUB, "pusher": {"login": "ann", "username": "ann"}, "total_commits": 2}
PUSH = Push("main", "a" * 40, "ann", ("b", "docs/a.md", "src/x.py"), "main")


@pytest.mark.parametrize(
    ("kind", "headers", "told"),
    [
        ("github", {"x-github-event": "push"}, GITHUB),
        ("gitlab", {"x-gitlab-event": "Push Hook"}, GITLAB),
        ("gitea", {"x-gitea-event": "push"}, GITEA),
    ],
)
def test_a_push(kind: Any, headers: dict[str, str], told: dict[str, Any]) -> None:
    """Branch, commit, who, and what it changed."""
    assert push_of(kind, headers, told) == PUSH
    assert push_of(kind, {}, told) is None
    assert push_of(kind, headers, {**told, "after": "0" * 40}) is None
    tag = push_of(kind, headers, {**told, "ref": "refs/tags/v1"})
    assert tag is not None
    assert tag.branch == ""
    nothing = push_of(kind, headers, {})
    assert nothing == Push()


def test_other_events() -> None:
    """A ping, a branch that was deleted: nothing to deploy."""
    assert push_of("github", {"x-github-event": "ping"}, {"zen": "…"}) is None
    assert push_of("github", {"x-github-event": "push"}, {**GITHUB, "deleted": True}) is None


def test_what_changed_is_known_or_not() -> None:
    """Where not all commits are told, as of a large or a forced push, no path is left out for it."""
    gitlab = ("gitlab", {"x-gitlab-event": "Push Hook"})
    gitea = ("gitea", {"x-gitea-event": "push"})
    github = ("github", {"x-github-event": "push"})
    for (kind, headers), told in (
        (gitlab, {**GITLAB, "total_commits_count": 21}),
        (gitlab, {**GITLAB, "commits": []}),
        (gitlab, {**GITLAB, "commits": [{"id": "a" * 40, "added": None}]}),
        (gitea, {**GITEA, "total_commits": 6}),
        (gitea, GITHUB),  # an old one, which tells five commits and not how many there are
        (github, {**GITHUB, "after": "c" * 40}),  # the oldest are told, and not the last
        (github, {**GITHUB, "after": ["c" * 40]}),  # what is no name at all
    ):
        push = push_of(kind, headers, told)  # type: ignore[arg-type]
        assert push is not None
        assert push.paths is None
        assert skipped(push, Filter("", ("nothing/",)), "") is None


@pytest.mark.parametrize(
    ("push", "wanted", "built", "why"),
    [
        (PUSH, Filter(), "", None),
        (PUSH, Filter(), "main", None),
        (PUSH, Filter(), "dev", "other-branch"),
        (PUSH, Filter("main"), "dev", None),
        (PUSH, Filter("ma*"), "", None),
        (PUSH, Filter("release/*"), "", "other-branch"),
        (PUSH, Filter(paths=("src/",)), "", None),
        (PUSH, Filter(paths=("*.md",)), "", "other-paths"),
        (PUSH, Filter(paths=("**/*.md",)), "", None),
        (Push("main"), Filter(), "", None),
        (Push("", "a" * 40), Filter(), "", "no-branch"),
        (Push("", "a" * 40), Filter("main"), "", "no-branch"),
        (Push(), Filter(), "main", None),
        (Push(image="web:2"), Filter("main"), "", None),
    ],
)
def test_which_pushes_concern_an_app(
    push: Push, wanted: Filter, built: str, why: str | None
) -> None:
    """Those of its branch that change what it is made of."""
    assert skipped(push, wanted, built) == why


@pytest.mark.parametrize(
    ("patterns", "taken", "left"),
    [
        (("docs/",), ("docs/a", "docs/b/c"), ("docs", "x/docs/a", "docs2/a")),
        (("*.py",), ("a.py",), ("a/b.py", "a.pyc")),
        (("**/*.py",), ("a.py", "a/b/c.py"), ("a.pyc",)),
        (("src/**",), ("src/a", "src/a/b"), ("src", "a/src/b")),
        (("!docs/",), ("a", "src/b"), ("docs/a",)),
        (("src/", "!src/test/"), ("src/a",), ("src/test/a", "b")),
        (("a?c",), ("abc",), ("a/c", "ac")),
        (("a+(b)[c]",), ("a+(b)[c]",), ("aab",)),
    ],
)
def test_patterns(patterns: tuple[str, ...], taken: tuple[str, ...], left: tuple[str, ...]) -> None:
    """As people write them for a path."""
    assert [path for path in taken if not matching([path], patterns)] == []
    assert [path for path in left if matching([path], patterns)] == []


def test_deliveries_have_names() -> None:
    """By which the same one is known again."""
    assert delivery_of("github", {"x-github-delivery": "1-2"}) == "1-2"
    assert delivery_of("gitea", {"x-gitea-delivery": "3"}) == "3"
    assert delivery_of("gitlab", {"idempotency-key": "4", "x-gitlab-event-uuid": "5"}) == "4"
    assert delivery_of("gitlab", {"x-gitlab-event-uuid": "5"}) == "5"
    assert delivery_of("plain", {"idempotency-key": "6" * 300}) == "6" * 200
    assert delivery_of("plain", {}) == ""


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(max_examples=50)
@given(
    st.sampled_from(KINDS), st.fixed_dictionaries({}, optional=dict.fromkeys(GITLAB, json_values))
)
def test_whatever_is_told(kind: Any, told: dict[str, Any]) -> None:
    """Nothing that a host says is an error here."""
    event = {"x-github-event": "push", "x-gitea-event": "push", "x-gitlab-event": "Push Hook"}
    push = push_of(kind, event, json.loads(json.dumps(told)))
    if push is not None:
        assert push.by.isprintable()
        assert skipped(push, Filter("main", ("a/",)), "b") in (
            *(None, "no-branch", "other-branch", "other-paths"),
        )
