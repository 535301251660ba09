"""``python -m cloudbang doctor``: what is wrong with this machine, and how to mend it.

Each check (:mod:`cloudbang.cli.doctor_engine`, :mod:`cloudbang.cli.doctor_checks`) gives findings; one says what was looked at, what
was found and, when that is wrong, what to do. In Chinese where the terminal is. The exit code is 1
when something is wrong.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping

import click

from cloudbang import config
from cloudbang.cli import doctor_checks, doctor_database, doctor_engine, doctor_gateway
from cloudbang.cli.doctor_checks import Finding
from cloudbang.cli.language import is_chinese
from cloudbang.domain.text import Text
from cloudbang.errors import SettingError

_SETTINGS = Text("Settings", "设置")
_MARKS = {True: Text("ok", "正常"), False: Text("WRONG", "异常")}


def examine(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Every finding, in the order people want to read them. Never raises for what it examines."""
    try:
        settings = config.load(environ=environ)
    except SettingError as e:
        yield Finding(
            "settings",
            _SETTINGS,
            False,
            Text(str(e), str(e)),
            Text("correct it and run doctor again", "改正后再运行一次 doctor"),
        )
        return
    yield Finding("settings", _SETTINGS, True, Text("can be used", "可用"))
    yield from doctor_engine.engine(
        settings.engine.host, environ, settings.node, settings.storage.path
    )
    yield from doctor_checks.data_folder(settings.storage)
    yield from doctor_database.database(settings.storage.path)
    yield from doctor_checks.ports(settings)
    yield from doctor_gateway.gateway(settings)
    yield from doctor_checks.file_descriptors(settings.server.max_connections)
    yield from doctor_checks.proxies(settings.server)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
def doctor(as_json: bool) -> None:
    """Say what is wrong with this machine and how to mend it."""
    chinese = is_chinese()
    findings: list[Finding] = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            click.echo(_as_text(finding, chinese))
    wrong = sum(not finding.ok for finding in findings)
    if as_json:
        click.echo(json.dumps([f.as_json(chinese) for f in findings], ensure_ascii=False, indent=2))
    elif wrong:
        one, other = ("problem", "problems")
        summary = Text(
            f"{wrong} {one if wrong == 1 else other} to mend.", f"共有 {wrong} 处需要处理。"
        )
        click.echo("\n" + summary.of(chinese))
    else:
        click.echo("\n" + Text("Nothing is wrong.", "一切正常。").of(chinese))
    sys.exit(1 if wrong else 0)


def _as_text(finding: Finding, chinese: bool) -> str:
    colon, mark = ("：" if chinese else ": "), _MARKS[finding.ok].of(chinese)
    first = f"[{mark}] {finding.what.of(chinese)}{colon}{finding.found.of(chinese)}"
    if finding.ok or finding.mend is None:
        return first
    return f"{first}\n    → {finding.mend.of(chinese)}"
