"""What does not work when a call to the engine is refused by something before it, and what mends
that: said by the doctor and on the pages in the same words.

The permissions are named as the common socket proxies name them. A page translates the English
sentence as a whole: ``web.po`` has each of them as it stands here, which a test compares.
"""

from __future__ import annotations

from dataclasses import dataclass

from cloudbang.domain.text import Text


@dataclass(frozen=True, slots=True)
class Refusal:
    """``refused`` says by whom and what does not work; ``mend`` what to allow."""

    refused: Text
    mend: Text

    @property
    def sentence(self) -> Text:
        """Both in one."""
        return Text(f"{self.refused.en}; {self.mend.en}", f"{self.refused.zh}；{self.mend.zh}")


def _refusal(what: Text, lacks: Text, paths: str, permission: str) -> Refusal:
    named, named_zh = permission.replace("+", " and "), permission.replace("+", " 和 ")
    return Refusal(
        Text(
            f"something between CloudBang and the Docker Engine refuses {what.en}: {lacks.en}",
            f"云帮与 Docker 引擎之间有程序拒绝了{what.zh}：{lacks.zh}",
        ),
        Text(
            f"allow {paths.replace('+', ' and ')} (in a socket proxy: {named})",
            f"请放行 {paths.replace('+', ' 和 ')}（socket 代理中为 {named_zh}）",
        ),
    )


REFUSALS = {
    "version": _refusal(
        Text("to tell the engine's version", "查询引擎版本"),
        Text("nothing can be asked", "什么都无法查询"),
        "GET /version",
        "VERSION=1",
    ),
    "events": _refusal(
        Text("to tell of events", "订阅事件"),
        Text(
            "containers are listed every few seconds instead, and those that live shorter are missed",
            "改为每隔几秒列出一次容器，存活更短的容器会漏掉",
        ),
        "GET /events",
        "EVENTS=1",
    ),
    "list": _refusal(
        Text("to list containers", "列出容器"),
        Text("no app is found", "找不到任何应用"),
        "GET /containers/json",
        "CONTAINERS=1",
    ),
    "inspect": _refusal(
        Text("to inspect containers", "查看容器详情"),
        Text("their logs are not read and no terminal opens", "不会读取其日志，也打不开终端"),
        "GET /containers/ID/json",
        "CONTAINERS=1",
    ),
    "logs": _refusal(
        Text("to give the logs of containers", "读取容器日志"),
        Text("what they log is not kept", "它们的日志不会保存"),
        "GET /containers/ID/logs",
        "CONTAINERS=1",
    ),
    "stats": _refusal(
        Text("to tell what containers use", "查询容器的资源用量"),
        Text(
            "it is measured only where control groups can be read",
            "只有能读取控制组时才有监控数据",
        ),
        "GET /containers/ID/stats",
        "CONTAINERS=1",
    ),
    "exec": _refusal(
        Text("to run commands in containers", "在容器中运行命令"),
        Text("neither terminals nor files can be opened", "终端和文件都打不开"),
        "POST /containers/ID/exec+POST and GET /exec/ID/…",
        "CONTAINERS=1, EXEC=1+POST=1",
    ),
    "images": _refusal(
        Text("to look at images", "查看镜像"),
        Text("no toolbox can be opened", "打不开工具箱"),
        "GET /images/NAME/json",
        "IMAGES=1",
    ),
    "pull": _refusal(
        Text("to fetch images", "拉取镜像"),
        Text("no toolbox opens before its image is there", "镜像就绪之前打不开工具箱"),
        "POST /images/create",
        "IMAGES=1+POST=1",
    ),
    "create": _refusal(
        Text("to make, start and remove containers", "创建、启动和删除容器"),
        Text(
            "no toolbox can be opened, and no container started or removed",
            "打不开工具箱，也无法启动或删除容器",
        ),
        "POST /containers/create, POST /containers/ID/start, POST /containers/ID/wait"
        "+DELETE /containers/ID",
        "CONTAINERS=1+POST=1",
    ),
    "tag": _refusal(
        Text("to name images and to take names away", "为镜像添加和去除名称"),
        Text("no release can be gone back to", "无法恢复到以前的版本"),
        "POST /images/NAME/tag+DELETE /images/NAME",
        "IMAGES=1+POST=1",
    ),
    "build": _refusal(
        Text("to build images", "构建镜像"),
        Text("only images that are there already can be deployed", "只能部署已有的镜像"),
        "POST /build+POST /build/cancel",
        "BUILD=1+POST=1",
    ),
    "info": _refusal(
        Text("to tell how it is set up", "查询引擎的设置"),
        Text("nothing can be deployed", "无法部署应用"),
        "GET /info",
        "INFO=1",
    ),
    "swarm": _refusal(
        Text("to switch Swarm on and to list its nodes", "启用 Swarm 和列出节点"),
        Text("nothing can be deployed", "无法部署应用"),
        "POST /swarm/init+GET /nodes",
        "SWARM=1, NODES=1+POST=1",
    ),
    "networks": _refusal(
        Text("to look at networks and to make them", "查看和创建网络"),
        Text("nothing can be deployed", "无法部署应用"),
        "GET /networks, GET /networks/NAME+POST /networks/create",
        "NETWORKS=1+POST=1",
    ),
    "services": _refusal(
        Text("to make, change and remove services", "创建、修改和删除服务"),
        Text("nothing can be deployed", "无法部署应用"),
        "GET /services, POST /services/create, POST /services/ID/update, DELETE /services/ID"
        "+GET /tasks",
        "SERVICES=1, TASKS=1+POST=1",
    ),
    "secrets": _refusal(
        Text("to keep secrets and configs", "保存密钥和配置"),
        Text(
            "apps that have secrets or files cannot be deployed",
            "带有密钥或文件的应用无法部署",
        ),
        "GET /secrets, POST /secrets/create, DELETE /secrets/ID, GET /configs, "
        "POST /configs/create+DELETE /configs/ID",
        "SECRETS=1, CONFIGS=1+POST=1",
    ),
    "operate": _refusal(
        Text("to stop and to hold containers", "停止和暂停容器"),
        Text(
            "containers that CloudBang did not make cannot be stopped, restarted or held",
            "无法停止、重启或暂停不是由云帮创建的容器",
        ),
        "POST /containers/ID/stop, POST /containers/ID/restart, POST /containers/ID/kill, "
        "POST /containers/ID/pause, POST /containers/ID/unpause+POST /containers/ID/update",
        "CONTAINERS=1, ALLOW_STOP=1, ALLOW_RESTARTS=1+POST=1",
    ),
    "disk": _refusal(
        Text("to tell what takes room on its disk", "查询磁盘占用"),
        Text("nobody sees what could be cleaned up", "看不到哪些内容可以清理"),
        "GET /system/df+GET /volumes",
        "SYSTEM=1+VOLUMES=1",
    ),
    "clean-up": _refusal(
        Text("to remove volumes, networks and build cache", "删除卷、网络和构建缓存"),
        Text("nothing is cleaned up", "无法清理"),
        "DELETE /volumes/NAME, DELETE /networks/ID+POST /build/prune",
        "VOLUMES=1, NETWORKS=1, BUILD=1+POST=1",
    ),
}
