# One-line targets; CI calls the same ones. Paths and clouds are variables.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PORT ?= 8000
STATE ?= .isotherm
OS_CLOUD ?=
TESTS ?= tests
CORPUS ?=
LIVES ?= 1000
ROUNDS ?= 200
SECONDS ?= 600
SEED ?=

.DEFAULT_GOAL := help
.PHONY: help install run test test-lives test-services test-chaos test-corpus fuzz test-openstack lint format bench docs clean

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

# The stamp makes a second `make` cheap: dependencies are installed again only when pyproject.toml has changed.
$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

install: $(VENV)/.installed  ## .venv with Isotherm, its test tools and both command-line clients

run: install  ## serve on a simulated cloud and deploy an example with the AWS CLI
	@$(BIN)/python examples/try.py --port $(PORT) --state-dir $(STATE)

test: install  ## everything that needs nothing else installed
	$(BIN)/pytest -n 2 --dist loadfile -m "not services and not cloud_only and not chaos and not corpus" $(TESTS)

test-lives: install  ## the engine's state machine over LIVES random histories, with deaths at any moment
	LIVES=$(LIVES) $(BIN)/pytest -q tests/engine/runs/test_state_machine.py tests/engine/runs/test_random.py

test-services: install  ## the store on PostgreSQL, processes apart on it and RabbitMQ (ISOTHERM_TEST_POSTGRES, ISOTHERM_TEST_RABBIT)
	$(BIN)/pytest -m services tests

test-chaos: install  ## processes killed, paused and cut off at random: ROUNDS=200 SEED=… [RESTART_POSTGRES=COMMAND RESTART_RABBIT=COMMAND]
	ROUNDS=$(ROUNDS) $(BIN)/pytest -s -m chaos tests/chaos

test-corpus: install  ## every template below a folder, and docs/corpus.md of them: CORPUS=~/templates make test-corpus
	@test -d "$(CORPUS)" || { echo "CORPUS names no folder: CORPUS=~/templates make test-corpus"; exit 2; }
	CORPUS="$(CORPUS)" $(BIN)/pytest -m corpus tests/corpus

fuzz: install  ## templates made at random, SECONDS long: nothing but findings, 1 s and 200 MB at most: SEED=… CORPUS=~/templates
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(if $(CORPUS),--corpus $(CORPUS))

test-openstack: install  ## the contract stories on a real cloud: OS_CLOUD=demo make test-openstack
	@test -n "$(OS_CLOUD)" || { echo "OS_CLOUD names no entry of clouds.yaml: OS_CLOUD=demo make test-openstack"; exit 2; }
	OS_CLOUD=$(OS_CLOUD) $(BIN)/pytest -m "cloud or cloud_only" tests/contract

lint: install  ## ruff, ruff format, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install  ## the figures: throughput, latency, start, memory
	$(BIN)/python -m bench

docs: install  ## generate docs/coverage.md from the mapping rows and types
	$(BIN)/python -m docs.generate

clean:  ## forget the virtual environment and the state of `make run`
	rm -rf $(VENV) $(STATE)
