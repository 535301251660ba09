"""``python -m cloudbang share``: settings in, the link out on standard output, the rest on
standard error."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import sqlite3
import sys
from pathlib import Path

import click

from cloudbang import config
from cloudbang.cli.language import is_chinese
from cloudbang.cli.share.errors import NoDataFolder, NoServer, NotStartable
from cloudbang.cli.share.server_connection import ServerConnection
from cloudbang.cli.share.sharing import Sharing
from cloudbang.config import ServerSettings
from cloudbang.domain.terminals import Size
from cloudbang.domain.text import Text
from cloudbang.terminals import share_pass

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104
MESSAGES = {
    "watch": Text(
        "Who opens this link first, with an account, watches. Ctrl+C ends it.",
        "第一个打开此链接的账号可以观看。按 Ctrl+C 结束。",
    ),
    "type": Text(
        "Who opens this link first, with an account, watches and types. Ctrl+C ends it.",
        "第一个打开此链接的账号可以观看并输入。按 Ctrl+C 结束。",
    ),
    "loopback": Text(
        "From other machines, put this machine's name in place of {host}, or set "
        "CLOUDBANG_SERVER_PUBLIC_URL.",
        "从其他机器访问时，请把 {host} 换成本机的名称，或设置 CLOUDBANG_SERVER_PUBLIC_URL。",
    ),
    "ending": Text("Ending the command.", "正在结束命令。"),
    "ended-there": Text(
        "The share was ended on the server; ending the command.",
        "共享已在服务器上结束；正在结束命令。",
    ),
    "stopped": Text("The server has stopped; ending the command.", "服务器已停止；正在结束命令。"),
    "lost": Text(
        "The connection to the server is lost; ending the command.",
        "与服务器的连接已断开；正在结束命令。",
    ),
    "tail-lost": Text(
        "The connection to the server was lost: the end of the output may be missing there.",
        "与服务器的连接已断开：那里可能缺少输出的末尾。",
    ),
    "left": Text("Some processes of the command could not be ended.", "命令的部分进程未能结束。"),
}


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("-w", "--write", is_flag=True, help="Who opens the link may type, too.")
@click.option("--title", default="", help="What the terminal is called; the command unless said.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def share(write: bool, title: str, command: tuple[str, ...]) -> None:
    """Show COMMAND in the pages of the server that runs.

    COMMAND runs here, in a terminal of its own. Prints a link, alone, to give to one person with
    an account: the first to open it watches (and with -w types), nobody after them. Ends with
    COMMAND, and with its exit status; COMMAND ends with this, and with the server.
    """
    settings = config.load()
    _check(command[0])
    folder = settings.storage.path
    host = EVERYWHERE.get(settings.server.host, settings.server.host)
    chinese = is_chinese()

    def say(what: str) -> None:
        click.echo(f"cloudbang: {MESSAGES[what].of(chinese).format(host=host)}", err=True)

    key = _key(folder, host, settings.server.port)
    server = ServerConnection(host, settings.server.port, key, _who(), str(folder))
    sharing = Sharing(server, say)
    path = sharing.ask(command, title[:200], write, _size())
    click.echo(_base(settings.server, server.address) + path)
    say("type" if write else "watch")
    if settings.server.host in EVERYWHERE and not settings.server.public_url:
        say("loopback")
    try:
        status = sharing.run(command)
    except NotStartable as e:
        click.echo(f"cloudbang: {e}", err=True)
        status = e.exit_status
    sys.exit(status)


def _check(command: str) -> None:
    """What cannot be found is said before anybody is told of it."""
    if shutil.which(command) is None:
        is_there = os.path.exists(command)
        reason = "it is no program" if is_there else "there is no such program"
        click.echo(f"cloudbang: {NotStartable(command, reason, 127)}", err=True)
        sys.exit(126 if is_there else 127)


def _who() -> str:
    """For the audit list."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in containers
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _key(folder: Path, host: str, port: int) -> bytes:
    """The installation's key. Raises NoDataFolder, NoServer."""
    try:
        key = share_pass.read_key(folder)
    except (OSError, sqlite3.Error) as e:
        raise NoDataFolder(str(folder), getattr(e, "strerror", None) or str(e)) from None
    if key is not None:
        return key
    try:
        socket.create_connection((host, port), 5.0).close()
    except OSError as e:
        raise NoServer(f"{host}:{port}", e.strerror or str(e)) from None
    raise NoDataFolder(str(folder), "there is no database in it")


def _size() -> Size:
    """That of the terminal this was called in, if it was."""
    columns, rows = shutil.get_terminal_size((80, 24))
    return Size.of(columns, rows) or Size()


def _base(server: ServerSettings, address: str) -> str:
    return server.public_url.rstrip("/") if server.public_url else f"http://{address}"
