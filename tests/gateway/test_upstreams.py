"""The files that say where an app's requests go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cloudbang.errors import StorageFailed
from cloudbang.gateway.upstreams import UpstreamFiles


@pytest.fixture
def files(tmp_path: Path) -> UpstreamFiles:
    return UpstreamFiles(tmp_path / "up")


def test_what_is_written_is_read(files: UpstreamFiles, tmp_path: Path) -> None:
    """Also of an app whose name is no file's."""
    assert files.read("web") == ("", 0)
    files.write("web", "web-r1", 80)
    files.write("../My App", "my-app-r3", 8080)
    assert files.read("web") == ("web-r1", 80)
    assert files.read("../My App") == ("my-app-r3", 8080)
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {tmp_path / "up"}


def test_a_switch_is_seen_whole(files: UpstreamFiles, tmp_path: Path) -> None:
    """Who has the file open reads the old one to its end: it is another file that takes its name."""
    files.write("web", "web-r1", 80)
    with (tmp_path / "up" / "web").open() as before:
        files.write("web", "web-r22222", 80)
        assert before.read() == "web-r1"
    assert files.read("web") == ("web-r22222", 80)
    assert sorted(os.listdir(tmp_path / "up")) == ["web", "web.port"]


@pytest.mark.parametrize("text", ["", "web-r1\nx", "{env.HOME}", "a.b", "é", "x" * 100, "-a"])
def test_what_is_no_services_name_is_neither_read_nor_written(
    files: UpstreamFiles, tmp_path: Path, text: str
) -> None:
    files.write("web", "web-r1", 80)
    with pytest.raises(ValueError, match="no service's name"):
        files.write("web", text, 80)
    assert files.read("web") == ("web-r1", 80)
    (tmp_path / "up" / "web").write_text(text)
    assert files.read("web") == ("", 0)


def test_only_files_of_apps_stay(files: UpstreamFiles, tmp_path: Path) -> None:
    files.keep_only([])
    for app in ("web", "shop"):
        files.write(app, f"{app}-r1", 80)
    (tmp_path / "up" / ".web").write_text("left over")
    files.keep_only(["web"])
    assert sorted(os.listdir(tmp_path / "up")) == ["web", "web.port"]


def test_a_folder_that_cannot_be_written_is_said(files: UpstreamFiles, tmp_path: Path) -> None:
    (tmp_path / "up").write_text("a file")
    with pytest.raises(StorageFailed) as e:
        files.write("web", "web-r1", 80)
    assert "up" in str(e.value)
