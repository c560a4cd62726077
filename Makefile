# `make demo` runs everything on this machine; `make test` proves it. `make help` lists the rest.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A distribution's own Python where it can compile for it: built by profile, it takes a tenth less time than one that was not.
PYTHON ?= $(if $(wildcard /usr/include/python3.11/Python.h),/usr/bin/python3.11,3.11)
UV = $(shell command -v uv || echo python3 -m uv)

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements.txt pyproject.toml
	@$(UV) --version >/dev/null 2>&1 || python3 -m pip install --quiet uv 2>/dev/null \
	  || python3 -m pip install --quiet --user --break-system-packages uv  # Debian's own Python
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

compiled: $(READY) # the core's hot modules by mypyc, where there is a C compiler; not twice for the same sources
	@$(BIN)/python -m infra.compiled

demo: compiled java ## Everything on this machine, with simulated customers; FOR=60 ends by itself after 60 s
	@$(BIN)/c360 up --demo $(if $(FOR),--for $(FOR))

java: # Kafka's runtime and what fetches it
	@command -v java >/dev/null && command -v mvn >/dev/null || { echo "Java or Maven is missing. On Debian:"; \
	  echo "  apt-get install -y openjdk-17-jre-headless maven"; exit 1; }

setup: compiled ## Create the environment (.venv), every version locked with hashes; compile the core

lock: ## Lock the newest versions that pyproject.toml allows
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra dev --extra evaluate --upgrade pyproject.toml -o requirements.txt

check: $(READY) ## Format, lint, types, import contract, fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	CUSTOMER360_INTERPRETED=1 $(BIN)/python -m pytest -q -m "not stack and not browser and not chaos and not compiled"

test: compiled chromium ## All tests, on a real Kafka, ClickHouse and browser
	$(BIN)/python -m pytest

soak: compiled java ## Random chaos, seed after seed; 50 of them; RUNS=10 for so many, FROM=51 to begin there, SEED=17 for one; JSON=FILE keeps what it came to
	@$(BIN)/python -m tests.chaos.soak $(if $(SEED),--seed $(SEED),--runs $(or $(RUNS),50) --from $(or $(FROM),1)) $(if $(JSON),--json $(JSON))

chromium: # the browser that the console's tests drive; installed when it is missing
	@command -v chromium >/dev/null || { echo "installing Chromium (Debian package)"; \
	  SUDO=$$(test "$$(id -u)" = 0 || echo sudo); \
	  $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; }

bench: compiled java ## Measure every figure (about 20 minutes); results in tests/bench/results
	@$(BIN)/python -m tests.bench

evaluate: compiled ## How good the learners are, beside batch models (about 10 minutes); MISSING=1 goes on
	@$(BIN)/python -m tests.evaluation $(if $(MISSING),--missing)

format: $(READY) ## Format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schemas: $(READY) ## Write docs/schemas, docs/asyncapi.json and docs/openapi*.json anew
	$(BIN)/python -m infra.schemas

.PHONY: bench evaluate soak schemas help setup lock check test chromium format
