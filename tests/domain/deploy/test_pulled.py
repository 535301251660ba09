"""How far an image is fetched."""

from __future__ import annotations

from cloudbang.domain.deploy.pulled import MOST, PullProgress

A, B = "a" * 12, "b" * 12


def test_layers_and_bytes() -> None:
    pull = PullProgress()
    assert pull.feed("1.27", "Pulling from library/nginx") == "1.27: Pulling from library/nginx"
    assert pull.feed(A, "Already exists") == f"{A}: Already exists"
    assert pull.feed(B, "Pulling fs layer") is None
    assert pull.feed(B, "Downloading", 30, 100) is None
    assert pull.told == {
        "layers": [[A, "Already exists", 0, 0], [B, "Downloading", 30, 100]],
        "layers_done": 1,
        "layers_all": 2,
        "done": 30,
        "total": 100,
    }
    pull.feed(B, "Download complete")
    pull.feed(B, "Extracting", 5, 120)
    assert (pull.told["done"], pull.told["total"]) == (100, 100)
    assert pull.feed(B, "Pull complete") == f"{B}: Pull complete"
    assert pull.told["layers_done"] == 2
    assert pull.feed("", "Digest: sha256:1") == "Digest: sha256:1"


def test_that_it_is_asked_again_is_said_once() -> None:
    """The engine counts the seconds down."""
    pull = PullProgress()
    said = [pull.feed(A, f"Retrying in {left} seconds") for left in (3, 2, 1)]
    assert said == [f"{A}: the registry broke off, it is asked again", None, None]
    pull.feed(A, "Downloading", 1, 2)
    assert pull.feed(A, "Retrying in 1 second") is not None


def test_it_stays_small() -> None:
    pull = PullProgress()
    for n in range(200):
        pull.feed(f"{n:012x}", "Pull complete")
    told = pull.told
    assert len(told["layers"]) == MOST  # type: ignore[arg-type]
    assert told["layers_all"] == 200
