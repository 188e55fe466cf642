# Everything from a clean clone: Python 3.11-3.13, make and a C++ compiler are enough. uv is used where present.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Light flags: QuickFIX compiles in about three minutes instead of five, and runs as fast.
export CFLAGS := -O1 -g0
export CXXFLAGS := -O1 -g0
export DO_NOT_TRACK := 1
# Where it is set every process compiles some three thousand modules again: six seconds for each that imports the flows.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check serve bench bench-science fuzz clean setup format lock

demo: setup
	@$(BIN)/sotto demo $(ARGS)

# Two processes: what needs a Prefect server goes to one of them, every other file to whichever is free.
test: setup
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/sqlfluff lint --processes 2 dbt
	@$(BIN)/python -m pytest -q tests/architecture

serve: setup
	@$(BIN)/sotto serve $(ARGS)

bench: setup
	@$(BIN)/python -m benchmarks $(ARGS)

# The closed loops: about half an hour of one processor for all of it; ARGS=--short takes about four minutes.
bench-science: setup
	@$(BIN)/python -m benchmarks science $(ARGS)

# About 100,000 requests made from the API's own description, valid and invalid: takes half an hour or so.
fuzz: setup
	@SOTTO_FUZZ_CASES=2000 SOTTO_FUZZ_RANDOM=1 $(BIN)/python -m pytest -q --timeout=0 tests/integration/test_api_bad_input.py -s -k "no_route or walks" $(ARGS)

format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/sqlfluff fix --processes 2 dbt

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@PYTHON=$(PYTHON) VENV=$(VENV) bash tools/setup.sh
	@touch $(STAMP)

lock:
	uv pip compile pyproject.toml --all-extras --universal --no-emit-index-url --no-emit-find-links --no-header --no-annotate -o constraints.txt

clean:
	rm -rf $(VENV) .sotto build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dbt/target dbt/logs
