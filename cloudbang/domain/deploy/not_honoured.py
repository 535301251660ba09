"""Why something that a Compose file or a `docker run` line asks for is not honoured, in the same
words in both."""

from __future__ import annotations

from cloudbang.domain.text import Text

SWARM = Text("a service of Swarm cannot have it", "Swarm 服务不支持")
ADDRESSES = Text(
    "a published port is open on all addresses of the machine: the address is left out",
    "发布的端口会在本机所有地址上打开：地址被忽略",
)
LOGS = Text("CloudBang keeps and rotates the log", "日志由云帮保存和轮转")
ANONYMOUS = Text(
    "a volume without a name is a new one each time: give it a name",
    "没有名称的卷每次都是新的：请为其命名",
)
UNKNOWN = Text("it is not known", "无法识别")
