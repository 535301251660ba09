"""The names of images."""

from __future__ import annotations

import pytest

from cloudbang.domain.deploy.image_name import digest_of, familiar, is_called, registry_of


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("nginx", ""),
        ("library/nginx:1", ""),
        ("docker.io/library/nginx", ""),
        ("localhost/x", "localhost"),
        ("127.0.0.1:5000/x", "127.0.0.1:5000"),
        ("r.example.com/team/x@sha256:1", "r.example.com"),
    ],
)
def test_the_registry_of_an_image(image: str, registry: str) -> None:
    assert registry_of(image) == registry


@pytest.mark.parametrize(
    ("image", "short"),
    [
        ("nginx", "nginx:latest"),
        ("docker.io/library/nginx:1", "nginx:1"),
        ("library/nginx", "nginx:latest"),
        ("index.docker.io/ada/x", "ada/x:latest"),
        ("localhost:5000/x", "localhost:5000/x:latest"),
        ("localhost:5000/x:2@sha256:ab", "localhost:5000/x@sha256:ab"),
    ],
)
def test_the_shortest_name(image: str, short: str) -> None:
    assert familiar(image) == short


def test_which_image_a_name_means() -> None:
    """The beginning of an id is no name."""
    names = ("cafe:latest", "nginx:1.27", "nginx@sha256:d1")
    id = "sha256:cafe" + "0" * 60
    assert is_called("docker.io/library/nginx:1.27", names, id)
    assert is_called("nginx:9@sha256:d1", names, id)
    assert is_called("cafe", names, id)
    assert is_called(id, (), id)
    assert not is_called("cafe", names[1:], id)
    assert not is_called("nginx", names, id)


def test_the_digest_that_the_repository_told() -> None:
    digests = ("r.example.com/x@sha256:1", "x@sha256:2")
    assert digest_of("r.example.com/x:5", digests) == "r.example.com/x@sha256:1"
    assert digest_of("docker.io/library/x", digests) == "x@sha256:2"
    assert digest_of("y", digests) == ""
