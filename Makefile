# `make demo` runs everything on this machine; `make test` proves it. `make help` lists the rest.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements.txt pyproject.toml
	@command -v uv >/dev/null || python3 -m pip install --quiet uv
	uv venv --quiet --allow-existing --python 3.11 $(VENV)
	uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt
	uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

setup: $(READY) ## Create the environment (.venv), every version locked with hashes

lock: ## Lock the newest versions that pyproject.toml allows
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra dev --upgrade pyproject.toml -o requirements.txt

.PHONY: help setup lock
