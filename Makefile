# Everything a first visitor or a developer does with one word. `make` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
WORKERS ?= auto
RUN := .venv/run.stamp
DEVELOP := .venv/develop.stamp
PYTEST := OMP_NUM_THREADS=1 pytest -n $(WORKERS) --maxprocesses=8 --dist loadgroup
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help demo test test-full lint docs bench install-check oracle lock clean

help: ## List these commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

demo: demo/demo.yaml demo/nanoaod/upsilon_00.root ## Simulate events, search them, write a report
	cd demo && quarkline run demo.yaml

demo/demo.yaml: | $(RUN)
	mkdir -p demo
	cd demo && quarkline new demo

demo/nanoaod/upsilon_00.root: | $(RUN)
	mkdir -p demo
	cd demo && quarkline simulate upsilon -o nanoaod

test: $(DEVELOP) ## Run the tests
	$(PYTEST) -m "not slow and not oracle"

test-full: $(DEVELOP) ## Run what `make test` leaves out: kills, fuzz, long laws, ROOT's own values, Slurm
	$(PYTEST) -m "slow or oracle"

lint: $(DEVELOP) ## Check style, types and the floors' imports
	ruff check .
	ruff format --check .
	mypy
	lint-imports

docs: $(DEVELOP) ## Build the documentation in docs/_build/html; a warning is an error
	sphinx-build -W --keep-going -j auto -b html docs docs/_build/html

bench: $(DEVELOP) demo ## Run every benchmark and print its figures
	for file in $$(grep -l __main__ benchmarks/*.py); do echo "== $$file"; python "$$file"; done

install-check: $(DEVELOP) ## Build the wheel and install it in a fresh environment, as a user would
	rm -rf build/install-check
	pip wheel --quiet --no-deps --no-build-isolation --wheel-dir build/install-check .
	$(PYTHON) -m venv build/install-check/venv
	build/install-check/venv/bin/pip install --quiet --constraint constraints/versions.txt \
		build/install-check/*.whl
	tests/docs/base_install.sh build/install-check/venv/bin
	build/install-check/venv/bin/pip install --quiet --constraint constraints/versions.txt \
		"$$(echo build/install-check/*.whl)[all]"
	build/install-check/venv/bin/pip check

oracle: $(DEVELOP) ## Add ROOT and HTCondor, which some tests compare with (Linux x86-64 only)
	pip install --quiet --require-hashes --no-deps --requirement constraints/oracle.txt
	python -c 'import ROOT; print("ROOT", ROOT.gROOT.GetVersion())'

lock: ## Pin the newest versions of every dependency
	$(PYTHON) constraints/update.py

clean: ## Remove what these commands made
	rm -rf .venv build demo docs/_build docs/generated
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Quarkline needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "No venv module: on Debian, apt install python3-venv"; exit 1; }

# torch stands apart: its files differ by platform and build, so it is pinned without a hash.
$(RUN): .venv/pyvenv.cfg constraints/run.txt constraints/held.txt pyproject.toml
	pip install --quiet --require-hashes --no-deps --requirement constraints/run.txt
	pip install --quiet --constraint constraints/versions.txt torch
	pip install --quiet --no-deps --no-build-isolation --editable .
	pip check
	@touch $@

$(DEVELOP): $(RUN) constraints/develop.txt
	pip install --quiet --require-hashes --no-deps --requirement constraints/develop.txt
	pip check
	@touch $@
