"""What can be wrong with what is asked of alerts."""

from __future__ import annotations

from cloudbang.errors import CloudBangError


class NoSuchRule(CloudBangError):
    """There is no such rule, or the asker does not see it."""

    code = "no-such-rule"
    status = 404
    title = "No such rule"
    sentence = "there is no rule {id}: it was deleted, or belongs to another team"

    def __init__(self, id: int) -> None:
        self.id = id
        super().__init__(id)


class NoSuchReceiver(CloudBangError):
    """There is no such receiver, or the asker does not see it."""

    code = "no-such-receiver"
    status = 404
    title = "No such receiver"
    sentence = "there is no receiver {id}: it was deleted, or belongs to another team"

    def __init__(self, id: int) -> None:
        self.id = id
        super().__init__(id)


class NoSuchIncident(CloudBangError):
    """There is no such alert, or the asker does not see it."""

    code = "no-such-alert"
    status = 404
    title = "No such alert"
    sentence = "there is no alert {id}: it was long ago, or belongs to another team"

    def __init__(self, id: int) -> None:
        self.id = id
        super().__init__(id)


class AlertField(CloudBangError):
    """A field of a rule or a receiver cannot be used."""

    code = "alert-invalid"
    status = 422
    title = "A value cannot be used"
    sentence = "{field} may be {allowed}"

    def __init__(self, field: str, allowed: str) -> None:
        self.field, self.allowed = field, allowed
        super().__init__(field, allowed)


class TooManyOfThem(CloudBangError):
    """A team has as many as it may."""

    code = "too-many-alerts"
    status = 409
    title = "Too many"
    sentence = "there are {limit}, and no more are allowed: delete one first"

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(limit)
