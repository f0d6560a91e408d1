# The commands that people, hooks and CI run; `make` alone lists them.

PYTHON ?= python3
CONSTRAINTS ?= requirements/constraints.txt
PIP_ARGS ?=
WORKERS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.core-installed
DEV := $(VENV)/.dev-installed
BENCH := $(VENV)/.bench-installed
PEERS_VENV := .cache/peers
PEERS := $(PEERS_VENV)/.installed
PIP_INSTALL = $(BIN)/python -m pip install $(addprefix --constraint ,$(CONSTRAINTS)) $(PIP_ARGS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-slow test-gpu check format bench bench-serve docs clean

help: ## Say what each command does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '%s\n' '' \
	  'The first one that needs it makes $(VENV) and installs into it. Settings, as in make run ARGS=--quiet:' \
	  '' \
	  '  ARGS         more arguments for the command, as in make test ARGS="-k elbo"' \
	  '  WORKERS      processes that run the tests ($(WORKERS))' \
	  '  PYTHON       what makes $(VENV): Python 3.11 or newer ($(PYTHON))' \
	  '  PIP_ARGS     more arguments for pip install, as in PIP_ARGS="--extra-index-url URL" where URL is' \
	  '               the index that the PyTorch site gives for your CPU or CUDA build' \
	  '  CONSTRAINTS  pinned versions ($(CONSTRAINTS));' \
	  '               empty keeps a torch already in $(VENV), or takes the newest versions allowed' \
	  '' \
	  'The last three count when $(VENV) is made: make clean first.'

run: $(CORE) ## Train and evaluate the recipe mnist, and say where the pictures are
	$(BIN)/vaekit train mnist $(ARGS)

test: $(DEV) ## Run the tests (some eight minutes on two cores)
	$(BIN)/python -m pytest -m "not slow and not gpu" -n $(WORKERS) $(ARGS)

test-slow: $(DEV) ## Run the slow tests: kills, long runs, the built wheel
	$(BIN)/python -m pytest -m slow -n $(WORKERS) --dist worksteal $(ARGS)

test-gpu: $(DEV) ## Run the tests that need a CUDA device
	$(BIN)/python -m pytest -m gpu $(ARGS)

check: $(DEV) ## Check format, lint, types and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(DEV) ## Format the code and fix what lint can fix
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(BENCH) ## Time training and evaluation against peers, on an otherwise idle machine
	$(BIN)/python benchmarks/training_speed.py $(ARGS)
	$(BIN)/python benchmarks/evaluation_speed.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/startup.py

bench-serve: $(DEV) $(PEERS) ## Time the service against peers, on an otherwise idle machine (needs wrk)
	$(BIN)/vaekit train mnist --quiet --output .cache/bench-serve
	$(BIN)/vaekit export .cache/bench-serve --int8 --prune 0.5
	$(BIN)/python benchmarks/serving_start.py .cache/bench-serve
	$(BIN)/python benchmarks/serving_speed.py .cache/bench-serve $(PEERS_VENV)/bin/python $(ARGS)

docs: $(CORE) ## Write docs/cli.md, docs/lesson and the tables of other pages from what they describe
	$(BIN)/python docs/make_cli_reference.py
	$(BIN)/python docs/make_lesson.py
	$(BIN)/python docs/make_failure_modes.py
	$(BIN)/python docs/make_dynamics_page.py

clean: ## Remove what these commands made, but neither runs/ nor fetched data
	rm -rf $(VENV) build dist htmlcov .coverage .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find src tests docs benchmarks -name __pycache__ -prune -exec rm -rf {} +

# The stamps depend on what decides the versions, so that a second `make run` starts at once.
$(DEV): $(CORE)
	$(PIP_INSTALL) --editable '.[dev,parquet]'
	@touch $@

$(BENCH): $(CORE)
	$(PIP_INSTALL) --editable '.[bench]'
	@touch $@

$(PEERS): benchmarks/peers/requirements.txt
	@$(PYTHON) -m venv $(PEERS_VENV)
	$(PEERS_VENV)/bin/python -m pip install $(PIP_ARGS) --requirement $<
	@touch $@

$(CORE): pyproject.toml $(CONSTRAINTS) $(BIN)/python
	$(PIP_INSTALL) --editable .
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null || { \
	  echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "vaekit needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
