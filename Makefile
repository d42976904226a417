PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# what is imported is compiled once, whatever the shell says; under `test` each file goes to one of
# two processes, which makes what its tests share once
TESTS  := PYTHONDONTWRITEBYTECODE= SDL_VIDEODRIVER=$${SDL_VIDEODRIVER:-dummy} $(BIN)/python -m pytest -n 2

.DEFAULT_GOAL := help
.PHONY: help install train test test-slow test-kernels lint format bench docs docs-serve lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed ## create .venv and install dreamgym with its development tools

train: install ## train DQN on CartPole-v1 and show where the run is
	$(BIN)/python scripts/train.py dqn CartPole-v1

test: install ## run the tests on two processes, all but the slow ones
	$(TESTS) --dist loadfile --no-loadscope-reorder -m "not slow" $(TESTARGS)

# read from the files that have some: collecting all of them takes a quarter of a minute
test-slow: install ## run those that train to a threshold
	$(TESTS) --dist worksteal -m slow $(or $(TESTARGS),$$(grep -rl mark.slow tests --include='test_*.py'))

test-kernels: install ## run all tests with the arithmetic of four kinds of processor
	for kernel in sse4 avx2 avx512 bf16; do .ci/kernel $$kernel $(MAKE) test test-slow || exit 1; done

lint: install ## check style, types and import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## rewrite the files in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## measure our speed beside the peers'
	$(BIN)/python scripts/benchmark.py speed

docs: install ## build the site into build/site; what its links miss is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

docs-serve: install ## show the site on http://127.0.0.1:8000, built anew when a page changes
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve

lock: ## write the tested versions to constraints.txt
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --editable '.[dev]'
	.venv-lock/bin/python -m pip freeze --exclude-editable | sed -E '/^(nvidia|cuda|triton)/d; s/\+cpu$$//' > constraints.txt
	rm -rf .venv-lock

clean: ## remove the environment and the caches
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
