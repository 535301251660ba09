# CloudBang as a container. It needs the machine's network, in which it reaches the apps that it deploys; the
# engine's socket; and a folder or a volume for what it keeps: the gateway, a container beside it, shares a part
# of it. To read what containers use at a tenth of the cost of asking the engine, it needs the machine's
# /sys/fs/cgroup at /host/cgroup and its /proc at /host/proc, both read only; `python -m cloudbang doctor` says
# what lacks.
#
#   docker compose up -d        (docker-compose.yml says the rest)
#
# BASE is any Debian or Ubuntu with Python 3.11 or newer in its packages.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/cloudbang
COPY requirements.txt constraints.txt ./
# Where packages come from, when not from pypi.org: --build-arg PIP_INDEX_URL=…
ARG PIP_INDEX_URL
RUN python3 -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt -c constraints.txt
COPY cloudbang cloudbang
RUN for file in cloudbang/web/pages/translations/*/LC_MESSAGES/*.po; do \
        .venv/bin/pybabel --quiet compile --locale zh --input-file "$file" --output-file "${file%.po}.mo" || exit 1; \
    done \
    && .venv/bin/pip uninstall --quiet --yes pip setuptools \
    && .venv/bin/python -m compileall -q cloudbang \
    && .venv/bin/python -m cloudbang.web.flask_app

# The pages, built. npm comes from a wheel: Debian's brings hundreds of packages.
FROM build AS pages
# As above, for what the pages are made of: --build-arg NPM_CONFIG_REGISTRY=…
ARG NPM_CONFIG_REGISTRY
COPY scripts scripts
COPY package.json package-lock.json ./
RUN python3 -m venv /opt/node && scripts/packages /opt/node --omit=dev
COPY static static
ENV PATH=/opt/node/bin:$PATH
RUN scripts/vendor && node scripts/build.mjs

FROM ${BASE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/cloudbang
COPY --from=build /opt/cloudbang /opt/cloudbang
COPY wsgi.py ./
COPY conf conf
COPY --from=pages /opt/cloudbang/static/build static/build
ENV PATH=/opt/cloudbang/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LANG=C.UTF-8 \
    CLOUDBANG_CONFIG=/opt/cloudbang/conf/production.toml
VOLUME /data/docker_logs
EXPOSE 8188
STOPSIGNAL SIGTERM
# The port is asked for by the settings, so that a changed one is checked and not 8188.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; from cloudbang.config import load; r.urlopen(f'http://127.0.0.1:{load().server.port}/healthz', timeout=4)"]
CMD ["python", "-m", "cloudbang", "serve"]
