"""A Dockerfile for a source that has none: small, readable, to be edited and kept with the app.

What is seen of the source is its files' names and the text of the few that say how it is started.
Nothing of it is run. Every recipe runs as nobody in particular, who may write in the app's folder (a
database file, a cache), listens on PORT, and copies what changes seldom before what changes often, so
that a push builds quickly. Images are those of Docker's registry, which mirrors carry.
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
    *("app/main.py", "src/main.py", "src/app.py"),
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


# What is built from C, and needs what the slim image has not.
_COMPILED = re.compile(
    r"""^[\s"']*(?:psycopg2|psycopg-c|mysqlclient|uwsgi|pycairo)(?![\w-])""",
    re.MULTILINE,
)
# Requirements that stand in other files of the source, or are a part of it.
_BESIDE = re.compile(
    r"^\s*(?:-[rce]\b|--(?:requirement|constraint|editable|find-links)\b|\.{1,2}(?:/|\s*$)|file:)",
    re.MULTILINE,
)
_REQUIRES = re.compile(r"""^\s*(?:requires-python|python)\s*=\s*["']([^"']*)["']""", re.MULTILINE)


# --- Python ------------------------------------------------------------------------------------


def _python(names: frozenset[str], texts: Mapping[str, str]) -> Recipe | None:
    found = next((n for n in ("requirements.txt", "pyproject.toml", "Pipfile") if n in names), None)
    if found is None and not names & {"app.py", "main.py", "wsgi.py", "manage.py"}:
        return None
    told = texts.get(".python-version") or texts.get("runtime.txt") or ""
    version = _version(told.removeprefix("python-"), _python_wanted(texts))
    needs = f"{texts.get('requirements.txt', '')}\n{texts.get('pyproject.toml', '')}".lower()
    start = _procfile(texts) or _python_start(names, texts, needs)
    lines = [
        f"FROM python:{version}{'' if _COMPILED.search(needs) else '-slim'}",
        "ENV PYTHONUNBUFFERED=1 HOME=/app PORT=8000",
        "WORKDIR /app",
        "RUN chown nobody /app",
        *_python_install(found, names, texts),
    ]
    if "uvicorn" in start and "uvicorn" not in needs and "fastapi[" not in needs:
        lines.append("RUN pip install --no-cache-dir uvicorn")
    lines += ["USER nobody", "EXPOSE 8000", f"CMD {start}"]
    return Recipe("python", _file(lines), 8000, found or _entry(names))


def _python_wanted(texts: Mapping[str, str]) -> str:
    """The version that a pyproject.toml asks for: ours, where that will do."""
    found = _REQUIRES.search(texts.get("pyproject.toml", ""))
    told, ours = found[1] if found else "", int(PYTHON.partition(".")[2])
    least, exact, below = (
        [int(minor) for minor in re.findall(rf"{sign}\s*3\.(\d+)", told)]
        for sign in (r"(?:>=|\^|~=)", r"(?:==|~(?!=))", r"<(?!=)")
    )
    if exact:
        return f"3.{exact[0]}"
    most = min([ours, *(minor - 1 for minor in below)])
    return f"3.{max([most, *least])}"


def _python_install(
    found: str | None, names: frozenset[str], texts: Mapping[str, str]
) -> list[str]:
    copy, pip = "COPY --chown=nobody . .", "RUN pip install --no-cache-dir"
    if found == "requirements.txt" and _BESIDE.search(texts.get("requirements.txt", "")):
        return [copy, f"{pip} -r requirements.txt"]
    if found == "requirements.txt":
        return ["COPY requirements.txt .", f"{pip} -r requirements.txt", copy]
    if found == "pyproject.toml" and "uv.lock" in names:
        synced = f"{pip} uv && uv sync --frozen --no-dev --no-install-project"
        return ["COPY pyproject.toml uv.lock ./", synced, "ENV PATH=/app/.venv/bin:$PATH", copy]
    if found == "pyproject.toml" and "poetry.lock" in names:
        poetry = f"{pip} poetry && poetry config virtualenvs.create false"
        only = "RUN poetry install --only main --no-root --no-interaction"
        return [poetry, "COPY pyproject.toml poetry.lock ./", only, copy]
    if found == "pyproject.toml":
        return [copy, f"{pip} ."]
    if found == "Pipfile":
        return [f"{pip} pipenv", "COPY Pipfile* ./", "RUN pipenv install --system --deploy", copy]
    return [copy]


def _python_start(names: frozenset[str], texts: Mapping[str, str], needs: str) -> str:
    entry = _entry(names)
    module = entry.removesuffix(".py").replace("/", ".")
    if "manage.py" in names:
        project = next((n.split("/")[0] for n in sorted(names) if n.endswith("/wsgi.py")), "")
        if project and "gunicorn" in needs:
            return _shell(f"gunicorn {project}.wsgi --bind 0.0.0.0:$PORT")
        return _shell("python manage.py runserver 0.0.0.0:$PORT")
    text = texts.get(entry, "")
    if "fastapi" in needs or "starlette" in needs:
        return _shell(
            f"uvicorn {module}:{_made(text, 'FastAPI', 'Starlette')} --host 0.0.0.0 --port $PORT"
        )
    if "streamlit" in needs:
        return _shell(
            f"streamlit run {entry} --server.address 0.0.0.0 --server.port $PORT --server.headless true"
        )
    if "gradio" in needs:
        told = "GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=$PORT"
        return _shell(f"env {told} python {entry}")
    if "flask" in needs:
        made = _made(text, "Flask")
        if "gunicorn" in needs:
            return _shell(f"gunicorn {module}:{made} --bind 0.0.0.0:$PORT")
        return _shell(f"flask --app {module}:{made} run --host 0.0.0.0 --port $PORT")
    return _exec("python", entry)


def _entry(names: frozenset[str]) -> str:
    known = ("app.py", "main.py", "wsgi.py", "server.py", "run.py", "asgi.py")
    packed = ("app/main.py", "src/main.py", "src/app.py")
    return next((name for name in known + packed if name in names), "app.py")


def _made(text: str, *kinds: str) -> str:
    """The name of the variable that holds the application."""
    found = re.search(
        rf"^(\w+)\s*(?::[^=]+)?=\s*(?:\w+\.)?(?:{'|'.join(kinds)})\(", text, re.MULTILINE
    )
    return found[1] if found else "app"


# --- Node --------------------------------------------------------------------------------------


# What serves while somebody develops, and nobody else.
_DEVELOPS = re.compile(
    r"^(?:npx |cross-env \S+ )*(?:react-scripts start|vite(?!\S)(?! (?:preview|build))|ng serve"
    r"|vue-cli-service serve|parcel\b|webpack(?:-dev-server| serve)|(?:astro|next|nuxt|nuxi) dev"
    r"|gatsby develop|vitepress dev|vuepress dev|hexo server|docusaurus start|eleventy --serve)"
)
# Where pages are built to, by what builds them; "dist" where it is none of these.
_BUILT = {
    **dict.fromkeys(("react-scripts", "@docusaurus/core", "@sveltejs/adapter-static"), "build"),
    **dict.fromkeys(("hexo", "gatsby"), "public"),
    "@11ty/eleventy": "_site",
    "vitepress": "docs/.vitepress/dist",
    "vuepress": "docs/.vuepress/dist",
}
# Scripts that are run as it is installed (`prisma generate`), and files that say how that is done.
_AT_INSTALL = ("preinstall", "install", "postinstall", "prepare")
_TELLS_INSTALL = frozenset(
    (".npmrc", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml", ".pnpmfile.cjs", "lerna.json")
)
# What serves its own build.
_SERVES = {
    "nuxt": ("node", ".output/server/index.mjs"),
    "next": ("npx", "next", "start"),
    "@sveltejs/adapter-node": ("node", "build"),
}


def _node(names: frozenset[str], texts: Mapping[str, str]) -> Recipe | None:
    if "package.json" not in names:
        return None
    package = _json(texts.get("package.json", ""))
    scripts = _object(package.get("scripts"))
    needs = {**_object(package.get("dependencies")), **_object(package.get("devDependencies"))}
    told = texts.get(".nvmrc") or str(_object(package.get("engines")).get("node") or "")
    version = _version(told, NODE).split(".")[0]
    manager, lock, install = "npm", "package-lock.json", "npm ci"
    if "pnpm-lock.yaml" in names:
        manager, lock, install = "pnpm", "pnpm-lock.yaml", "pnpm install --frozen-lockfile"
    elif "yarn.lock" in names:
        manager, lock, install = "yarn", "yarn.lock", "yarn install --frozen-lockfile"
    elif lock not in names:
        lock, install = "", "npm install"
    # What is installed may run what the source has, or be told how by what stands beside it.
    whole = any(scripts.get(one) for one in _AT_INSTALL) or bool(_TELLS_INSTALL & names)
    copied = f"package.json {lock} ./" if lock else "package.json ./"
    lines = [
        f"FROM node:{version}-slim",
        "WORKDIR /app",
        # From 25 on the image has none of them.
        *(
            ["RUN npm install --global --force corepack && corepack enable"]
            if manager != "npm"
            else []
        ),
        "RUN chown node /app",
        "USER node",
        "COPY --chown=node " + (". ." if whole else copied),
        f"RUN {install}",
        *([] if whole else ["COPY --chown=node . ."]),
        *([f"RUN {manager} run build"] if "build" in scripts else []),
    ]
    start = _procfile(texts) or _node_start(names, package, needs, manager)
    if start is None:
        lines[0] += " AS build"
        folder = next((its for name, its in _BUILT.items() if name in needs), "dist")
        if "@angular/core" in needs and re.fullmatch(r"[\w.-]+", str(package.get("name") or "")):
            folder = f"dist/{package['name']}/browser"
        pages = [
            "",
            "FROM nginx:1.27-alpine",
            f"COPY --from=build /app/{folder} /usr/share/nginx/html",
            "EXPOSE 80",
        ]
        return Recipe("static", _file([*lines, *pages]), 80, "package.json")
    lines += ["ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000", "EXPOSE 3000", f"CMD {start}"]
    return Recipe("node", _file(lines), 3000, "package.json")


def _node_start(
    names: frozenset[str], package: Mapping[str, object], needs: Mapping[str, object], manager: str
) -> str | None:
    """What serves; None where there is nothing to run, and what was built are pages."""
    scripts = _object(package.get("scripts"))
    script = str(scripts.get("start") or "")
    if script and not ("build" in scripts and _DEVELOPS.match(script)):
        return _exec(manager, "run", "start")
    own = next((words for name, words in _SERVES.items() if name in needs), None)
    if own is not None:
        return _exec(*own)
    if "build" in scripts:
        return None
    main = str(package.get("main") or "")
    known = (main, "server.js", "index.js", "app.js")
    return _exec("node", next((n for n in known if n and n in names), main or "index.js"))


# --- Go, PHP, pages ----------------------------------------------------------------------------


def _go(names: frozenset[str], texts: Mapping[str, str]) -> Recipe | None:
    if "go.mod" not in names:
        return None
    told = re.search(r"^go (\d+\.\d+)", texts.get("go.mod", ""), re.MULTILINE)
    version = told[1] if told else GO
    mains = sorted({n.rsplit("/", 1)[0] for n in names if re.fullmatch(r"cmd/[\w.-]+/main\.go", n)})
    likely = next((m for m in mains if m in ("cmd/server", "cmd/web", "cmd/api", "cmd/app")), "")
    package = "." if "main.go" in names or not mains else f"./{likely or mains[0]}"
    sums = "COPY go.mod go.sum ./" if "go.sum" in names else "COPY go.mod ./"
    lines = [
        f"FROM golang:{version} AS build",
        "WORKDIR /src",
        sums,
        "RUN go mod download",
        "COPY . .",
        f"RUN CGO_ENABLED=0 go build -o /app {package}",
        "",
        "FROM alpine:3.21",
        "WORKDIR /app",
        "RUN chown nobody /app",
        # Templates and pages beside it may be read as it runs.
        "COPY --from=build --chown=nobody /src .",
        "COPY --from=build /app /usr/local/bin/app",
        "USER nobody",
        "ENV PORT=8080",
        "EXPOSE 8080",
        f"CMD {_procfile(texts) or _exec('app')}",
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
        unpack = "apt-get install -y --no-install-recommends unzip && rm -rf /var/lib/apt/lists/*"
        lines += [
            f"RUN apt-get update && {unpack}",
            "COPY --from=composer:2 /usr/bin/composer /usr/bin/composer",
        ]
    lines += ["RUN docker-php-ext-install mysqli pdo_mysql", "COPY --chown=www-data . ."]
    if "composer.json" in names:
        lines += ["RUN composer install --no-dev --no-interaction --optimize-autoloader"]
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
