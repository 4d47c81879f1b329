# make demo          simulate a detector, run the whole workflow on it, and score the masks against the truth
# make test          all tests
# make fuzz          damaged input through the library for FUZZ_SECONDS (600); 30 s of it are in make test
# make lint          style, names, types and layers of the code; snakemake --lint
# make docs          config/config.yaml and config/README.md from the schema, and the site: docs/_build/html/index.html
# make validation    demo for many detectors and read patterns, to docs/measured/validation.md (an hour; five detectors each with
#                    N_SEEDS=5; resumed where it stopped; see scripts/validation.py --help)
# make bench         cost of the workflow beyond detector1, to docs/measured/benchmarks.md (two hours or more; less with BENCH="--size 256 ...")
# make requirements  pin envs/*.in again
PYTHON ?= python3
CORES ?= 2
VENV ?= .venv
DEMO ?= demo
SIZE ?= 256
SEED ?= 1
N_SEEDS ?= 2
BIN = $(VENV)/bin

FUZZ_SECONDS ?= 600

.PHONY: demo validation bench test fuzz lint docs requirements clean

demo: $(VENV)/.run-ready
	scripts/demo.sh $(BIN) $(DEMO) $(SIZE) $(SEED) $(CORES)

validation: $(VENV)/.run-ready
	$(BIN)/python scripts/validation.py --out validation --n-seeds $(N_SEEDS) --cores $(CORES) \
		--page docs/measured/validation.md --readme README.md

bench: $(VENV)/.run-ready
	$(BIN)/python benchmarks/bench.py --out bench --page docs/measured/benchmarks.md $(BENCH)

# One process more than cores, since some tests wait: for a scheduler, a browser, or a run that another process makes.
test: $(VENV)/.test-ready
	$(BIN)/python -m pytest -n $$(($(CORES) + 1)) --dist loadgroup --no-loadscope-reorder

fuzz: $(VENV)/.test-ready
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} $(BIN)/python -m pytest -n $(CORES) -q tests/fuzz

lint: $(VENV)/.test-ready
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --no-cache --check scripts tests benchmarks profiles docs/conf.py
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/codespell
	PYTHONPATH=scripts $(BIN)/lint-imports --no-cache
	$(BIN)/snakemake --lint
	$(BIN)/mypy

docs: $(VENV)/.test-ready
	$(BIN)/python scripts/make_config_docs.py
	rm -rf docs/_build
	$(BIN)/sphinx-build -q -W --keep-going -c docs . docs/_build/html

requirements: $(VENV)/.run-ready
	envs/pin_requirements.sh $(BIN)

clean:
	rm -rf $(DEMO) .snakemake docs/_build

$(VENV)/.run-ready: envs/requirements.txt
	envs/create_venv.sh $(VENV) $< $(PYTHON) && touch $@

$(VENV)/.test-ready: envs/requirements-test.txt
	envs/create_venv.sh $(VENV) $< $(PYTHON) && touch $@ $(VENV)/.run-ready
