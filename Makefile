# Everything a fresh machine needs is made here; git, make and Python >= 3.11 are presupposed, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The version that uv.lock pins for the development group, so that the bootstrap and the lock agree.
UV_VERSION := $(shell awk '/^name = "uv"$$/{getline; gsub(/[^0-9.]/, ""); print}' uv.lock)
ARGS ?=

.PHONY: demo test coverage faults lint bench setup format clean

setup: $(VENV)/.synced  ## make the virtual environment

$(VENV)/.synced: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit("Foretag needs Python 3.11 or newer; this is " + sys.version.split()[0] + " (set PYTHON=...)" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --quiet --system-certs
	@touch $@

demo: setup  ## the whole job on a local CRM with real data
	@$(BIN)/foretag demo $(ARGS)

test: setup  ## all tests but the long ones
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not long" $(ARGS)

coverage: setup  ## the same with branch coverage, which takes several times as long
	$(BIN)/python -m coverage erase
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not long" --cov --cov-report= $(ARGS)
	$(BIN)/python -m coverage report --skip-covered --sort=cover | tail -25

faults: setup  ## the long tests: whole runs that meet what goes wrong
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m long $(ARGS)

lint: setup  ## style, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup  ## CPU seconds, memory, API calls: figures, no pass or fail
	$(BIN)/python -m tests.benchmarks $(ARGS)

clean:
	rm -rf $(VENV) .foretag .node build dist .coverage* htmlcov .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
