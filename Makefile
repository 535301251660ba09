# CloudBang. `make run` serves; `make test` and `make check` prove; `make bench` measures.
# Nothing has to be prepared but git, make and Python 3.11 or newer.

VENV   := .venv
PY     := $(VENV)/bin/python
PATCHED := $(PY) -m gevent.monkey --module
PO     := $(wildcard cloudbang/web/pages/translations/*/LC_MESSAGES/*.po)
MO     := $(PO:.po=.mo)
# Compiled once: whoever serves may not write here, and would compile all of it at every start.
PYC    := cloudbang/__pycache__/.compiled
VENDOR := static/vendor/.ready
# What the pages are served as, and what it is made of; folders, too: a file may be gone.
PAGES  := static/build/manifest.json
SOURCES := $(shell find static/css static/js) static/favicon.svg scripts/build.mjs
JS_TESTS := $(shell find tests/js -name "*.test.js")
# node from the machine, or from the wheel that the development venv brings along
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: install run test test-unit test-browser test-long test-js check generated format bench torture clean help

help:
	@echo "make run      everything needed to serve, then serves on http://127.0.0.1:8188"
	@echo "make install  everything needed to serve, for supervisord to start"
	@echo "make test     everything needed to test, then the whole suite, in lanes beside each other"
	@echo "make test-unit, test-browser, test-js   one kind of tests; test-long: many rounds of faults"
	@echo "make check    formatting, lint, types, imports, texts, documents, the pages' modules"
	@echo "make torture  a server that everything goes wrong for, 15 minutes: MINUTES=… SEED=…"
	@echo "make bench    the benchmarks, as a table of ratios"
	@echo "scripts/with-engine FOLDERS make …   the same on another Docker Engine: CONTRIBUTING.md"

install: $(VENV)/.run $(MO) $(PAGES) $(PYC)

run: install
	@scripts/engine-up >/dev/null
	@exec $(PY) -m cloudbang serve

$(VENV)/.python:
	@echo "CloudBang: installing what it needs into $(VENV), which takes a minute or two, once ..." >&2
	@scripts/venv $(VENV)
	@touch $@

$(VENV)/.run: requirements.txt constraints.txt | $(VENV)/.python
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@touch $@

%.mo: %.po | $(VENV)/.run
	@$(VENV)/bin/pybabel --quiet compile --input-file $< --output-file $@ --locale zh

# Each file's own time stands in what is made of it, so that an old one is never run.
$(PYC): $(shell find cloudbang -name '*.py' -o -name '*.html') $(VENV)/.run
	@$(PY) -m compileall -q cloudbang
	@$(PY) -m cloudbang.web.flask_app
	@touch $@

# One install of npm's packages at a time: the tools of development are laid over what serving needs.
.NOTPARALLEL:

node_modules/.run: package-lock.json scripts/packages | $(VENV)/.run
	@scripts/packages $(VENV) --omit=dev
	@touch $@

node_modules/.ready: package-lock.json scripts/packages | $(VENV)/.dev
	@scripts/packages $(VENV)
	@touch node_modules/.run $@

$(VENDOR): package-lock.json scripts/vendor node_modules/.run
	@scripts/vendor
	@touch $@

$(PAGES): $(SOURCES) $(VENDOR)
	@node scripts/build.mjs

# In lanes beside each other: see tests/lanes.py and parts.py. What takes long and proves in many rounds
# what is proven in a few here is in test-long.
test: $(VENV)/.dev $(MO) node_modules/.ready $(PAGES) $(PYC)
	@scripts/engine-up
	@scripts/test-image
	@scripts/test-registry >/dev/null
	@scripts/browser-up
	@$(PY) -m tests.lanes

LONG := tests/faults/test_server_killed.py tests/faults/test_deleting_killed.py tests/faults/test_soak.py \
	tests/node/collector/test_exactly_once.py tests/storage/logs/test_kill.py

test-long: $(VENV)/.dev $(MO) $(PAGES) $(PYC)
	@scripts/engine-up
	CLOUDBANG_TEST_LONG=1 $(PATCHED) pytest $(LONG)

# Patched before anything is imported, as the server is.
test-unit: $(VENV)/.dev $(MO) $(PAGES) $(PYC)
	$(PATCHED) pytest tests --ignore=tests/browser

# Playwright brings an event loop of its own, which gevent's patches would break.
test-browser: $(VENV)/.dev $(MO) node_modules/.ready $(PAGES) $(PYC)
	$(PY) -m pytest tests/browser

test-js: node_modules/.ready $(PAGES)
	node --test --test-reporter=./tests/js/reporter.js $(JS_TESTS)

check: $(VENV)/.dev $(MO) node_modules/.ready $(PAGES)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	node_modules/.bin/tsc -p .
	node_modules/.bin/prettier --check --log-level warn "static/**/*.{js,css}" "scripts/*.mjs" "tests/js/**/*.js"
	$(PATCHED) pytest --quiet tests/test_house.py tests/test_generated.py
	node --test --test-reporter=./tests/js/reporter.js $(JS_TESTS)

# What the pages' JavaScript takes over from Python; it is committed, and a test compares it.
generated: $(VENV)/.run
	@$(PY) scripts/generate.py

format: $(VENV)/.dev node_modules/.ready
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .
	node_modules/.bin/prettier --write --log-level warn "static/**/*.{js,css}" "scripts/*.mjs" "tests/js/**/*.js"

# Whatever can go wrong, several at once, at random moments; then every line is compared.
# MINUTES=15 SEED=… say for how long and with which chances.
torture: $(VENV)/.dev $(MO) $(PAGES) $(PYC)
	@scripts/engine-up
	$(PY) -m tests.torture $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

# NAMES="alerts traffic" runs only those; traffic_long only so.
bench: $(VENV)/.dev $(MO) $(PAGES) $(PYC)
	@scripts/engine-up
	$(PY) -m bench $(NAMES)

clean:
	rm -rf $(VENV) node_modules static/vendor static/build $(MO)
	find cloudbang -name __pycache__ -exec rm -rf {} +
