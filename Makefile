# make app      the dashboard
# make test     the tests
# make quality  linter, formatter, types, import contracts
# make extras   the tests that need Ray, MLflow or OGB, which are installed for them
#
# Each makes .venv and installs what it needs when that is missing or pyproject.toml has changed.

PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
READY := .venv/.installed

.PHONY: app test extras quality install clean
.DEFAULT_GOAL := install

app: $(READY)
	$(BIN)/workbench app

# One thread per process: two processes with two threads each are slower than one.
test: $(READY)
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

extras: $(READY)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-warn-script-location -e ".[cluster,tracking,ogb]"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/runs/test_sweep_ray.py tests/runs/trackers tests/cli/test_track.py \
	  tests/tasks tests/datasets/test_hetero_datasets.py

quality: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12, say") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-warn-script-location -e ".[dev]"
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
