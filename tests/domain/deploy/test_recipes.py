"""Dockerfiles for sources that have none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.deploy.recipes import READ, recipe_for

FLASK = "from flask import Flask\nserver: Flask = Flask(__name__)\n"
NODE = json.dumps({"scripts": {"start": "node ."}, "engines": {"node": ">=20"}})
UNZIP = (
    "RUN apt-get update && apt-get install -y --no-install-recommends unzip "
    "&& rm -rf /var/lib/apt/lists/*"
)
VITE = json.dumps({"scripts": {"build": "vite build", "dev": "vite"}})


def pages(start: str, needs: str) -> dict[str, str]:
    """A source whose pages are built."""
    scripts = {"build": "build", **({"start": start} if start else {})}
    told = {"name": "shop", "scripts": scripts, "dependencies": {needs: "1"}}
    return {"package.json": json.dumps(told), "package-lock.json": "{}"}


@pytest.mark.parametrize(
    ("files", "language", "port", "lines"),
    [
        (
            {"requirements.txt": "Flask\ngunicorn\n", "app.py": FLASK, ".python-version": "3.11.4\n"},
            "python",
            8000,
            [
                "FROM python:3.11-slim",
                "RUN pip install --no-cache-dir -r requirements.txt",
                'CMD ["sh", "-c", "exec gunicorn app:server --bind 0.0.0.0:$PORT"]',
            ],
        ),
        (
            {"pyproject.toml": '[project]\ndependencies = ["fastapi"]', "main.py": "api = FastAPI()"},
            "python",
            8000,
            ["RUN pip install --no-cache-dir .",
             'CMD ["sh", "-c", "exec uvicorn main:api --host 0.0.0.0 --port $PORT"]'],
        ),
        (
            {"requirements.txt": "django\ngunicorn", "manage.py": "", "shop/wsgi.py": ""},
            "python",
            8000,
            ['CMD ["sh", "-c", "exec gunicorn shop.wsgi --bind 0.0.0.0:$PORT"]'],
        ),
        ({"main.py": "print('hi')"}, "python", 8000, ['CMD ["python", "main.py"]']),
        (
            {"requirements.txt": "", "Procfile": "worker: x\nweb: python serve.py \"a b\"\n"},
            "python",
            8000,
            ['CMD ["sh", "-c", "exec python serve.py \\"a b\\""]'],
        ),
        (
            {"package.json": NODE, "package-lock.json": "{}"},
            "node",
            3000,
            ["FROM node:20-slim", "COPY --chown=node package.json package-lock.json ./", "RUN npm ci",
             'CMD ["npm", "run", "start"]'],
        ),
        ({"package.json": "{}", "yarn.lock": "", "server.js": ""}, "node", 3000,
         ["RUN yarn install --frozen-lockfile", 'CMD ["node", "server.js"]']),
        ({"package.json": VITE}, "static", 80,
         ["FROM node:22-slim AS build", "RUN npm install", "RUN npm run build",
          "COPY --from=build /app/dist /usr/share/nginx/html"]),
        ({"package.json": "not json"}, "node", 3000, ['CMD ["node", "index.js"]']),
        ({"go.mod": "module x\n\ngo 1.22\n", "go.sum": "", "cmd/web/main.go": ""}, "go", 8080,
         ["FROM golang:1.22 AS build", "RUN CGO_ENABLED=0 go build -o /app ./cmd/web",
          "FROM alpine:3.21", 'CMD ["app"]']),
        ({"go.mod": "", "cmd/admin/main.go": "", "cmd/server/main.go": ""}, "go", 8080,
         ["RUN CGO_ENABLED=0 go build -o /app ./cmd/server"]),
        ({"go.mod": "", "main.go": ""}, "go", 8080, ["RUN CGO_ENABLED=0 go build -o /app ."]),
        ({"index.php": "<?php"}, "php", 80, ["FROM php:8.3-apache", "RUN docker-php-ext-install mysqli pdo_mysql",
          "COPY --chown=www-data . ."]),
        ({"composer.json": '{"require": {"php": "^8.1"}}', "public/index.php": ""}, "php", 80,
         ["FROM php:8.1-apache", UNZIP,
          "RUN composer install --no-dev --no-interaction --optimize-autoloader"]),
        ({"requirements.txt": "fastapi", "app/main.py": "app = FastAPI()"}, "python", 8000,
         ["RUN pip install --no-cache-dir uvicorn",
          'CMD ["sh", "-c", "exec uvicorn app.main:app --host 0.0.0.0 --port $PORT"]']),
        ({"requirements.txt": "streamlit", "app.py": ""}, "python", 8000,
         ['CMD ["sh", "-c", "exec streamlit run app.py --server.address 0.0.0.0 --server.port $PORT '
          '--server.headless true"]']),
        ({"requirements.txt": "gradio", "app.py": ""}, "python", 8000,
         ['CMD ["sh", "-c", "exec env GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=$PORT '
          'python app.py"]']),
        ({"pyproject.toml": "", "uv.lock": "", "main.py": ""}, "python", 8000,
         ["COPY pyproject.toml uv.lock ./", "ENV PATH=/app/.venv/bin:$PATH"]),
        ({"pyproject.toml": "", "poetry.lock": "", "main.py": ""}, "python", 8000,
         ["RUN poetry install --only main --no-root --no-interaction"]),
        # What serves for who develops is not what serves.
        (pages("react-scripts start", "react-scripts"), "static", 80,
         ["COPY --from=build /app/build /usr/share/nginx/html"]),
        (pages("vite", "vite"), "static", 80, ["COPY --from=build /app/dist /usr/share/nginx/html"]),
        (pages("ng serve", "@angular/core"), "static", 80,
         ["COPY --from=build /app/dist/shop/browser /usr/share/nginx/html"]),
        (pages("", "hexo"), "static", 80, ["COPY --from=build /app/public /usr/share/nginx/html"]),
        (pages("next dev", "next"), "node", 3000, ['CMD ["npx", "next", "start"]']),
        (pages("next start -p 4000", "next"), "node", 3000, ['CMD ["npm", "run", "start"]']),
        (pages("vite preview", "vite"), "node", 3000, ['CMD ["npm", "run", "start"]']),
        (pages("", "nuxt"), "node", 3000, ['CMD ["node", ".output/server/index.mjs"]']),
        ({"package.json": "{}", "pnpm-lock.yaml": ""}, "node", 3000,
         ["RUN npm install --global --force corepack && corepack enable",
          "COPY --chown=node package.json pnpm-lock.yaml ./", "RUN pnpm install --frozen-lockfile"]),
        ({"index.html": "", "style.css": ""}, "static", 80, ["COPY . /usr/share/nginx/html"]),
        ({"public/index.html": ""}, "static", 80, ["COPY public/ /usr/share/nginx/html"]),
    ],
)  # fmt: skip
def test_a_source_that_is_recognised(files, language, port, lines) -> None:
    recipe = recipe_for(list(files), {n: t for n, t in files.items() if n in READ})
    assert recipe is not None
    assert (recipe.language, recipe.port) == (language, port)
    written = recipe.text.splitlines()
    for line in lines:
        assert line in written
    assert written[0].startswith("FROM ")
    assert recipe.found in files


PRISMA = json.dumps({"scripts": {"postinstall": "prisma generate", "start": "node ."}})


@pytest.mark.parametrize(
    ("files", "install"),
    [
        ({"requirements.txt": "-r requirements/base.txt\n"}, "RUN pip install --no-cache-dir -r requirements.txt"),
        ({"requirements.txt": "flask\n-e .\n"}, "RUN pip install --no-cache-dir -r requirements.txt"),
        ({"requirements.txt": "./vendored\n"}, "RUN pip install --no-cache-dir -r requirements.txt"),
        ({"package.json": PRISMA, "package-lock.json": "{}"}, "RUN npm ci"),
        ({"package.json": "{}", "yarn.lock": "", ".yarnrc.yml": ""}, "RUN yarn install --frozen-lockfile"),
        ({"package.json": "{}", "pnpm-lock.yaml": "", "pnpm-workspace.yaml": ""}, "RUN pnpm install --frozen-lockfile"),
        ({"package.json": "{}", ".npmrc": ""}, "RUN npm install"),
    ],
)  # fmt: skip
def test_what_an_installation_reads_is_there_before_it(files, install) -> None:
    """Other files that it names, and what it runs; copied once."""
    recipe = recipe_for(list(files), {n: t for n, t in files.items() if n in READ})
    assert recipe is not None
    lines = recipe.text.splitlines()
    [copied] = [n for n, line in enumerate(lines) if line.startswith("COPY")]
    assert lines[copied].endswith(" . .")
    assert copied < lines.index(install)


@pytest.mark.parametrize(
    ("files", "image"),
    [
        ({"requirements.txt": "Flask\npsycopg2==2.9\n"}, "python:3.12"),
        ({"requirements.txt": "psycopg2-binary\n"}, "python:3.12-slim"),
        ({"pyproject.toml": 'requires-python = ">=3.13"'}, "python:3.13-slim"),
        ({"pyproject.toml": 'requires-python = ">=3.9,<3.12"'}, "python:3.11-slim"),
        ({"pyproject.toml": 'requires-python = "==3.10.*"'}, "python:3.10-slim"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.9"'}, "python:3.12-slim"),
        ({"pyproject.toml": 'python = "~3.11"'}, "python:3.11-slim"),
        ({"pyproject.toml": 'requires-python = ">=3.13"', ".python-version": "3.14"}, "python:3.14-slim"),
    ],
)  # fmt: skip
def test_a_python_that_will_do(files, image) -> None:
    """The version that the source asks for; a compiler where something is built from C."""
    recipe = recipe_for(list(files), files)
    assert recipe is not None
    assert recipe.text.splitlines()[0] == f"FROM {image}"


def test_what_is_not_recognised_has_none() -> None:
    assert recipe_for(["README.md", "src/lib.rs"], {}) is None
    assert recipe_for([], {}) is None


@given(st.dictionaries(st.sampled_from(READ), st.text("{}[]\"':\n= aweb.0;", max_size=40)))
def test_no_text_of_a_source_makes_a_line_of_its_own(texts) -> None:
    """What a source says ends up within an argument at most: it is quoted."""
    recipe = recipe_for(list(texts), texts)
    if recipe is not None:
        known = ("FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "CMD", "ENTRYPOINT", "")
        assert all(line.split(" ")[0] in known for line in recipe.text.splitlines())
