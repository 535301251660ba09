"""Drafts: what a person has, read into what they might deploy. Nothing of it is kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from cloudbang.web.api.schemas.shapes import Body, Team

LINE = 32 * 1024  # characters of a `docker run` line
NAMES = 500
TEXTS = 20
PATH = Annotated[str, Field(max_length=1_000)]


class RunLine(Body):
    """A `docker run` line, as it stands in a document: over several lines, with its prompt."""

    line: Annotated[str, Field(max_length=LINE)]


class NotHonoured(TypedDict):
    """``service``: of a Compose file; "" where it concerns all of it. ``why`` in the reader's
    language."""

    service: str
    key: str
    why: str


class RunLineDraft(TypedDict):
    """``spec`` as a deployment takes it, not checked; ``name`` "" where the line gives none."""

    spec: dict[str, Any]
    name: str
    left: list[NotHonoured]


class SourceNames(Body):
    """Of a source without a Dockerfile the paths of its files, and the texts of those that tell how
    it is started, by path."""

    names: Annotated[list[PATH], Field(max_length=NAMES)]
    texts: Annotated[dict[PATH, str], Field(max_length=TEXTS)] = {}  # noqa: RUF012


class Recipe(TypedDict):
    """A Dockerfile that was written for a source; ``found``: the file that told what it is."""

    language: Literal["python", "node", "go", "php", "static"]
    text: str
    port: int
    found: str


class RecipeDraft(TypedDict):
    """``recipe``: null where nothing is recognised."""

    recipe: Recipe | None


class GitSource(Body):
    """As ``build`` of a specification has it; ``app``: for which it is fetched, with the credentials
    of its team, or of that which a new one is to be in."""

    git: Annotated[str, Field(max_length=2_000)]
    branch: Annotated[str, Field(max_length=250)] = ""
    folder: PATH = "."
    dockerfile: PATH = "Dockerfile"
    app: Annotated[str, Field(max_length=128)] = ""
    team: Team = ""


class GitDraft(TypedDict):
    """``port``: at which the app will answer, 0 where nothing says so."""

    commit: str
    has_dockerfile: bool
    port: int
    recipe: Recipe | None


FILES = 200
FILE = 64 * 1024  # characters
TEXT = 256 * 1024
NAME = Annotated[str, Field(max_length=64)]


class ComposeFile(Body):
    """A Compose file. ``files``: texts of the folder that it is in, by their paths (``.env``, what
    ``env_file`` names, small files that are mounted); ``variables``: values of what it names;
    ``profiles``: those that are asked for."""

    text: Annotated[str, Field(max_length=TEXT)]
    name: NAME = ""
    files: Annotated[
        dict[PATH, Annotated[str, Field(max_length=FILE)]], Field(max_length=FILES)
    ] = {}  # noqa: RUF012
    variables: Annotated[
        dict[PATH, Annotated[str, Field(max_length=FILE)]], Field(max_length=FILES)
    ] = {}  # noqa: RUF012
    profiles: Annotated[list[NAME], Field(max_length=FILES)] = []  # noqa: RUF012


class ComposeVariable(TypedDict):
    """``default``: what it is unless another value is given; ``required``: nothing can be read before
    it has a value; ``set_by``: the file beside it that sets it (``.env``, or an example of one where
    there is none), "" where none does; ``line``: the first of the file that names it, 0 where none was
    found; ``why``: the file's own words for what it is needed for."""

    name: str
    default: str
    required: bool
    set_by: str
    line: int
    why: str


class FieldProblem(TypedDict):
    """What a specification may not hold; ``message`` in the reader's language."""

    field: str
    message: str


class ComposeService(TypedDict):
    """One app of a stack. ``after``: the services that have to be there first; ``context``: the
    folder that it is built of, "" where it is not; ``problem``: why it cannot be deployed so."""

    name: str
    app: str
    spec: dict[str, Any]
    after: list[str]
    context: str
    problem: FieldProblem | None


class ComposeDraft(TypedDict):
    """``services`` in the order in which they are started: none while a required variable has no
    value; ``missing``: files that were not sent along, taken for empty ones."""

    name: str
    services: list[ComposeService]
    left: list[NotHonoured]
    variables: list[ComposeVariable]
    missing: list[str]
