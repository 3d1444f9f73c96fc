# Every target works in a fresh checkout: Python 3.11 or newer, make and a package index are all it takes.
PYTHON ?= python3
BIN := .venv/bin
UV := VIRTUAL_ENV=.venv $(BIN)/uv

.DEFAULT_GOAL := help
.PHONY: help demo up test lint fix lock docs bench build clean

help:              #-- list the targets
	@awk -F ':.*#-- ' '/^[a-z-]+:.*#-- / {printf "%-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/warm   #-- run the whole pipeline once on the embedded database
	@$(BIN)/chandlery demo

up: .venv/warm     #-- run Dagster and the API until interrupted
	@$(BIN)/chandlery up

test: .venv/warm   #-- run every test and hold the coverage floor; no network, nothing running
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov=src/chandlery --cov-report= --cov-fail-under=90

lint: .venv/ready  #-- check style, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: .venv/ready   #-- repair what the linters can repair
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: .venv/ready  #-- pin every dependency with its hashes
	@$(UV) pip compile -q --universal --generate-hashes --group dev --group docs --custom-compile-command "make lock" -o requirements.lock pyproject.toml

docs: .venv/ready  #-- write the generated pages, then build the site
	@$(BIN)/python -W ignore -m docs._generate
	@$(BIN)/python -m chandlery.api.openapi
	@$(BIN)/zensical build --strict
	@rm -rf site/_generate

bench: .venv/warm  #-- measure ingest, candles, the kernel, strategies and their peers
	@for program in benchmarks/*.py; do $(BIN)/python $$program || exit 1; done

build: .venv/ready #-- make the wheel and the source archive in dist/
	@$(BIN)/python -m hatchling build

clean:             #-- remove what was built; .venv and .chandlery stay
	@rm -rf dist site .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@rm -rf dbt_project/target dbt_project/logs
	@find src orchestration tests docs benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# uv comes in the version and with the hashes of the lock. It knows no pip.conf, so where an index is set there, or
# uv cannot work for another reason, pip does the same and says what is wrong.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'chandlery needs Python 3.11 or newer')"
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	@test -x $(BIN)/uv || $(BIN)/python -m pip install -q --require-hashes --no-deps -r .venv/uv.txt || true
	@$(UV) pip sync -q --compile-bytecode --require-hashes requirements.lock 2> /dev/null \
		|| $(BIN)/python -m pip install -q --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

# The compiled machines, a minute of work on two cores: before whatever runs a backtest.
.venv/warm: .venv/ready
	@$(BIN)/python -W ignore -m chandlery.backtest.warm
	@touch $@
