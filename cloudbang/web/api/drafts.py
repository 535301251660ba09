"""Drafts: a `docker run` line, a source, a Compose file, read into what might be deployed.

They change nothing, and are for those who may deploy: the pages fill their forms with them.
"""

from __future__ import annotations

from flask import Blueprint, Response

from cloudbang.accounts import DEFAULT_TEAM
from cloudbang.domain.deploy import recipes
from cloudbang.domain.deploy.compose import ComposeSource, StackService
from cloudbang.domain.deploy.fields import SpecInvalid
from cloudbang.domain.deploy.not_honoured import NOT_NAMED
from cloudbang.domain.deploy.run_line import read_run_line
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.domain.text import Text
from cloudbang.web.api.deployments import app_to_deploy, team_to_deploy
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json, read_body
from cloudbang.web.api.problems import sentence_of
from cloudbang.web.api.schemas import drafts as shapes
from cloudbang.web.pages.i18n import language
from cloudbang.web.security.authenticator import caller, needs
from cloudbang.web.services import services

bp = Blueprint("drafts", __name__, url_prefix="/api/v1/drafts")


@bp.post("/run_line")
@needs("deploy")
@operation(body=shapes.RunLine, gives=shapes.RunLineDraft)
def run_line() -> Response:
    """What a `docker run` line asks for, and what of it an app cannot have. Raises SpecInvalid."""
    found = read_run_line(read_body(shapes.RunLine).line)
    shown: shapes.RunLineDraft = {
        "spec": found.spec,
        "name": found.name,
        "left": [left("", one.option, one.why) for one in found.not_honoured],
    }
    return json(shown)


@bp.post("/recipe")
@needs("deploy")
@operation(body=shapes.SourceNames, gives=shapes.RecipeDraft)
def recipe() -> Response:
    """A Dockerfile for a source that has none, by its files' names."""
    source = read_body(shapes.SourceNames)
    return json(recipe_draft(recipes.recipe_for(source.names, source.texts)))


@bp.post("/git")
@needs("deploy")
@operation(body=shapes.GitSource, gives=shapes.GitDraft)
def git() -> Response:
    """What a Git source holds: a Dockerfile, or one for it. It is fetched, which takes a while.
    Raises GitFailed, AddressRefused."""
    wanted = read_body(shapes.GitSource)
    team = _team(wanted)
    told = wanted.model_dump(exclude={"app", "team"})
    told = {name: value for name, value in told.items() if value}
    build = read_spec({"build": told})[0].build
    assert build is not None
    found = services().source_drafts.look(build, team)
    shown: shapes.GitDraft = {
        "commit": found.commit,
        "has_dockerfile": found.has_dockerfile,
        "port": found.port,
        "recipe": recipe_draft(found.recipe)["recipe"],
    }
    return json(shown)


@bp.post("/compose")
@needs("deploy")
@operation(body=shapes.ComposeFile, gives=shapes.ComposeDraft)
def compose() -> Response:
    """The apps that a Compose file describes, and what of it they cannot have. Raises
    ComposeInvalid."""
    wanted = read_body(shapes.ComposeFile)
    beside = ComposeSource(wanted.files, wanted.variables, wanted.profiles)
    found = services().stacks.read(wanted.text, wanted.name, beside)
    shown: shapes.ComposeDraft = {
        "name": found.name,
        "services": [],
        "left": [],
        "variables": [
            {
                "name": one.name,
                "default": one.default,
                "required": one.required,
                "set_by": one.set_by,
                "line": one.line,
                "why": one.why,
            }
            for one in found.variables
        ],
        "missing": list(found.missing),
    }
    if found.stack is not None:
        shown["services"] = [_service(one) for one in found.stack.services]
        shown["left"] = [left(*one) for one in found.stack.left]
        apps = {one.app for one in found.stack.services}
        others = [app for app in services().stacks.others(found.name, apps) if _is_seen(app)]
        shown["left"] += [left("", app, NOT_NAMED) for app in others]
    return json(shown)


def _team(wanted: shapes.GitSource) -> str:
    """Whose credentials it is fetched with; "" for nobody's, where there is neither app nor team."""
    if wanted.app:
        return team_to_deploy(wanted.team, app_to_deploy(wanted.app))
    if not wanted.team and not caller().can("deploy", DEFAULT_TEAM):
        return ""
    return team_to_deploy(wanted.team)


def _is_seen(name: str) -> bool:
    app = services().apps.get(name)
    return app is not None and caller().can("view", app.team)


def _service(service: StackService) -> shapes.ComposeService:
    problem: shapes.FieldProblem | None = None
    spec = service.spec
    try:
        # As it will be kept; the secrets that it hands on stay as they are.
        spec = {**read_spec(spec)[0].as_json(), "secrets": spec.get("secrets")}
    except SpecInvalid as e:
        problem = {"field": e.field, "message": sentence_of(e)}
    return {
        "name": service.name,
        "app": service.app,
        "spec": {key: value for key, value in spec.items() if value is not None},
        "after": [one.service for one in service.after],
        "context": service.context,
        "problem": problem,
    }


def recipe_draft(found: recipes.Recipe | None) -> shapes.RecipeDraft:
    if found is None:
        return {"recipe": None}
    return {
        "recipe": {
            "language": found.language,
            "text": found.text,
            "port": found.port,
            "found": found.found,
        }
    }


def left(service: str, key: str, why: Text) -> shapes.NotHonoured:
    """In the language of this request."""
    return {"service": service, "key": key, "why": why.of(language() == "zh")}
