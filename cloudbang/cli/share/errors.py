"""Why a command could not be shared."""

from __future__ import annotations

from cloudbang.errors import CloudBangError


class NoServer(CloudBangError):
    """No CloudBang listens where the settings say."""

    code = "no-server"

    def __init__(self, address: str, reason: str) -> None:
        self.address, self.reason = address, reason
        super().__init__(address, reason)

    def __str__(self) -> str:
        return (
            f"no CloudBang answers at {self.address} ({self.reason}): start it, or give this "
            "command the settings of the one that runs (CLOUDBANG_CONFIG, CLOUDBANG_SERVER_PORT)"
        )


class OtherServer(CloudBangError):
    """Somebody answers, but not the CloudBang of this data folder."""

    code = "other-server"

    def __init__(self, address: str, folder: str, status: int | None) -> None:
        self.address, self.folder, self.status_given = address, folder, status
        super().__init__(address, folder, status)

    def __str__(self) -> str:
        if self.status_given == 401:
            return (
                f"the CloudBang at {self.address} has another data folder than {self.folder}: "
                "give this command the same settings (CLOUDBANG_CONFIG, CLOUDBANG_STORAGE_PATH)"
            )
        if self.status_given == 503:
            return f"the CloudBang at {self.address} takes nobody now: try again in a moment"
        said = f"status {self.status_given}" if self.status_given else "no HTTP"
        return f"what answers at {self.address} is no CloudBang that can share commands ({said})"


class NoDataFolder(CloudBangError):
    """The data folder of the settings holds no installation, or cannot be read."""

    code = "no-data-folder"

    def __init__(self, folder: str, reason: str) -> None:
        self.folder, self.reason = folder, reason
        super().__init__(folder, reason)

    def __str__(self) -> str:
        return (
            f"{self.folder} is not the data folder of a CloudBang that this user may read "
            f"({self.reason}): run this as CloudBang's user, with its settings "
            "(CLOUDBANG_CONFIG, CLOUDBANG_STORAGE_PATH)"
        )


class NotStartable(CloudBangError):
    """The program cannot be started. ``exit_status`` as shells have it: 127 not found, else 126."""

    code = "not-startable"

    def __init__(self, command: str, reason: str, exit_status: int) -> None:
        self.command, self.reason, self.exit_status = command, reason, exit_status
        super().__init__(command, reason, exit_status)

    def __str__(self) -> str:
        return f"{self.command} cannot be started: {self.reason}"


class Refused(CloudBangError):
    """The server does not take this share; ``code`` and the sentence are its own."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code, self.sentence = code, sentence
        super().__init__(code, sentence)

    def __str__(self) -> str:
        return self.sentence
