# Talkie: `make demo` and `make test` are the two to know. Needs Python 3.11 or later, make, gcc and git; the rest,
# uv included, is brought in below this directory (.tools, .venv, .demo) and removed by `make clean`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
# A uv of your own is taken when named (UV=/path/to/uv); otherwise the pinned one is brought in.
ifeq ($(origin UV),undefined)
UV := $(CURDIR)/.tools/bin/uv
BRING_UV := .tools/bin/uv
endif
BIN := .venv/bin
# Human recordings for `make bench`: a directory with manifest.csv (path, text, language, kind, seconds). Without
# one it measures on speech of the built-in voice.
SPEECH ?= $(wildcard ../shared/speech)
# Test processes. The tests of one file that share a server stay together (loadgroup).
JOBS ?= auto
# What the tests and the programs that they start import is compiled once, even where Python is told to keep nothing.
PYTEST = env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX="$(CURDIR)/.pytest_cache/bytecode" $(BIN)/pytest -q \
  -n $(JOBS) --dist loadgroup

# uv uses the Python that is here and does not fetch another.
export UV_PYTHON_DOWNLOADS ?= never
export UV

.PHONY: help setup demo test coverage check format serve bench deploy bundle sbom protos pictures lock clean

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z]+):.*## /\1\t/' | \
	  while IFS=$$'\t' read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

# --- bringing things in ---------------------------------------------------------------------------------------

.tools/bin/uv: scripts/uv.txt scripts/get-uv.sh
	@echo "-- bringing in uv" >&2
	@scripts/get-uv.sh "$(PYTHON)" .tools
	@touch $@

.venv/.synced: pyproject.toml uv.lock $(BRING_UV)
	@echo "-- installing the locked versions into .venv" >&2
	@"$(UV)" sync --quiet --frozen --all-extras --python "$(PYTHON)"
	@touch $@
	@echo "-- ready: .venv/bin/talkie" >&2

setup: .venv/.synced ## the development environment, from the lock file

# --- seeing it work -------------------------------------------------------------------------------------------

demo: $(BRING_UV) ## install the wheel aside, speak, hear, and show what was heard
	@scripts/demo.sh "$(UV)" "$(PYTHON)" $(ARGS)

serve: setup ## the server on http://127.0.0.1:8000
	@$(BIN)/talkie serve $(ARGS)

bench: setup ## word error rate, speed, memory and start-up time (SPEECH=directory of human recordings)
	@$(BIN)/talkie bench all $(if $(SPEECH),--speech "$(SPEECH)") $(ARGS)

# --- checking it ----------------------------------------------------------------------------------------------

check: setup ## formatting, lint, types, import arrows
	@echo "-- ruff" >&2 && $(BIN)/ruff format --quiet --check . && $(BIN)/ruff check --quiet .
	@echo "-- mypy" >&2 && $(BIN)/mypy --no-error-summary
	@echo "-- import-linter" >&2 && { out=$$($(BIN)/lint-imports --no-logo 2>&1) || { printf '%s\n' "$$out"; exit 1; }; }

test: check ## check, then every test
	@echo "-- pytest" >&2 && $(PYTEST) $(ARGS)

coverage: check ## every test, and which lines none of them reaches (takes half as long again)
	@$(PYTEST) --cov --cov-report=term:skip-covered $(ARGS)

format: setup ## put the code into shape
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

# --- now and then ---------------------------------------------------------------------------------------------

bundle: $(BRING_UV) ## one folder for machines without Python, and its archive: dist/talkie, dist/talkie-*.tar.zst
	@deploy/bundle/build.sh "$(UV)" "$(PYTHON)" dist

deploy: setup ## every form of installation that this machine can run, and the same conversation in each
	@scripts/test-deploy $(ARGS)

sbom: setup ## write talkie.cdx.json: what is inside, from the lock (CycloneDX)
	@"$(UV)" export --quiet --frozen --no-dev --format cyclonedx1.5 --preview-features sbom-export -o talkie.cdx.json

protos: setup ## make the gRPC modules anew from their .proto
	@scripts/protos.sh $(BIN)/python

pictures: setup ## make the README's pictures anew, from real runs
	@$(BIN)/python scripts/pictures.py

lock: setup ## take newer versions of everything into the lock files
	@"$(UV)" lock --upgrade
	@scripts/lock.sh "$(UV)"

clean: ## remove what make has made
	rm -rf .venv .tools .demo dist build htmlcov .coverage .coverage.* talkie.cdx.json
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
