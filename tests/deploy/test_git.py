"""Sources from Git, over HTTP as a host serves them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from cloudbang.deploy.addresses import AddressRefused
from cloudbang.deploy.git import Cancelled, Credentials, GitFailed, fetch
from tests.deploy.git_host import LOGIN, Host, git
from tests.support import patient, running, wait_until

ALLOWED = ["127.0.0.1"]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    folder = tmp_path / "served"
    work = tmp_path / "work"
    (folder / "web.git").mkdir(parents=True)
    work.mkdir()
    git("init", "--quiet", "--bare", at=folder / "web.git")
    git("init", "--quiet", at=work)
    (work / "a.txt").write_text("one")
    git("add", "-A", at=work)
    git("commit", "--quiet", "-m", "one", at=work)
    git("checkout", "--quiet", "-b", "other", at=work)
    (work / "a.txt").write_text("two")
    git("commit", "--quiet", "-am", "two", at=work)
    git("push", "--quiet", str(folder / "web.git"), "main", "other", at=work)
    made = Host(folder)
    made.main, made.other = (git("rev-parse", n, at=work) for n in ("main", "other"))  # type: ignore[attr-defined]
    yield made
    made.close()


def test_a_branch_is_fetched(host: Host, tmp_path: Path) -> None:
    """The newest commit alone; without a name the branch that is shown by itself."""
    said: list[bytes] = []
    one, two = tmp_path / "one", tmp_path / "two"
    url = f"{host.url}/web.git"
    assert fetch(url, "other", one, allowed_hosts=ALLOWED, say=said.append) == host.other
    assert (one / "a.txt").read_text() == "two"
    assert fetch(url, "", two, allowed_hosts=ALLOWED) == host.main
    assert (two / "a.txt").read_text() == "one"
    assert said
    assert git("rev-list", "--count", "HEAD", at=one) == "1"


def test_with_credentials_that_nobody_sees(host: Host, tmp_path: Path) -> None:
    """Not in an argument, not in the source's configuration, not in an error."""
    host.private = True
    url = f"{host.url}/web.git"
    into = tmp_path / "one"
    assert fetch(url, "main", into, credentials=LOGIN, allowed_hosts=ALLOWED) == host.main
    assert "fetch" in host.arguments
    assert not any("canary" in word or LOGIN.header[-20:] in word for word in host.arguments)
    for path in (into / ".git").rglob("*"):
        if path.is_file():
            assert b"canary" not in path.read_bytes()
            assert LOGIN.header[-20:].encode() not in path.read_bytes()
    with pytest.raises(GitFailed) as e:
        fetch(url, "main", tmp_path / "two", allowed_hosts=ALLOWED)
    assert "could not be fetched" in str(e.value)
    wrong = Credentials("ada", "canary-other")
    with pytest.raises(GitFailed) as e:
        fetch(url, "main", tmp_path / "three", credentials=wrong, allowed_hosts=ALLOWED)
    assert "canary" not in str(e.value)


@pytest.mark.parametrize(
    ("url", "branch", "said"),
    [
        ("{}/none.git", "main", "not found"),
        ("{}/web.git", "none", "none"),
        ("{}/web.git", "--upload-pack=touch /tmp/never", "could not be fetched"),
        ("{}/web.git", "--output=x", "could not be fetched"),
        ("{}/moved.git", "main", "could not be fetched"),
    ],
)
def test_what_is_not_there_is_said_in_gits_own_words(host, tmp_path, url, branch, said) -> None:
    """Nobody is followed to another address."""
    with pytest.raises(GitFailed) as e:
        fetch(url.format(host.url), branch, tmp_path / "x", allowed_hosts=ALLOWED)
    assert said in str(e.value)
    assert not any("web.git" in path for path in host.asked if url == "{}/moved.git")


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc", "/etc", "ssh://h/x", "git@h:x", "git://h/x"),
        *("ext::sh -c id", "--upload-pack=id", "https://", "http://user:canary@h/x"),
    ],
)
def test_other_protocols_and_odd_addresses_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(GitFailed) as e:
        fetch(url, "main", tmp_path / "x")
    assert "canary" not in str(e.value)
    assert not (tmp_path / "x").exists()


def test_this_machine_is_asked_only_where_an_admin_allowed_it(host: Host, tmp_path: Path) -> None:
    with pytest.raises(AddressRefused):
        fetch(f"{host.url}/web.git", "main", tmp_path / "x")
    assert host.asked == []


def test_one_that_is_cancelled_or_too_slow_leaves_nothing_running(
    host: Host, tmp_path: Path
) -> None:
    host.slow = True
    wanted = [True]
    url = f"{host.url}/web.git"
    going = gevent.spawn(
        fetch, url, "main", tmp_path / "x", allowed_hosts=ALLOWED, wanted=lambda: wanted[0]
    )
    wait_until(lambda: host.asked, 10, "the request")
    wanted[0] = False
    with pytest.raises(Cancelled):
        going.get(timeout=patient(10))
    with pytest.raises(GitFailed) as e:
        fetch(url, "main", tmp_path / "y", allowed_hosts=ALLOWED, within=1.0)
    assert "too long" in str(e.value)
    assert running(str(tmp_path)) == []


def test_hooks_and_links_of_a_source_do_nothing(host: Host, tmp_path: Path) -> None:
    """What is checked out is files; nothing in them runs."""
    work = tmp_path / "work"
    git("checkout", "--quiet", "main", at=work)
    (work / ".gitattributes").write_text("*.txt filter=evil\n")
    (work / ".gitmodules").write_text('[submodule "s"]\n path = s\n url = file:///etc\n')
    (work / "link").symlink_to("/etc/passwd")
    git("add", "-A", at=work)
    git("commit", "--quiet", "-m", "odd", at=work)
    git("push", "--quiet", str(host.folder / "web.git"), "main", at=work)
    into = tmp_path / "x"
    fetch(f"{host.url}/web.git", "main", into, allowed_hosts=ALLOWED)
    assert (into / "link").is_symlink()
    assert not (into / "s").exists()
