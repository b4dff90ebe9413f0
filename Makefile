# make run    everything: set-up, then the real DAGs once over the sample feeds
# make test   set-up, then linters and all tests
# make help   the other targets

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

# uv reads neither pip.conf nor PIP_*: hand on where this machine gets its packages from.
PIP_SETTING = $$($(BIN)/pip config get global.$(1) 2>/dev/null)
UV_ENVIRONMENT = VIRTUAL_ENV="$(CURDIR)/.venv" \
  UV_FIND_LINKS="$${UV_FIND_LINKS:-$${PIP_FIND_LINKS:-$(call PIP_SETTING,find-links)}}" \
  UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$(call PIP_SETTING,index-url)}}"

.PHONY: run test lint airflow setup clean help
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

run: $(READY)  ## set-up, then the real DAGs once over the sample feeds; a table at the end
	@$(BIN)/python dags/run_once.py

test: $(READY) lint  ## set-up, linters, all tests
	@$(BIN)/python -m pytest

lint: $(READY)  ## ruff, mypy, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

airflow: $(READY)  ## Airflow's web pages and scheduler on 127.0.0.1
	@$(BIN)/python dags/standalone.py

setup: $(READY)  ## the virtual environment in .venv

# A CPU build of torch (UV_FIND_LINKS names a folder with one) keeps several GB of CUDA packages out of the lock.
lock:  ## requirements.lock anew from pyproject.toml
	sed -i.bak '/^torch==/d' requirements.lock && rm requirements.lock.bak
	uv pip compile pyproject.toml --all-extras --python-version 3.11 --no-emit-index-url --no-emit-find-links -q -o requirements.lock
	sed -i.bak 's/^\(torch==[0-9.]*\)+cpu/\1/' requirements.lock && rm requirements.lock.bak

clean:  ## remove the environment, the warehouse and all caches
	rm -rf .venv var .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# A set-up that was cut off leaves no stamp and starts again from nothing.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Klang needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "Setting up .venv: under a minute with uv, a few minutes with pip"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@command -v uv >/dev/null || $(BIN)/pip install -qq uv || echo "no uv here; going on with pip"
	@export PATH="$(CURDIR)/$(BIN):$$PATH"; \
	{ command -v uv >/dev/null && $(UV_ENVIRONMENT) uv pip install --quiet --compile-bytecode -r requirements.lock -e . ; } \
	  || $(BIN)/pip install -qq -r requirements.lock -e .
	@touch $@
