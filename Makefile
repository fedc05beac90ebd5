# Everything below needs only make and Python 3.11 or newer. `make help` lists the targets.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# What renews and audits the lock is no part of it, and lives in an environment of its own.
TOOLS := .venv-tools
TOOLS_STAMP := $(TOOLS)/.installed
NODE_STAMP := clients/typescript/node_modules/.installed
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

# Each worker has stores of its own, and takes a group of tests that share something as a whole.
PARALLEL := -n auto --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help install compile pure wheel serve test long check score schema readme lock audit clean client client-ts clients bench bench-quick bench-10m faults fuzz rolling

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Set up .venv with the command auto-enrichment in it

compile: $(STAMP) pure ## Compile the decisions in place, which needs a C compiler: they run faster, to the same ends
	@AUTO_ENRICHMENT_COMPILE=1 $(BIN)/python -W ignore setup.py -q build_ext --inplace --force

pure: ## Remove what `make compile` built
	@find enrichment -name '*.so' -delete
	@rm -rf build/compiled enrichment/compiled.json *__mypyc.*.so

wheel: $(STAMP) ## Build the compiled wheel for this platform in dist
	@AUTO_ENRICHMENT_COMPILE=1 $(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

serve: $(STAMP) ## Set up, load the sample, enrich it, and serve until Ctrl-C
	@$(BIN)/auto-enrichment serve --embedded --sample

test: $(STAMP) ## Set up and run the tests on SQLite and a Redis of their own (ARGS=tests/models for some of them)
	@$(BIN)/python -m pytest $(PARALLEL) -m "not long" $(ARGS)

long: $(STAMP) ## Run all tests, those that take long too, and try properties on many examples (some minutes more)
	@$(BIN)/python -m pytest $(PARALLEL) --hypothesis-profile=long $(ARGS)

check: $(STAMP) ## Check format, lint, types and import directions
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports

score: $(STAMP) ## Score the built-in providers on data with known answers (ARGS=--misses lists the faults)
	@$(BIN)/auto-enrichment score $(ARGS)

bench: $(STAMP) ## Measure everything beside its peers and write benchmarks/RESULTS.md (20 minutes; needs PostgreSQL and Node)
	@$(BIN)/python -m benchmarks.bench --size=full --results=benchmarks/RESULTS.md $(ARGS)

bench-quick: $(STAMP) ## The same on small tables, in under five minutes (ARGS=--only=served for a part)
	@$(BIN)/python -m benchmarks.bench --size=quick $(ARGS)

bench-10m: $(STAMP) ## The queries of the API on ten million jobs (an hour or two, 60 GB)
	@$(BIN)/python -m benchmarks.bench --size=long $(ARGS)

faults: $(STAMP) ## Hurt the whole service at random and count from outside (SEED=7 MINUTES=2; needs PostgreSQL and Redis)
	@$(BIN)/python -m faults.run $(if $(SEED),--seed=$(SEED)) --minutes=$(or $(MINUTES),2) $(ARGS)

rolling: $(STAMP) ## Restart everything in turn behind nginx, under load, and lose no request (needs PostgreSQL, Redis, nginx)
	@$(BIN)/python -m faults.rolling $(ARGS)

fuzz: $(STAMP) ## Call every field and route with odd values and broken bodies (SEED=7 MINUTES=5; the seed is printed)
	@seed=$(or $(SEED),$$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')); echo "make fuzz SEED=$$seed"; \
	AUTO_ENRICHMENT_TEST_SEED=$$seed AUTO_ENRICHMENT_TEST_FUZZ_MINUTES=$(or $(MINUTES),5) $(BIN)/python -m pytest -q \
		--timeout=0 tests/service/fuzz tests/service/rest/test_generated.py $(ARGS)

schema: $(STAMP) ## Write schema/schema.graphql anew
	@$(BIN)/python -m schema.export

readme: $(STAMP) ## Write the README's table of providers anew
	@$(BIN)/python -m tools.provider_table

client: $(STAMP) ## Generate the typed part of clients/python anew, with the generator that its lock pins
	@$(BIN)/python -m clients.generated prune
	@"$(PYTHON)" -m venv $(TOOLS)/client && $(TOOLS)/client/bin/pip --disable-pip-version-check -qq install --require-hashes -r clients/python/generator.lock
	@$(TOOLS)/client/bin/python clients/python/generate.py
	@$(BIN)/python -m clients.generated stamp python

client-ts: $(STAMP) $(NODE_STAMP) ## Generate the typed part of clients/typescript anew (needs Node 20)
	@$(BIN)/python -m clients.generated prune
	@cd clients/typescript && npm run --silent generate
	@$(BIN)/python -m clients.generated stamp typescript

clients: $(STAMP) $(NODE_STAMP) ## Compile clients/typescript and drive it, and the recipes for Node and React, against the service (needs Node 20)
	@cd clients/typescript && PYTHON="$(CURDIR)/$(BIN)/python" npm run --silent test

lock: $(TOOLS_STAMP) ## Renew requirements.lock, and the lock of the Python client's generator (ARGS=--upgrade raises every version)
	@$(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-annotate \
		--custom-compile-command 'make lock' $(ARGS) pyproject.toml --output-file requirements.lock
	@$(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command 'make lock' $(ARGS) clients/python/generator.in --output-file clients/python/generator.lock

audit: $(TOOLS_STAMP) ## Check the locked dependencies for known faults, which needs the network
	@$(TOOLS)/bin/python -m tools.audit

clean: pure ## Remove the environment, what was compiled, and caches, not the data
	rm -rf $(VENV) $(TOOLS) clients/typescript/node_modules clients/typescript/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(STAMP): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found. Install it, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is older or does not run. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo "Setting up $(VENV), once; this takes a minute or two"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(STAMP)

$(NODE_STAMP): clients/typescript/package.json clients/typescript/package-lock.json
	@cd clients/typescript && npm ci --silent
	@touch $(NODE_STAMP)

$(TOOLS_STAMP): Makefile
	@test -x $(TOOLS)/bin/python || "$(PYTHON)" -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip --disable-pip-version-check -qq install 'uv==0.13.9' 'pip-audit==2.10.1'
	@touch $(TOOLS_STAMP)
