"""What is wrong with a Compose file, or with the program that reads it."""

from __future__ import annotations

from cloudbang.errors import CloudBangError


class ComposeInvalid(CloudBangError):
    """What Compose says against a file. ``said``: its own words, one line."""

    code = "compose-invalid"
    status = 422
    title = "This is no Compose file"
    sentence = "Compose says: {said}"
    variants = {  # noqa: RUF012
        (
            "said",
            "outside",
        ): "{field} leads to {path}, outside of the file's folder: it is not read",
        ("said", "remote"): "{field} leads to {path}, elsewhere: write its text into this file",
        (
            "said",
            "not-a-file",
        ): "this is no Compose file: it needs “services:” with a service below",
        ("said", "time"): "Compose did not understand this file within {path} s",
        ("said", "empty"): "{field} says nothing: it needs an image, or a build",
        ("said", "broke"): "Compose itself broke over this file: {path}",
    }

    def __init__(self, said: str, field: str = "", path: str = "") -> None:
        self.said, self.field, self.path = said, field, path
        super().__init__(said, field, path)


class ComposeMissing(CloudBangError):
    """Docker's Compose is not there, or is another than ours."""

    code = "compose-missing"
    status = 503
    sentence = (
        "Docker's Compose is not installed beside CloudBang for this kind of machine, or is another "
        "one: run `make install`"
    )
    variants = {  # noqa: RUF012
        ("rule", "way"): (
            "Docker's Compose is there, and cannot be run in a folder of its own: {said}. The log of "
            "CloudBang has each way that was tried"
        ),
    }

    def __init__(self, said: str = "") -> None:
        self.said, self.rule = said, "way" if said else ""
        super().__init__(said)
