# Every target makes $(VENV) first if it is missing or older than what it is made from.
# Settings: PYTHON (3.11 or newer, makes the environment), VENV (its folder), WORKERS (of pytest),
# IMAGES (an .npz file or a folder of images by class, for `make networks`).

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
IMAGES ?= ../shared/data/cifar10-jpeg.npz

PY := $(VENV)/bin/python
PINS := .ci/constraints.txt
PIP := $(PY) -m pip --disable-pip-version-check install --quiet -c $(PINS)

# Small arrays: a second thread only waits for the first.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export NUMBA_NUM_THREADS := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help leaderboard claims networks test bench lint lint-style lint-format lint-types clean

help: ## list the targets (the default)
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

leaderboard: $(VENV)/.run ## run the quick suites, print their tables, write their pages under results/
	$(PY) -m baselines.leaderboard
	$(PY) -m baselines.leaderboard suite=exit-placement-quick
	$(PY) -m baselines.leaderboard suite=edge-selection-quick

claims: $(VENV)/.dev ## print what of the thesis reproduces, with intervals, and write it under results/
	$(PY) -m baselines.claims

networks: $(VENV)/.dev ## train the shipped multi-exit networks anew; goes on when interrupted
	$(PY) -m tiergym.calibration.networks shipped=true data=$(IMAGES) out=tiergym/networks/data

test: $(VENV)/.dev ## run all tests
	$(PY) -m pytest -n $(WORKERS)

bench: $(VENV)/.dev ## measure speed beside CartPole and SimPy
	$(PY) -m tests.bench

lint: lint-style lint-format lint-types ## check style and format (ruff) and types (pyright, strict on tiergym/)

lint-style: $(VENV)/.dev
	$(PY) -m ruff check

lint-format: $(VENV)/.dev
	$(PY) -m ruff format --check

lint-types: $(VENV)/.dev
	$(PY) -m pyright --pythonpath $(PY)

clean: ## remove the environment, caches and build outputs; results/ stays
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis
	find tiergym baselines tests -name __pycache__ -prune -exec rm -rf {} +

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "tiergym needs Python 3.11 or newer; $(PYTHON) is not. Try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing. Try: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) --upgrade pip

# What runs tiergym and its leaderboard.
$(VENV)/.run: pyproject.toml $(PINS) | $(PY)
	@echo "Installing tiergym into $(VENV) ..."
	@$(PIP) -e '.[leaderboard]'
	@touch $@

# What tests it as well. torch goes first: with its pin met, nothing that needs torch picks another.
$(VENV)/.dev: $(VENV)/.run
	@echo "Installing the test tools, torch among them, into $(VENV) ..."
	@$(PIP) torch
	@$(PIP) -e '.[dev]'
	@touch $@
