"""Why something that a Compose file, a `docker run` line or a container that runs asks for is not
honoured, in the same words in all of them."""

from __future__ import annotations

from cloudbang.domain.text import Text

SWARM = Text("a service of Swarm cannot have it", "Swarm 服务不支持")
ADDRESSES = Text(
    "a published port is open on all addresses of the machine: the address is left out",
    "发布的端口会在本机所有地址上打开：地址被忽略",
)
LOOPBACK = Text(
    "it is open on that address alone, and a published port is open on all of them: give the app a "
    "route instead",
    "它只在该地址上打开，而发布的端口会在所有地址上打开：请改为给应用一个路由",
)
NO_FIELD = Text("a specification has no field for it", "规格中没有对应的字段")
LOGS = Text("CloudBang keeps and rotates the log", "日志由云帮保存和轮转")
ANONYMOUS = Text(
    "a volume without a name is a new one each time: give it a name",
    "没有名称的卷每次都是新的：请为其命名",
)
UNKNOWN = Text("it is not known", "无法识别")
VALUE_HERE = Text("it has no value here: write one", "此处没有值：请填写")


def of_address(address: str) -> Text | None:
    """What is said of a port that is published on one address of the machine; None where it is on
    all of them. Of LOOPBACK none is published: what only the machine itself reached, a database
    without a password perhaps, would be open to everybody."""
    plain = address.strip("[]")
    if plain in ("", "0.0.0.0", "::"):  # noqa: S104 - what is compared with
        return None
    return LOOPBACK if plain.startswith("127.") or plain == "::1" else ADDRESSES


# --- of a specification

OF_A_JOB = Text(
    "nobody asks a job whether it is healthy: it is done once it has ended with 0",
    "任务不做健康检查：以 0 结束即为完成",
)
OF_A_COMMAND = Text(
    "only a command is tried again once it has succeeded: what is asked from outside is asked until "
    "it answers, and then no more",
    "只有命令检查会在成功之后继续执行：从外部的检查在得到响应后即结束",
)

# --- of Compose files

ONE_NETWORK = Text(
    "the services of a stack share one network of their own", "同一应用组的服务共用一个私有网络"
)
NO_SUCH_NETWORK = Text(
    "there is no network of that name on this machine: the app is not on it",
    "本机没有该名称的网络：应用不会加入其中",
)
OURS = Text("a deployment decides that by itself", "由部署过程自行决定")
WITH_HOST = Text(
    "in the machine's own network an app listens on the machine's ports by itself",
    "使用宿主机网络的应用直接监听本机端口",
)
OF_THE_IMAGE = Text(
    "without a command it changes the image's own check, which stays as it is",
    "未写命令，只修改镜像自带的健康检查，而该检查保持不变",
)
WITHIN = Text(
    "how long an app may take to be healthy is one time: start_period, and the retries after it",
    "应用变为健康的时限只有一个：start_period 加上其后的重试",
)
DEVELOPING = Text("it is for developing, and not for serving", "仅用于开发，不用于运行")
NOT_SENT = Text(
    "it was not sent along: drop the whole folder", "未随文件一起发送：请拖入整个文件夹"
)
ANY_PORT = Text(
    "any port of the machine that is free is meant: here it is the same as the app's own",
    "原意是本机任意空闲端口：此处与应用自己的端口相同",
)
BESIDE = Text(
    "a folder beside the file is kept as a volume of its own here",
    "文件旁的文件夹在此保存为独立的卷",
)
OUTSIDE = Text("it is outside of the file's folder", "位于该文件所在文件夹之外")
NOT_NAMED = Text(
    "is not in this file any more: it goes on as it is, until it is deleted on its page",
    "已不在此文件中：将保持原样运行，直到在其页面上删除",
)
OTHERS = Text("it was made elsewhere, and is not read", "在别处创建，无法读取")
NAMED_BY_US = Text("labels of that name are CloudBang's own", "该名称的标签由云帮自用")
OWNER = Text("it belongs to root", "属于 root 用户")

COMPOSE: dict[str, Text] = {
    **dict.fromkeys(
        (
            *("privileged", "pid", "ipc", "uts", "userns_mode", "cgroup"),
            *("devices", "device_cgroup_rules", "security_opt", "gpus"),
            *("cpuset", "cpu_shares", "cpu_quota", "cpu_period", "cpu_rt_period", "cpu_rt_runtime"),
            *("memswap_limit", "mem_swappiness", "oom_kill_disable", "oom_score_adj"),
            *("mac_address", "external_links", "volumes_from", "storage_opt"),
            *("blkio_config", "cgroup_parent", "domainname", "credential_spec", "isolation"),
            *("cpu_count", "cpu_percent", "provider", "use_api_socket"),
            *("models", "volume_driver", "runtime", "post_start", "pre_stop"),
        ),
        SWARM,
    ),
    "logging": LOGS,
    **dict.fromkeys(("pull_policy", "platform", "attach", "annotations"), OURS),
    "develop": DEVELOPING,
}
"""Keys of a service that none is honoured of, whatever they hold."""
# Of a container that is taken over as an app.
CAPABILITIES = Text(
    "privileged containers cannot be services of Swarm: name the capabilities that it needs",
    "特权容器不能作为 Swarm 服务：请写明所需的能力（capabilities）",
)
ONE_MACHINE = Text(
    "a network of one machine carries no apps: who is on it finds the app no more; apps find each "
    "other by their names",
    "单机网络不能承载应用：其中的容器将找不到该应用；应用之间以名称互访",
)
NO_NETWORK = Text("an app has a network", "应用总有网络")
WRITTEN = Text(
    "what it wrote outside of its volumes stays in the old container",
    "写在卷以外的内容会留在旧容器中",
)
RANDOM = Text("the engine chose this port: from now on it stays", "该端口由引擎选定：今后保持不变")
MOVED = Text(
    "the name means another image by now: the one that runs is taken by its id",
    "该名称现在指向另一个镜像：按 ID 采用正在运行的镜像",
)
KEPT = Text("an app's containers stay until they are replaced", "应用的容器在被替换前一直保留")
NO_VALUE = Text("it has no value", "没有值")
BY_COMPOSE = Text(
    "its Compose project still names it: `up` would start another one beside the app",
    "它仍在 Compose 项目中：执行 up 会在应用之外再启动一个",
)
