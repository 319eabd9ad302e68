# make demo   try it, with no account anywhere        make test   everything tests need, then the tests
# make check  style, types, layers                    make bench  the measurements
# make soak   thousands of logins and sessions, and trouble at the provider and at JSM; some five minutes, loopback only
# make conformance   what the OpenID Connect specifications ask of a relying party; with Java and Maven also at a real Keycloak

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
UV := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv
DEMO_ARGS ?=
BENCH_ARGS ?=
SOAK_ARGS ?=
TESTS ?= tests
PYTEST_ARGS ?= -n 2 --dist loadfile
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(if $(UPGRADE),--upgrade)

.PHONY: demo test conformance check bench lighthouse soak services lock clean

demo: $(VENV)/.demo
	@$(BIN)/jsmsso demo $(DEMO_ARGS)

test: $(VENV)/.dev services
	@scripts/run-tests $(PYTEST_ARGS) $(TESTS)
	@echo "note: the tests at a real Keycloak are left out; make conformance runs them"

conformance: $(VENV)/.dev services
	@scripts/install-keycloak
	@scripts/run-tests $(PYTEST_ARGS) -m "conformance or conformance_keycloak" $(TESTS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python docs/generate.py --check
	$(BIN)/python docs/generate_providers.py --check

bench: $(VENV)/.dev services
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

# Google's Lighthouse on every hosted page; its npm packages are large, so that nothing else installs them.
lighthouse: $(VENV)/.dev services
	@cd benchmarks/lighthouse && npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
	@$(BIN)/python -m benchmarks.lighthouse

soak: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.soak $(SOAK_ARGS)

# What tests take from Debian and npm; quick when all of it is there.
services:
	@scripts/install-services

# Also after a change of the dependencies in pyproject.toml; `make lock UPGRADE=1` takes what is newest.
lock: $(VENV)/.uv
	$(COMPILE) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) pyproject.toml --all-extras --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra demo --group build -c requirements/dev.txt -o requirements/demo.txt
	$(COMPILE) pyproject.toml --extra redis -c requirements/dev.txt -o requirements/serve.txt
	$(COMPILE) --group build -c requirements/dev.txt -o requirements/build.txt

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache tests/services/node_modules benchmarks/lighthouse/node_modules

# The stamps: a step runs again only when the lock or the package's description is newer.
$(VENV)/.uv: requirements/uv.txt
	@scripts/make-venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.uv requirements/demo.txt pyproject.toml
	@echo "Installing what the demo needs ..."
	@$(UV) pip install --quiet --require-hashes -r requirements/demo.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# `sync` also removes what is locked no more; the demo's set is a part of this one.
$(VENV)/.dev: $(VENV)/.uv requirements/dev.txt pyproject.toml
	@echo "Installing what development needs ..."
	@$(UV) pip sync --quiet --require-hashes requirements/dev.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(VENV)/.demo $@
