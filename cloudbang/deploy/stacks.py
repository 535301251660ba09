"""Stacks: apps that a Compose file describes, deployed together."""

from __future__ import annotations

from dataclasses import dataclass

from cloudbang.deploy.compose_file import Compose, Variable, project_name
from cloudbang.domain.deploy.compose import ComposeSource, Stack, stack_of


@dataclass(frozen=True, slots=True)
class ReadStack:
    """``stack``: None while a required variable has no value; ``missing``: files that are named
    and were not sent."""

    name: str
    stack: Stack | None
    variables: tuple[Variable, ...] = ()
    missing: tuple[str, ...] = ()


class Stacks:
    """Compose files in, apps out."""

    def __init__(self, compose: Compose) -> None:
        self._compose = compose

    def read(self, text: str, name: str, beside: ComposeSource) -> ReadStack:
        """The stack that a Compose file stands for. Raises ComposeInvalid, ComposeMissing,
        SpecInvalid, StorageFailed."""
        project = project_name(name)
        found = self._compose.read(text, project, beside)
        stack = None if found.config is None else stack_of(found.config, project, beside)
        return ReadStack(project, stack, found.variables, found.missing)
