"""A Dockerfile for a source that has none: small, readable, to be edited and kept with the app.

What is seen of the source is its files' names and the text of the few that say how it is started.
Nothing of it is run. Every recipe runs as nobody in particular, listens on PORT, and copies what
changes seldom before what changes often, so that a push builds quickly.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from json import dumps, loads
from typing import Literal, NamedTuple

Language = Literal["python", "node", "go", "php", "static"]

READ = (
    *("requirements.txt", "pyproject.toml", "Procfile", "package.json", "go.mod", "composer.json"),
    *(".python-version", "runtime.txt", ".nvmrc", "app.py", "main.py", "wsgi.py", "asgi.py"),
)
"""The files whose text is looked at, where they are there."""

PYTHON, NODE, GO, PHP = "3.12", "22", "1.23", "8.3"  # where the source names no version
_VERSION = re.compile(r"(\d+(?:\.\d+)?)")


class Recipe(NamedTuple):
    """``port``: at which the app will answer; ``found``: the file that told."""

    language: Language
    text: str
    port: int
    found: str


def recipe_for(names: Collection[str], texts: Mapping[str, str]) -> Recipe | None:
    """A Dockerfile for a source with these files (paths from its folder on, ``/`` between), of
    which the ``texts`` of those in READ are known. None where nothing is recognised."""
    its = frozenset(names)
    for make in (_python, _node, _go, _php, _static):
        if (found := make(its, texts)) is not None:
            return found
    return None


# --- Python ------------------------------------------------------------------------------------


def _python(names: frozenset[str], texts: Mapping[str, str]) -> Recipe | None:
    found = next((n for n in ("requirements.txt", "pyproject.toml", "Pipfile") if n in names), None)
    if found is None and not names & {"app.py", "main.py", "wsgi.py", "manage.py"}:
        return None
    told = texts.get(".python-version") or texts.get("runtime.txt") or ""
    version = _version(told.removeprefix("python-"), PYTHON)
    needs = f"{texts.get('requirements.txt', '')}\n{texts.get('pyproject.toml', '')}".lower()
    install = ["COPY . ."]
    if found == "requirements.txt":
        install = [
            "COPY requirements.txt .",
            "RUN pip install --no-cache-dir -r requirements.txt",
            "COPY . .",
        ]
    elif found == "pyproject.toml":
        install = ["COPY . .", "RUN pip install --no-cache-dir ."]
    elif found == "Pipfile":
        install = [
            "RUN pip install --no-cache-dir pipenv",
            "COPY Pipfile* ./",
            "RUN pipenv install --system --deploy",
            "COPY . .",
        ]
    start = _procfile(texts) or _python_start(names, texts, needs)
    lines = [
        f"FROM python:{version}-slim",
        "ENV PYTHONUNBUFFERED=1 PORT=8000",
        "WORKDIR /app",
        *install,
        "USER nobody",
        "EXPOSE 8000",
        f"CMD {start}",
    ]
    return Recipe("python", _file(lines), 8000, found or _entry(names))


def _python_start(names: frozenset[str], texts: Mapping[str, str], needs: str) -> str:
    module = _entry(names).removesuffix(".py")
    if "manage.py" in names:
        project = next((n.split("/")[0] for n in sorted(names) if n.endswith("/wsgi.py")), "")
        if project and "gunicorn" in needs:
            return _shell(f"gunicorn {project}.wsgi --bind 0.0.0.0:$PORT")
        return _shell("python manage.py runserver 0.0.0.0:$PORT")
    text = texts.get(f"{module}.py", "")
    if "fastapi" in needs or "starlette" in needs:
        return _shell(
            f"uvicorn {module}:{_made(text, 'FastAPI', 'Starlette')} --host 0.0.0.0 --port $PORT"
        )
    if "flask" in needs:
        made = _made(text, "Flask")
        if "gunicorn" in needs:
            return _shell(f"gunicorn {module}:{made} --bind 0.0.0.0:$PORT")
        return _shell(f"flask --app {module} run --host 0.0.0.0 --port $PORT")
    return _exec("python", f"{module}.py")


def _entry(names: frozenset[str]) -> str:
    known = ("app.py", "main.py", "wsgi.py", "server.py", "run.py", "asgi.py")
    return next((name for name in known if name in names), "app.py")


def _made(text: str, *kinds: str) -> str:
    """The name of the variable that holds the application."""
    found = re.search(
        rf"^(\w+)\s*(?::[^=]+)?=\s*(?:\w+\.)?(?:{'|'.join(kinds)})\(", text, re.MULTILINE
    )
    return found[1] if found else "app"


# --- Node --------------------------------------------------------------------------------------


def _node(names: frozenset[str], texts: Mapping[str, str]) -> Recipe | None:
    if "package.json" not in names:
        return None
    package = _json(texts.get("package.json", ""))
    scripts = _object(package.get("scripts"))
    version = _version(
        texts.get(".nvmrc") or str(_object(package.get("engines")).get("node") or ""), NODE
    ).split(".")[0]
    manager, lock, install = "npm", "package-lock.json", "npm ci"
    if "pnpm-lock.yaml" in names:
        manager, lock, install = (
            "pnpm",
            "pnpm-lock.yaml",
            "corepack enable && pnpm install --frozen-lockfile",
        )
    elif "yarn.lock" in names:
        manager, lock, install = (
            "yarn",
            "yarn.lock",
            "corepack enable && yarn install --frozen-lockfile",
        )
    elif lock not in names:
        lock, install = "", "npm install"
    copied = f"COPY package.json {lock} ./" if lock else "COPY package.json ./"
    build = [f"RUN {manager} run build"] if "build" in scripts else []
    begin = [
        f"FROM node:{version}-slim",
        "WORKDIR /app",
        copied,
        f"RUN {install}",
        "COPY . .",
        *build,
    ]
    start = _procfile(texts)
    if start is None and "start" not in scripts and build:
        # Nothing to run: what was built are pages.
        begin[0] += " AS build"
        folder = "build" if "react-scripts" in texts.get("package.json", "") else "dist"
        pages = [
            "",
            "FROM nginx:1.27-alpine",
            f"COPY --from=build /app/{folder} /usr/share/nginx/html",
            "EXPOSE 80",
        ]
        return Recipe("static", _file([*begin, *pages]), 80, "package.json")
    main = str(package.get("main") or "")
    if start is None and "start" not in scripts:
        known = (main, "server.js", "index.js", "app.js")
        start = _exec("node", next((n for n in known if n and n in names), main or "index.js"))
    lines = [
        *begin,
        "ENV NODE_ENV=production PORT=3000",
        "USER node",
        "EXPOSE 3000",
        f"CMD {start or _exec(manager, 'run', 'start')}",
    ]
    return Recipe("node", _file(lines), 3000, "package.json")


# --- Go, PHP, pages ----------------------------------------------------------------------------


def _go(names: frozenset[str], texts: Mapping[str, str]) -> Recipe | None:
    if "go.mod" not in names:
        return None
    told = re.search(r"^go (\d+\.\d+)", texts.get("go.mod", ""), re.MULTILINE)
    version = told[1] if told else GO
    mains = sorted({n.rsplit("/", 1)[0] for n in names if re.fullmatch(r"cmd/[\w.-]+/main\.go", n)})
    package = "." if "main.go" in names or not mains else f"./{mains[0]}"
    sums = "COPY go.mod go.sum ./" if "go.sum" in names else "COPY go.mod ./"
    lines = [
        f"FROM golang:{version} AS build",
        "WORKDIR /src",
        sums,
        "RUN go mod download",
        "COPY . .",
        f"RUN CGO_ENABLED=0 go build -o /app {package}",
        "",
        "FROM gcr.io/distroless/static-debian12:nonroot",
        "COPY --from=build /app /app",
        "ENV PORT=8080",
        "EXPOSE 8080",
        f"ENTRYPOINT {_exec('/app')}",
    ]
    return Recipe("go", _file(lines), 8080, "go.mod")


def _php(names: frozenset[str], texts: Mapping[str, str]) -> Recipe | None:
    found = next(
        (n for n in ("composer.json", "index.php", "public/index.php") if n in names), None
    )
    if found is None:
        return None
    require = _object(_json(texts.get("composer.json", "")).get("require"))
    version = _version(str(require.get("php") or ""), PHP)
    if "." not in version:
        version = PHP
    lines = [f"FROM php:{version}-apache", "WORKDIR /var/www/html"]
    if "composer.json" in names:
        lines += [
            "COPY --from=composer:2 /usr/bin/composer /usr/bin/composer",
            "COPY . .",
            "RUN composer install --no-dev --no-interaction --optimize-autoloader",
        ]
    else:
        lines += ["COPY . ."]
    if "public/index.php" in names:
        lines += [
            "RUN sed -i 's|/var/www/html|/var/www/html/public|' /etc/apache2/sites-available/*.conf"
        ]
    return Recipe("php", _file([*lines, "RUN a2enmod rewrite", "EXPOSE 80"]), 80, found)


def _static(names: frozenset[str], _texts: Mapping[str, str]) -> Recipe | None:
    folder = next((f for f in ("", "public/", "dist/", "docs/") if f"{f}index.html" in names), None)
    if folder is None:
        return None
    copied = f"COPY {folder or '.'} /usr/share/nginx/html"
    lines = ["FROM nginx:1.27-alpine", copied, "EXPOSE 80"]
    return Recipe("static", _file(lines), 80, f"{folder}index.html")


# --- what they share -----------------------------------------------------------------------------


def _procfile(texts: Mapping[str, str]) -> str | None:
    """The command of ``web:``. It is written for a shell."""
    found = re.search(r"^web:\s*(\S.*)$", texts.get("Procfile", ""), re.MULTILINE)
    return _shell(found[1].strip()) if found else None


def _shell(command: str) -> str:
    # exec, so that the signal to stop reaches the program.
    return _exec("sh", "-c", command if command.startswith("exec ") else f"exec {command}")


def _exec(*words: str) -> str:
    return dumps(list(words), ensure_ascii=False)


def _version(text: str, default: str) -> str:
    found = _VERSION.search(text)
    return found[1] if found else default


def _json(text: str) -> Mapping[str, object]:
    try:
        return _object(loads(text))
    except ValueError:
        return {}


def _object(found: object) -> Mapping[str, object]:
    return found if isinstance(found, dict) else {}


def _file(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
