"""What keeps a deployment from beginning, and what ends one."""

from __future__ import annotations

from cloudbang.domain.deploy.failure import Failure
from cloudbang.errors import CloudBangError


class StepFailed(Exception):
    """The verdict of a step: the release will not serve."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(f"{failure.kind}: {failure.said}")


class SwarmOff(CloudBangError):
    """Nobody has said yes to Swarm mode yet."""

    code = "swarm-off"
    status = 409
    title = "Swarm mode is off"
    sentence = (
        "Docker's Swarm mode is off, and apps are deployed with it: an admin can switch it on, for "
        "this machine alone"
    )
    variants = {  # noqa: RUF012
        ("why", "worker"): (
            "this machine is a worker of a swarm: run CloudBang on one of its managers"
        ),
        ("why", "podman"): (
            "Podman has no Swarm mode, with which apps are deployed: use the Docker Engine"
        ),
        ("why", "locked"): (
            "this machine's swarm is locked: unlock it with `docker swarm unlock`, then deploy again"
        ),
    }

    def __init__(self, why: str = "off") -> None:
        self.why = why
        super().__init__(why)


class OwnNetwork(CloudBangError):
    """CloudBang runs in a container from which it does not reach the apps that it deploys."""

    code = "own-network"
    status = 409
    title = "CloudBang does not reach the apps"
    sentence = (
        "CloudBang runs in a container with a network of its own, and cannot ask the app whether it is "
        "well: run it in the machine's network (network_mode: host, as its docker-compose.yml has it)"
    )


class DeploymentRunning(CloudBangError):
    """Somebody deploys the same app at this moment."""

    code = "deployment-running"
    status = 409
    title = "A deployment is running"
    told = ("by", "since", "id")
    sentence = "{by} deploys {app} since {since}: wait for the end, or cancel that deployment"

    def __init__(self, app: str, by: str, since: str, id: int) -> None:
        self.app, self.by, self.since, self.id = app, by, since, id
        super().__init__(app, by, since, id)


class NoSuchRelease(CloudBangError):
    """An app has no release of that number, or its image is gone."""

    code = "no-such-release"
    status = 404
    title = "No such release"
    sentence = "{app} has no release {number} that one could go back to"

    def __init__(self, app: str, number: int) -> None:
        self.app, self.number = app, number
        super().__init__(app, number)


class NoSuchDeployment(CloudBangError):
    """There is no deployment of that id (or the asker may not see it)."""

    code = "no-such-deployment"
    status = 404
    title = "No such deployment"
    sentence = "there is no deployment {id}: GET /api/v1/deployments lists those there are"

    def __init__(self, id: int) -> None:
        self.id = id
        super().__init__(id)


class OthersHaveIt(CloudBangError):
    """A volume, network or stack that an app names is not its team's."""

    code = "others-have-it"
    status = 403
    title = "Others have it"
    sentence = "{field}: {name} is another team's, or was made elsewhere: choose another name, or ask an admin of the installation"

    def __init__(self, field: str, name: str) -> None:
        self.field, self.name = field, name
        super().__init__(field, name)


class NameLost(CloudBangError):
    """The app of a stack was nobody's when the stack was begun, and is another team's by now. Whose is
    not said: who asks need not know of that team."""

    code = "name-taken"
    status = 409
    title = "The name is taken"
    sentence = (
        "another team has an app named {app} by now: give the service, or the stack, another name"
    )

    def __init__(self, app: str) -> None:
        self.app = app
        super().__init__(app)


class ForAdmins(CloudBangError):
    """What a specification asks for reaches beyond the app's own containers."""

    code = "admins-only"
    status = 403
    title = "For admins only"
    sentence = "{field} reaches beyond the app's own containers, to the machine: only an admin may ask for it"

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field)
