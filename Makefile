# Everything a newcomer types. Each word sets up what it needs in .venv and leaves the rest of the machine alone.

# The first Python that runs and is 3.11 or newer; a name that only seems to be there (a shim) is passed over.
PYTHON ?= $(shell for name in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$name"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# What is locked in $(2), for the Python $(1). uv takes 2 seconds where pip takes 20; where it is not there, or can't reach
# what pip can, pip does it.
LOCKED = ($(if $(PIP_CERT),SSL_CERT_FILE=$(PIP_CERT)) $(BIN)/uv pip install --quiet --compile-bytecode --python $(1) \
	--require-hashes -r $(2) 2>/dev/null || $(PIP) --python $(1) install --require-hashes -r $(2))

.PHONY: help demo compiled test properties faults bench bench-check month check lint types floors format pictures reference dist lock clean

help:
	@echo 'make demo         the main job, start to end, on a local xQR'
	@echo 'make test         the tests'
	@echo 'make properties   the properties with many more examples'
	@echo 'make faults       every fault by the hundred, and the totals; SEEDS=20 for fewer, RUN=12/merge/5/17 for one'
	@echo 'make bench        what bio-sync costs, beside its floor and its peers; QUICK=1 for a minute instead of twenty'
	@echo 'make bench-check  what a run costs in counts that no machine changes: calls, modules, files, instructions'
	@echo 'make month        how many calls a month needs, by pages, people and schedule'
	@echo 'make check        lint, types, floors and tests: what has to be green'
	@echo 'make dist         what a release consists of: wheel, sdist and bill of materials, built and checked'
	@echo 'make format       lay the code out'
	@echo 'make pictures     make the pictures and the example documents of the README and docs/ anew'
	@echo 'make reference    make the pages of docs/reference/ anew that say what code, schemas and commands say'
	@echo 'make lock         choose versions anew for requirements/*.txt'

$(BIN)/python:
	@test -n '$(PYTHON)' || { echo 'error: bio-sync needs Python 3.11 or newer, and none was found'; \
		echo 'hint: install it, or name it: make demo PYTHON=/path/to/python3'; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Hash-locked, so that what was tested is what is installed; --no-build-isolation, so that nothing else is fetched.
$(VENV)/demo.stamp: pyproject.toml requirements/demo.txt requirements/build.txt | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/demo.txt -r requirements/build.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml requirements/dev.txt requirements/uv.txt | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/uv.txt
	@echo 'installing requirements/dev.txt'
	@$(call LOCKED,$(BIN)/python,requirements/dev.txt)
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/demo.stamp

# What the tests take from npm, locked by its hashes; without npm those tests are skipped, and say so. No script of a
# package runs.
$(VENV)/node.stamp: tests/node/package.json tests/node/package-lock.json | $(BIN)/python
	@if command -v npm >/dev/null 2>&1; then \
		(cd tests/node && npm ci --ignore-scripts --no-audit --no-fund --silent) || \
			echo 'npm could not install tests/node: the tests that need it are skipped'; \
	else echo 'npm is not installed: the tests of the editor and of workflows that need it are skipped'; fi
	@touch $@

# What checks a release has an environment of its own, for the reason in pyproject.toml; without it those tests are
# skipped, and say so.
$(VENV)/release.stamp: requirements/release.txt | $(BIN)/python
	@$(BIN)/python -m venv --clear --without-pip $(VENV)/release && \
		$(call LOCKED,$(VENV)/release/bin/python,requirements/release.txt) || \
		echo 'requirements/release.txt could not be installed: the tests of the release are skipped'
	@touch $@

# The service for measuring has an environment of its own; without it the tests that need it are skipped, and say so.
$(VENV)/bench.stamp: requirements/bench.txt $(VENV)/dev.stamp
	@$(BIN)/python -c 'from benchmarks import installs; installs.server_python()' || \
		echo 'requirements/bench.txt could not be installed: the tests of the benchmark that need it are skipped'
	@touch $@

demo: $(VENV)/demo.stamp
	@$(BIN)/bio-sync demo

# Once: the tests start hundreds of processes, and none of them writes bytecode (tests/conftest.py).
compiled: $(VENV)/dev.stamp
	$(BIN)/python -m compileall -q bio_sync

test: compiled $(VENV)/node.stamp $(VENV)/bench.stamp $(VENV)/release.stamp
	$(BIN)/python -m pytest -n 3 --dist worksteal

# The same properties with 3,000 examples each: minutes, not seconds.
properties: $(VENV)/dev.stamp
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -n 2 --timeout 1800 -m hypothesis

# The whole table of faults, 270 runs a seed: 200 seeds are more than an hour on two cores.
SEEDS ?= 200
faults: $(VENV)/dev.stamp
	$(BIN)/python -m tests.faults.campaign --seeds $(SEEDS) $(if $(RUN),--run $(RUN))

# Installs what is measured in .bench, measures, prints tables, and writes benchmarks/RESULTS.md unless QUICK is given.
bench: $(VENV)/dev.stamp
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

# A part of `make test`, so of `make check` too; the instructions need valgrind.
bench-check: compiled
	$(BIN)/python -m pytest -m counts

month: $(VENV)/dev.stamp
	@$(BIN)/python -m benchmarks.month

check: lint types floors test

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/deptry .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

floors: $(VENV)/dev.stamp
	$(BIN)/lint-imports --no-cache

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The same bytes wherever they are built: every time in them is that of the commit. The tools are those of
# requirements/release.txt and no others, and the tests do the same.
TIME = SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct)
dist: $(VENV)/release.stamp
	rm -rf dist build
	mkdir build
	$(TIME) $(VENV)/release/bin/python -m hatchling build --directory dist
	$(VENV)/release/bin/twine check --strict dist/*
	$(VENV)/release/bin/check-wheel-contents dist/*.whl
	$(TIME) $(VENV)/release/bin/cyclonedx-py requirements requirements/runtime.txt --pyproject pyproject.toml \
		--output-reproducible --output-file build/bio-sync.cdx.json

# uv writes no host name of a registry into these files, which uv.lock and pylock.toml would hold.
COMPILE = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header
lock: $(VENV)/dev.stamp
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --extra sandbox -o requirements/demo.txt
	$(COMPILE) pyproject.toml --extra sandbox --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra sandbox --resolution lowest-direct -o requirements/lowest.txt
	$(COMPILE) --group release -o requirements/release.txt
	for name in build uv bench bench-script bench-octodns bench-ansible; do \
		$(COMPILE) requirements/$$name.in -o requirements/$$name.txt || exit 1; done

# Needs Debian's chromium for the picture of the HTML report.
pictures: $(VENV)/dev.stamp
	$(BIN)/python docs/pictures.py

reference: $(VENV)/dev.stamp
	$(BIN)/python docs/reference.py

clean:
	rm -rf $(VENV) .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
