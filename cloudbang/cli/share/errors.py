"""Why a command could not be shared."""

from __future__ import annotations

from cloudbang.errors import CloudBangError


class NoServer(CloudBangError):
    """No CloudBang listens where the settings say."""

    code = "no-server"
    sentence = (
        "no CloudBang answers at {address} ({reason}): start it, or give this command the settings "
        "of the one that runs (CLOUDBANG_CONFIG, CLOUDBANG_SERVER_PORT)"
    )

    def __init__(self, address: str, reason: str) -> None:
        self.address, self.reason = address, reason
        super().__init__(address, reason)


class OtherServer(CloudBangError):
    """Somebody answers, but not the CloudBang of this data folder."""

    code = "other-server"
    sentence = (
        "what answers at {address} is no CloudBang that can share commands (status {status_given})"
    )
    variants = {  # noqa: RUF012
        ("status_given", None): (
            "what answers at {address} is no CloudBang that can share commands (no HTTP)"
        ),
        ("status_given", 401): (
            "what answers at {address} does not prove that it is the CloudBang of the data folder "
            "{folder}, and was shown nothing: give this command the settings of the one that runs "
            "(CLOUDBANG_CONFIG, CLOUDBANG_STORAGE_PATH, CLOUDBANG_SERVER_PORT)"
        ),
        ("status_given", 503): (
            "the CloudBang at {address} takes nobody now: try again in a moment"
        ),
    }

    def __init__(self, address: str, folder: str, status: int | None, proof: str = "") -> None:
        self.address, self.folder, self.status_given = address, folder, status or None
        self.proof = proof  # what it showed for one
        super().__init__(address, folder, status)


class NoDataFolder(CloudBangError):
    """The data folder of the settings holds no installation, or cannot be read."""

    code = "no-data-folder"
    sentence = (
        "{folder} is not the data folder of a CloudBang that this user may read ({reason}): run "
        "this as CloudBang's user, with its settings (CLOUDBANG_CONFIG, CLOUDBANG_STORAGE_PATH)"
    )

    def __init__(self, folder: str, reason: str) -> None:
        self.folder, self.reason = folder, reason
        super().__init__(folder, reason)


class NotStartable(CloudBangError):
    """The program cannot be started. ``exit_status`` as shells have it: 127 not found, else 126."""

    code = "not-startable"
    sentence = "{command} cannot be started: {reason}"

    def __init__(self, command: str, reason: str, exit_status: int) -> None:
        self.command, self.reason, self.exit_status = command, reason, exit_status
        super().__init__(command, reason, exit_status)


class Refused(CloudBangError):
    """The server does not take this share; ``code`` and what it said are its own."""

    sentence = "{said}"

    def __init__(self, code: str, said: str) -> None:
        self.code, self.said = code, said
        super().__init__(code, said)
