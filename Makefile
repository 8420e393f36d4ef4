PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced
SEGUE := $(BIN)/segue

# Where this is set, a thousand modules of libraries are compiled anew at each call.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check docs bench mutants soak fmt lock clean

demo: $(STAMP)
	@$(BIN)/python examples/grocer/prepare.py
	@$(SEGUE) --project-dir examples/grocer run

test: $(STAMP)
	$(BIN)/python -m pytest -m "not soak"

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy schemas transforms pipelines runners
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/python -m runners.reference
	@$(SEGUE) schema -o docs/schemas

bench: $(STAMP)
	$(BIN)/python -m benchmarks.bench

mutants: $(STAMP)
	$(BIN)/python -m benchmarks.mutants

soak: $(STAMP)
	$(BIN)/python -m pytest -m soak

fmt: $(STAMP)
	$(BIN)/ruff check --fix .

lock: $(STAMP)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --no-annotate --extra dev --extra demo pyproject.toml -o requirements.lock

$(STAMP): requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(STAMP)

clean:
	rm -rf $(VENV) build dist *.egg-info
