# Two commands from a fresh clone: `make demo` and `make test`. Needs Python >= 3.11 with venv, and make.

.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

# uv from the PATH when it answers, else one in a private folder.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .uv/bin/uv)

# The Python that is named, when it is new enough; else uv looks for one.
OWN_PYTHON := 'import sys; print(sys.executable if sys.version_info >= (3, 11) else ">=3.11")'

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: .venv/.installed  ## make .venv with everything in it
	@$(COMPILE_OWN)

demo: install  ## replay the five stories through a real broker into a real store
	@$(BIN)/seamwatch demo

test: install browser  ## run the tests, three files at a time (starts the servers that they need)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

browser: install  ## see to it that there is a Chromium for the tests of the board (installs Debian's as root)
	@$(BIN)/python -m tests.board.browser.chromium

view-answers: install  ## ask the engine anew what the shipped views answer (sinks/store/view_answers.json)
	@$(BIN)/python -m tests.sinks.store.answering

screenshots: browser  ## take docs/screenshots anew, of the board over the demo's eleven days
	@$(BIN)/python -m tests.board.browser.screenshots

check: install  ## ruff, mypy, import-linter and the docs checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/check.py

docs: install  ## write the generated pages of docs/
	$(BIN)/python docs/check.py --write

format: install  ## put the code into the house style
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .

bench: install  ## measure the figures of docs/performance.md
	$(BIN)/python -m benchmarks $(ARGS)

bench-drift: install  ## false alarms and delays of the drift clause beside ADWIN, hourly KS and PSI (docs/drift.md)
	$(BIN)/python -m benchmarks.drift $(ARGS)

bench-guard: install  ## measure what a guard costs a call, by a pact of twenty clauses
	$(BIN)/python -m benchmarks.guard $(ARGS)

bench-replay: install  ## how fast a replay is, and what it holds in memory, from every form of file (docs/performance.md)
	$(BIN)/python -m benchmarks.replay $(ARGS)

bench-contracts: install  ## what thousands of contracts cost to check, to start with and to judge by, beside one (docs/performance.md)
	$(BIN)/python -m benchmarks.many $(ARGS)

bench-store: install  ## load 100 million decisions and time every question (half an hour; DECISIONS=10000000 for less)
	$(BIN)/python -m benchmarks.store --decisions $(or $(DECISIONS),100000000) $(ARGS)

bench-board: install  ## load 100 million decisions and time every page of the board, with 20 people at once (DECISIONS=10000000 for less)
	$(BIN)/python -m benchmarks.board --decisions $(or $(DECISIONS),100000000) $(ARGS)

bench-evidence: install  ## time the card, the dossier and its check over a record of three million decisions (docs/performance.md)
	$(BIN)/python -m benchmarks.evidence $(ARGS)

bench-verify: install  ## record three million decisions and time `seamwatch verify` over them (docs/ledger.md)
	$(BIN)/python -m benchmarks.verify $(ARGS)

chaos: install  ## kill stages and servers in the middle of a run, and account for every event
	$(BIN)/python -m benchmarks.chaos $(ARGS)

chaos-pause: install  ## let the broker hang nine times, and see every stage go on afterwards
	$(BIN)/python -m benchmarks.chaos_pause $(ARGS)

chaos-record: install  ## kill recorders, broker and store in the middle of 2 million events, and compare row by row
	$(BIN)/python -m benchmarks.chaos_record $(ARGS)

pressure: install  ## take the store away from the recorder for ten minutes, and see it catch up (docs/store.md)
	$(BIN)/python -m benchmarks.pressure $(ARGS)

full-disk: install  ## fill the disk under a running system, make room again, and account for every event (as root, or with ARGS=FOLDER)
	$(BIN)/python -m benchmarks.full_disk $(ARGS)

chaos-tamper: install  ## tamper with a store at random places, and have every tampering found and named (docs/ledger.md)
	$(BIN)/python -m benchmarks.chaos_tamper $(ARGS)

fuzz: install  ## give broken files of every kind to the commands that read them (TRIES=500 of each)
	SEAMWATCH_FUZZ=$(or $(TRIES),500) $(BIN)/python -m pytest -q --timeout 3600 tests/console/test_fuzz.py $(ARGS)

vendor: install  ## take the pages' scripts out of their pinned npm packages again (needs npm)
	$(BIN)/python deploy/vendor.py

# The lock is a hashed requirements file and no uv.lock, because uv.lock writes the address of a package index into
# every line, and which index serves a machine is that machine's affair. It holds for every platform and Python.
lock: $(if $(filter .uv/bin/uv,$(UV)),.uv/bin/uv)  ## resolve the dependencies anew
	$(UV) pip compile --quiet --universal --python-version 3.11 --all-extras --group dev --generate-hashes \
		--no-emit-index-url --no-header --upgrade --output-file requirements.lock pyproject.toml

.uv/bin/uv:
	@echo "seamwatch: no uv on the PATH, putting one into .uv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "seamwatch: $(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv .uv || \
		{ echo "seamwatch: $(PYTHON) cannot make a venv; install its venv module (Debian: python3-venv)" >&2; exit 2; }
	@.uv/bin/python -m pip install --quiet uv || \
		{ rm -rf .uv; echo "seamwatch: uv could not be fetched; check the network and pip's settings, then repeat" >&2; exit 3; }

# Where Python is told to write no bytecode, as images for containers often tell it, every process would compile the
# thousand modules that it imports, for a second: there they are compiled once, here.
COMPILE := $(if $(PYTHONDONTWRITEBYTECODE),--compile-bytecode)
# Ours too, of which a stage imports two hundred; what was edited is compiled anew by the next target.
OWN := seamwatch bus streams sinks statements stack board replies console
COMPILE_OWN := $(if $(PYTHONDONTWRITEBYTECODE),$(BIN)/python -m compileall -q $(OWN),:)

.venv/.installed: requirements.lock pyproject.toml $(if $(filter .uv/bin/uv,$(UV)),.uv/bin/uv)
	@echo "seamwatch: setting up .venv (the first time fetches its packages, which takes a minute or so)"
	@test -x $(BIN)/python || $(UV) venv --quiet --python "$$($(PYTHON) -c $(OWN_PYTHON) || echo '>=3.11')" .venv
	@$(UV) pip sync $(COMPILE) --python $(BIN)/python --require-hashes requirements.lock || \
		{ echo "seamwatch: packages could not be fetched; check the network and uv's index settings, then repeat" >&2; exit 3; }
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: help install demo test browser view-answers screenshots check docs format bench bench-contracts bench-store bench-board bench-evidence bench-verify bench-drift bench-guard bench-replay chaos chaos-pause chaos-tamper fuzz chaos-record pressure full-disk lock vendor
