# Every target sets up what it needs in $(VENV) by itself; nothing is installed outside this folder.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes
CODE := sidecar semconv attest evidence tests
# The tests start hundreds of processes: none compiles again what another has compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check bench soak fuzz interop format config proto lock image clean help

help:  ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

demo: $(VENV)/.runtime  ## the whole way, on recorded agent runs, in a few seconds
	@$(BIN)/affidavit demo

test: $(VENV)/.dev  ## all tests
	$(BIN)/python -m pytest -q --numprocesses auto --maxprocesses 4 --dist worksteal

check: $(VENV)/.dev .venv-proto/.ready  ## format, lint, types, imports, generated files, tests
	$(BIN)/ruff format --check --quiet $(CODE)
	$(BIN)/ruff check --quiet $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.tools.generated --check
	$(MAKE) --no-print-directory test

bench: $(VENV)/.dev  ## costs as ratios of one run; figures for docs/performance.md
	$(BIN)/python -m pytest -q tests/benchmarks -m bench --benchmark-enable --benchmark-only --benchmark-quiet --benchmark-timer=time.process_time
	$(BIN)/python -m tests.benchmarks.translate
	$(BIN)/python -m tests.benchmarks.load
	$(BIN)/python -m tests.benchmarks.memory
	$(BIN)/python -m tests.benchmarks.many

soak: $(VENV)/.dev  ## slow tests: kill -9 loops, long backlogs, every recording the whole way, every property on ten times the examples, new ones each time
	$(BIN)/python -m pytest -q -m 'soak or hypothesis' --hypothesis-profile thorough --timeout 1800

fuzz: $(VENV)/.fuzz  ## every reader of strangers' bytes under atheris; FUZZ_SECONDS=300 for all together
	$(BIN)/python -m tests.fuzz.run --seconds $(or $(FUZZ_SECONDS),300)

interop: $(VENV)/.dev  ## attestations against the Sigstore project's own JavaScript; needs Node.js 20 and npm
	npm install --silent --prefix tests/sigstore/js
	$(BIN)/python -m pytest -q tests/sigstore/test_sigstore_js.py

format: $(VENV)/.dev  ## put the code into form
	$(BIN)/ruff format --quiet $(CODE)
	$(BIN)/ruff check --quiet --fix $(CODE)

proto: $(VENV)/.dev .venv-proto/.ready  ## make every generated file again
	$(BIN)/python -m tests.tools.generated --write

lock: $(VENV)/.dev  ## resolve requirements/*.txt again: hashes, and no index address
	tests/tools/lock

image:  ## the container image
	docker build -t affidavit .

clean:  ## remove what make made
	rm -rf $(VENV) .venv-proto .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks .import_linter_cache dist demo-output

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "affidavit needs Python 3.11 or newer; none of python3, python3.13, python3.12, python3.11 is." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot make a virtual environment. On Debian: apt install python3-venv" >&2; rm -rf $(VENV); exit 1; }

$(VENV)/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV) (once)" >&2
	@$(PIP) -r requirements/runtime.txt -r requirements/build.txt
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@echo "setting up what the tests need (once)" >&2
	@$(PIP) -r requirements/dev.txt
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev requirements/fuzz.txt
	@$(PIP) -r requirements/fuzz.txt
	@touch $@

.venv-proto/.ready: requirements/proto.txt | $(BIN)/python
	@$(BIN)/python -m venv .venv-proto
	@.venv-proto/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/proto.txt
	@touch $@
