"""What the doctor checks of the gateway. It looks and changes nothing."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from cloudbang.cli.doctor_checks import Finding, can_listen
from cloudbang.cli.doctor_database import FILE
from cloudbang.config import Settings
from cloudbang.domain.text import Text
from cloudbang.gateway.ipv6 import passes_for_local

_WHAT = Text("Gateway", "网关")


def gateway(settings: Settings) -> Iterator[Finding]:
    """The program that it is made of; then, where apps have routes, whether it answers, and else
    whether its ports can be had."""
    yield _program()
    folder = settings.storage.path
    wanted, its = _routes(folder), settings.gateway
    if wanted:
        yield _answers(folder, wanted)
        if not its.ipv6_closed and passes_for_local(its.http_port, is_up=True):
            yield _ipv6(its.http_port)
        return
    for variable, port in (
        ("CLOUDBANG_GATEWAY_HTTP_PORT", its.http_port),
        ("CLOUDBANG_GATEWAY_HTTPS_PORT", its.https_port),
    ):
        yield can_listen(variable, "", port)


def _ipv6(port: int) -> Finding:
    rule = f"ip6tables -I INPUT ! -i lo -p tcp --dport {port} -j DROP"
    return Finding(
        "gateway-ipv6",
        _WHAT,
        True,
        Text(
            f"who comes to port {port} by IPv6 passes for this machine, so that no app gets a .localhost "
            f"domain of its own, and no proxy on this machine is believed: {rule} closes it "
            "(CLOUDBANG_GATEWAY_IPV6_CLOSED=true then), and so does an engine with "
            '"userland-proxy": false',
            f"通过 IPv6 访问端口 {port} 的人会被当作本机，因此应用不能使用自定的 .localhost 域名，本机上的代理也不被信任："
            f"{rule} 可以关闭它（然后设置 CLOUDBANG_GATEWAY_IPV6_CLOSED=true），"
            '引擎设置 "userland-proxy": false 也可以',
        ),
    )


def _program() -> Finding:
    from cloudbang.gateway.image import PROGRAMS, VERSION, examine_program

    machine = platform.machine()
    mend = Text(
        "install what requirements.txt says: .venv/bin/pip install -r requirements.txt",
        "按 requirements.txt 安装：.venv/bin/pip install -r requirements.txt",
    )
    if machine not in PROGRAMS:
        found = Text(
            f"none for this processor ({machine}): apps are reached by published ports alone",
            f"没有适用于此处理器（{machine}）的版本：应用只能通过发布的端口访问",
        )
        return Finding("gateway-program", _WHAT, True, found)
    program = examine_program()
    found = Text(f"Caddy {VERSION}", f"Caddy {VERSION}")
    if not program.ok:
        found = Text(
            f"{program.path} is not the Caddy {VERSION} that this CloudBang was tried with",
            f"{program.path} 不是本版云帮所验证过的 Caddy {VERSION}",
        )
    return Finding("gateway-program", _WHAT, program.ok, found, mend)


def _routes(folder: Path) -> int:
    """How many apps have a route, as far as the database can be read."""
    path = folder / FILE
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=2)) as c:
            return int(c.execute("SELECT count(*) FROM routes").fetchone()[0])
    except sqlite3.Error:
        return 0  # of an older form, or damaged, which is said elsewhere


def _answers(folder: Path, wanted: int) -> Finding:
    from cloudbang.gateway.admin import CaddyAdmin
    from cloudbang.gateway.errors import GatewayAway
    from cloudbang.gateway.gateway import FOLDER

    try:
        CaddyAdmin(folder / FOLDER / "run").config()
    except GatewayAway as e:
        return Finding(
            "gateway-away",
            _WHAT,
            False,
            Text(
                f"{wanted} apps have a route, and it does not answer ({e.reason})",
                f"{wanted} 个应用有路由，但网关没有应答（{e.reason}）",
            ),
            Text(
                "CloudBang brings it up by itself while it runs; why it does not come is said by "
                "docker service ps --no-trunc cloudbang-gateway",
                "云帮运行时会自动恢复它；无法恢复的原因见 docker service ps --no-trunc cloudbang-gateway",
            ),
        )
    return Finding(
        "gateway", _WHAT, True, Text(f"answers, {wanted} routes", f"有应答，{wanted} 条路由")
    )
