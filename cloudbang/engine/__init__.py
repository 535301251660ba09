"""The Docker Engine. Only this package imports the Docker SDK."""

from cloudbang.engine.client import Engine, EngineEvent, EngineEvents
from cloudbang.engine.exec import ExecState, ExecStream
from cloudbang.engine.parse import ContainerState
from cloudbang.engine.stream import EngineStream

__all__ = [
    "ContainerState",
    "Engine",
    "EngineEvent",
    "EngineEvents",
    "EngineStream",
    "ExecState",
    "ExecStream",
]
