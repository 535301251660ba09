"""What the doctor checks of the database. It looks and changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from cloudbang.cli.doctor_checks import Finding
from cloudbang.domain.text import Text
from cloudbang.storage.data_folder import is_served

FILE = "cloudbang.db"  # storage.database.database.FILE, whose imports this does without


def database(folder: Path) -> Iterator[Finding]:
    """That the database can be read, and that its form is one that this CloudBang knows; nothing
    where there is none yet."""
    path = folder.absolute() / FILE
    if not path.exists():
        return
    from cloudbang.storage.database.tables import REVISION

    what = Text("Database", "数据库")
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=2)) as c:
            (found,) = c.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.Error, TypeError) as e:
        yield Finding(
            "database",
            what,
            False,
            Text(f"{path} cannot be read: {e}", f"{path} 无法读取：{e}"),
            Text(
                "make it yours (chown), or put a backup of it in its place",
                "改变它的属主（chown），或换上它的备份",
            ),
        )
        return
    old = found < REVISION and is_served(folder)
    mend = Text("restart the server: it brings it to the new form", "重启服务，它会升级数据库")
    if found > REVISION:
        mend = Text("run the newer CloudBang that wrote it", "运行写入它的新版云帮")
    yield Finding(
        "database",
        what,
        not old and found <= REVISION,
        Text(
            f"has the form {found}, this CloudBang {REVISION}", f"格式 {found}，本版云帮 {REVISION}"
        ),
        mend,
    )
