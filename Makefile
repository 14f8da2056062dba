# Needs Python >= 3.11 and make; everything else comes into .venv from the hashed lock.
# `make demo` shows the portal, `make test` and `make check` judge it.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest
PIP := $(PY) -m pip --disable-pip-version-check -qq
WORKERS ?= 2
export FIGURE ONLY PORT SANDBOX_PORT

.PHONY: demo test check e2e bench proof translations lock clean help
.DEFAULT_GOAL := help

help:
	@echo "make demo          the whole hospital on this machine, until Ctrl-C"
	@echo "make test          every test that needs no browser, on a real PostgreSQL (PROOF_SCALE=0.01)"
	@echo "make check         style, types, layers, migrations, templates, translations, lock"
	@echo "make e2e           the tests that need a browser"
	@echo "make proof         the proofs at full size (ONLY=T5,T6 for some)"
	@echo "make bench         speed beside the floor and the peers (FIGURE=name for one)"
	@echo "make translations  collect messages into the catalogue"
	@echo "make lock          pin the dependencies of pyproject.toml with hashes"
	@echo "make clean         remove what was made here: .venv and var"

$(VENV)/.ready: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	@echo "setting up $(VENV) ..."
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes --no-deps -r requirements.lock
	@touch $@

$(VENV)/.ready-bench: $(VENV)/.ready requirements-bench.lock
	@$(PIP) install --require-hashes --no-deps -r requirements-bench.lock
	@touch $@

demo: $(VENV)/.ready
	@exec $(PY) manage.py demo

test: $(VENV)/.ready
	@$(PYTEST) -n $(WORKERS) -m "not browser"

e2e: $(VENV)/.ready
	@$(PYTEST) -m browser

proof: $(VENV)/.ready
	@PROOF_SCALE=$${PROOF_SCALE:-1} PROOF_REPORT=1 $(PYTEST) -m proof --timeout 3600

bench: $(VENV)/.ready-bench
	@$(PY) -m tests.bench

check: $(VENV)/.ready
	@$(PY) .ci/lock.py check
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@DJANGO_SETTINGS_MODULE=config.settings $(VENV)/bin/mypy
	@DJANGO_SETTINGS_MODULE=sandbox.settings $(VENV)/bin/mypy --cache-dir var/cache/mypy-sandbox sandbox
	@$(VENV)/bin/lint-imports --cache-dir var/cache/imports > var/cache/imports.txt || { cat var/cache/imports.txt; exit 1; }
	@$(PY) manage.py check
	@$(PY) manage.py makemigrations --check --dry-run
	@$(VENV)/bin/djlint --lint --quiet templates
	@$(PY) manage.py translations --check

translations: $(VENV)/.ready
	@$(PY) manage.py translations

lock: $(VENV)/.ready
	@$(PY) .ci/lock.py write

clean:
	@rm -rf $(VENV) var
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
