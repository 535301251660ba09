"""Texts in the reader's language, compiled or not."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import pytest

from cloudbang.web.pages import i18n


@pytest.mark.parametrize("compiled", ["missing", "older"])
def test_texts_that_were_not_compiled_are_read_as_they_stand(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    compiled: str,
) -> None:
    """They are the same, nothing is written (the folder may belong to somebody else), and it is
    said what was forgotten."""
    expected = i18n.texts("zh")
    folder = tmp_path / "translations"
    shutil.copytree(i18n.FOLDER, folder)
    for path in folder.rglob("*.mo"):
        if compiled == "missing":
            path.unlink()
        else:
            path.write_bytes(b"an old one")
            os.utime(path, (1, 1))
    before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    monkeypatch.setattr(i18n, "FOLDER", folder)
    i18n.texts.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert i18n.texts("zh") == expected
    finally:
        i18n.texts.cache_clear()
    assert len(expected) > 300
    assert any("run `make`" in said for said in caplog.messages)
    assert before == sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
