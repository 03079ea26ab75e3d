# make demo    train 256 seeds, tabulate them, report on them (runs/demo)
# make test    the tests
# make bench   speed against other ways to train, 15 to 20 minutes, into benchmarks/RESULTS.md (QUICK=1: a look)
# make fuzz    hostile input for FUZZ_MINUTES (10): expressions, seeds, settings, command lines, run folders, weights
# Each does all its own set-up in .venv; python3 (3.11 or newer) and make are all they need.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
BENCH_READY := .venv/.ready-bench

FUZZ_MINUTES ?= 10

.PHONY: demo test bench fuzz lint types docs clean
.DELETE_ON_ERROR:

demo: $(READY)
	$(BIN)/attnprobe study runs/demo --seeds 0:256 --steps 20000

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile

bench: $(BENCH_READY)
	$(BIN)/python -m benchmarks.run $(if $(QUICK),--quick)

fuzz: $(READY)
	cd tests && ../$(BIN)/python -m fuzz --minutes $(FUZZ_MINUTES)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

docs: $(READY)
	$(BIN)/mkdocs build --strict --quiet --site-dir site

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("attnprobe needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

$(BENCH_READY): $(READY) constraints-bench.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --constraint constraints-bench.txt --editable '.[bench]'
	touch $@

clean:
	rm -rf .venv site runs
