# Everything this project does for a person. It needs make and Python 3.11 or newer. The environment
# goes to .venv/, photos and the database to var/; outside this folder only pip keeps its cache (and
# apt-get, for root on Debian without a Chromium, installs one to test with).

PYTHON ?= python3
python := .venv/bin/python
manage := $(python) manage.py
# Packages are many; a connection that drops once must not end the installation.
pip := $(python) -m pip --disable-pip-version-check install --retries 5
# What collectstatic writes last; where CATSDOGS_VAR is moved, it collects on every start.
static := var/static/staticfiles.json
moved := $(CATSDOGS_VAR)$(shell grep -s ^CATSDOGS_VAR= .env)
export PLAYWRIGHT_BROWSERS_PATH ?= $(CURDIR)/.venv/browsers

.DEFAULT_GOAL := help
.PHONY: help setup run test test-sqlite test-postgres lint types bench train retrain admin up locks clean database browser always

help: ## Show this list
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile
	@echo "Settings are environment variables, listed in .env.example: make run PORT=8080"

setup: .venv/.dev browser ## Install all that developing needs: tests, types, style, training

run: .venv/.serve database $(static) ## Run the site on http://127.0.0.1:8000 (HOST and PORT change that)
	@exec $(python) -m gunicorn

test: test-sqlite test-postgres ## Run all tests on SQLite, then again on a PostgreSQL of their own

test-sqlite: .venv/.dev browser
	$(python) -m pytest

# Once is enough for what reaches no database but one of its own, as all in ml and benchmarks.
test-postgres: .venv/.dev browser
	CATSDOGS_TEST_DATABASE=postgres $(python) -m pytest -m "not once" \
		--ignore=tests/ml --ignore=tests/benchmarks

lint: .venv/.dev ## Check style, formatting and who imports whom
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -c "from importlinter.cli import lint_imports_command; lint_imports_command()" --no-cache

types: .venv/.dev ## Check types
	$(python) -m mypy

# With WRITE=1 the tables of docs/performance.md are made anew; else they are in var/bench/ alone.
write := $(if $(WRITE),--write docs/performance.md)

bench: .venv/.dev ## Measure serving beside peers, start, memory, loop, swaps; with photos, candidates
	$(python) -m benchmarks.serving --single --peers all $(write)
	$(python) -m benchmarks.starting $(write)
	$(python) -m benchmarks.memory --where $(write)
	$(python) -m benchmarks.loop
	$(python) -m benchmarks.swapping
	@if [ -d "$${CATSDOGS_DATA:-data/raw}" ]; then \
		$(python) -m benchmarks.candidates && $(python) -m benchmarks.second_looks; \
	else \
		echo "No photos in CATSDOGS_DATA: the candidates are not measured."; \
	fi

train: .venv/.train ## Train a version on the photos in CATSDOGS_DATA
	$(manage) train_model

retrain: .venv/.serve database ## Learn from the feedback that was approved; a better version goes live
	$(manage) retrain

admin: .venv/.serve database ## Create a staff user (asks, or takes DJANGO_SUPERUSER_USERNAME and _PASSWORD)
	@DJANGO_SUPERUSER_EMAIL="$${DJANGO_SUPERUSER_EMAIL:-$$DJANGO_SUPERUSER_USERNAME@localhost}" \
		$(manage) createsuperuser $(if $(DJANGO_SUPERUSER_PASSWORD),--noinput)

up: ## Run the site and PostgreSQL in containers (needs Docker and a filled-in .env)
	docker compose up --build

# One resolution for all: dev.txt first, and the smaller sets are cut out of it.
lock := $(python) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

locks: .venv/.dev ## Lock what requirements/*.in name, by hash (UPGRADE=1: at the newest versions)
	$(lock) $(if $(UPGRADE),--upgrade) requirements/serve.in requirements/train.in requirements/scale.in requirements/dev.in -o requirements/dev.txt
	$(lock) -c requirements/dev.txt requirements/serve.in requirements/train.in requirements/scale.in -o requirements.txt
	$(lock) -c requirements/dev.txt requirements/serve.in -o requirements/serve.txt
	$(lock) -c requirements/dev.txt requirements/scale.in -o requirements/scale.txt

clean: ## Remove the environment and caches; var/ (database and photos) stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "var/ is kept: your database and photos are in it."

# Collecting hashes and compresses every file: seconds that a second start need not wait.
$(static): .venv/.serve $(shell find static) $(if $(moved),always)
	@$(manage) collectstatic --noinput --verbosity 0
	@[ ! -e $@ ] || touch $@

database:
	@$(manage) migrate --noinput --verbosity 0
	@$(manage) register_models

# A stamp in .venv says which lists are installed; pip runs again only when a list has changed.
.venv/.serve: requirements/serve.txt | .venv/bin/python
	@echo "Installing what the site needs (once)"
	@$(pip) -r $<
	@touch $@

.venv/.train: requirements.txt | .venv/bin/python
	@echo "Installing what the site and training need (once, some 1.5 GB)"
	@$(pip) -r $<
	@touch $@

.venv/.dev: requirements/dev.txt | .venv/bin/python
	@echo "Installing what developing needs, training included (once, some 2 GB)"
	@$(pip) -r $<
	@touch $@

.venv/bin/python:
	@found=; \
	for candidate in "$(PYTHON)" python3.13 python3.12 python3.11; do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			found=$$candidate; break; \
		fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "catsdogs needs Python 3.11 or newer. Found: $$("$(PYTHON)" --version 2>&1 | tail -n 1)" >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$found cannot make a virtual environment: its venv or ensurepip is missing." >&2; \
		echo "On Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 1; \
	fi; \
	echo "Making .venv with $$("$$found" --version)"; \
	"$$found" -m venv --clear .venv

# The browser tests drive a Chromium: the system's, else Debian's package, else Playwright's build.
# Without any of them they are skipped by name, and fail where CI=true.
browser: .venv/.dev
	@for name in chromium chromium-browser google-chrome; do \
		command -v $$name >/dev/null && exit; \
	done; \
	if [ -d "$$PLAYWRIGHT_BROWSERS_PATH" ]; then \
		:; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update && apt-get install --yes --no-install-recommends chromium fonts-liberation; \
	else \
		$(python) -m playwright install chromium; \
	fi || echo "No Chromium could be installed: the browser tests will be skipped." >&2
