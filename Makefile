PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced
SEGUE := $(BIN)/segue

# Where this is set, a thousand modules of libraries are compiled anew at each call.
unexport PYTHONDONTWRITEBYTECODE

# Kafka's own jars, as Maven Central has them: a broker for tests, without Docker.
KAFKA_VERSION := 4.3.1
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/segue
KAFKA := $(CACHE)/kafka-$(KAFKA_VERSION)
# The runner of streams, built from source: it is one program, and lies where `segue stream` looks for it.
PRISM_VERSION := 2.77.0
PRISM := $(CACHE)/prism-$(PRISM_VERSION)/prism
# Emulators of BigQuery and Cloud Storage, in an environment of their own: they ask for other versions of what we use.
EMULATORS_VERSION := 1
EMULATORS := $(CACHE)/emulators-$(EMULATORS_VERSION)

.PHONY: demo test test-services prism check docs bench bench-live mutants soak fmt lock clean

demo: $(STAMP)
	@$(BIN)/python examples/grocer/prepare.py
	@$(SEGUE) --project-dir examples/grocer run

# A process for each core, whose engine has one thread (tests/conftest.py), and each file whole in one of them: what its tests
# prepare, they prepare once. `make soak` and a call of pytest by itself have a thread for each core.
test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not soak and not services"

test-services: $(STAMP) $(KAFKA) $(PRISM) $(EMULATORS)
	SEGUE_KAFKA=$(KAFKA) SEGUE_EMULATORS=$(EMULATORS) $(BIN)/python -m pytest -m services

prism: $(PRISM)
	@echo "Prism is at $(PRISM)"

$(PRISM):
	@command -v go >/dev/null || { echo "Prism is built with Go 1.26 or later: https://go.dev/dl, or apt-get install golang-go"; exit 1; }
	@mkdir -p $(CACHE)
	@part=$$(mktemp -d $(CACHE)/part.XXXXXX) && trap 'rm -rf "$$part"' EXIT && \
	  GOBIN="$$part/prism" go install github.com/apache/beam/sdks/v2/go/cmd/prism@v$(PRISM_VERSION) && \
	  { test -x $@ || mv -T "$$part/prism" $(dir $@); }

# What DuckDB would download for the emulator is a package, and is laid where it looks: below a home of its own.
$(EMULATORS): tests/services/emulators.txt | $(STAMP)
	@rm -rf $@ && $(BIN)/uv venv --quiet --python $(BIN)/python $@
	@$(BIN)/uv pip install --quiet --python $@/bin/python -r tests/services/emulators.txt
	@mkdir -p $@/home && HOME=$@/home $@/bin/python -c "import duckdb_extensions; duckdb_extensions.import_extension('spatial')" >/dev/null
	@touch $@

# Fetched beside its place and then moved there: what is there is whole.
$(KAFKA):
	@for tool in java mvn; do command -v $$tool >/dev/null || \
	  { echo "a broker of Kafka needs Java 17 and Maven: apt-get install openjdk-17-jre-headless maven"; exit 1; }; done
	@mkdir -p $(CACHE)
	@part=$$(mktemp -d $(CACHE)/part.XXXXXX) && trap 'rm -rf "$$part"' EXIT && \
	  mvn -q -B -f tests/services/pom.xml -Dkafka.version=$(KAFKA_VERSION) dependency:copy-dependencies \
	    -DincludeScope=runtime -DoutputDirectory="$$part/libs" && \
	  { test -d $@ || mv "$$part/libs" $@; }

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy schemas transforms pipelines runners
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/python -m runners.pages.reference
	$(BIN)/python -m runners.pages.tables
	@$(SEGUE) schema -o docs/schemas

bench: $(STAMP)
	$(BIN)/python -m benchmarks.bench

bench-live: $(STAMP) $(PRISM)
	$(BIN)/python -m benchmarks.live

mutants: $(STAMP)
	$(BIN)/python -m benchmarks.mutants

# Streams that are killed need a broker and a runner: where `make test-services` has not fetched them, they are skipped and told.
soak: $(STAMP)
	SEGUE_KAFKA=$${SEGUE_KAFKA:-$(wildcard $(KAFKA))} $(BIN)/python -m pytest -m soak -rs

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
