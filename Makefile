# Everything here needs Python >= 3.11 with venv, make, and pip's registry.

PYTHON ?= python3
JOBS ?= auto
BIN := .venv/bin
PY := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check -qq
PYTEST := $(PY) -m pytest -q
SPREAD := -n $(JOBS) --maxprocesses 4 --dist worksteal

# The strict editable install (pyproject.toml asks for it) is what pyright resolves, and
# it gives every module one path. It does not see files made after it, and leaves links
# to deleted ones in build/: so each target starts from a fresh one (about 2 s once the
# dependencies are there).
VISION := plugins/vision
BUILT = build *.egg-info $(VISION)/build $(VISION)/*.egg-info
install = rm -rf $(BUILT) && \
	$(PIP) install --no-build-isolation -e ".$(if $(1),[$(1)])" -e ./$(VISION)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test compare backends lint types stubs campaign conformance bench wheel clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: .venv/ready ## train a network on handwritten digits, and draw how it went
	@$(call install,)
	@$(BIN)/plugrad train --data digits --out runs/demo --overwrite

# One BLAS thread for each of the workers, or they fight over the cores.
test compare backends campaign conformance: export OPENBLAS_NUM_THREADS = 1
test compare backends campaign conformance: export MKL_NUM_THREADS = 1
test compare backends campaign conformance: export OMP_NUM_THREADS = 1
# Workers must collect the same tests in the same order.
test compare backends campaign conformance: export PYTHONHASHSEED = 0

# Doctests go by --pyargs: by path, pytest would import second copies of core/. The
# modules of backends whose libraries are not installed cannot be imported.
test: .venv/ready ## run the tests and the doctests
	@$(call install,test)
	$(PYTEST) $(SPREAD)
	$(PYTEST) --pyargs plugrad plugrad.plugins.vision --doctest-modules \
		--doctest-ignore-import-errors --import-mode=append -o python_files= \
		-o consider_namespace_packages=true

compare: .venv/ready ## run the comparison with PyTorch (installs torch)
	@$(call install,compare)
	$(PYTEST) $(SPREAD) tests/against_torch

backends: .venv/ready ## run the backends' tests with JAX, Dask and PyTorch installed
	@$(call install,backends)
	$(PYTEST) $(SPREAD) tests/backends

lint: .venv/ready ## check the source with ruff
	@$(call install,lint)
	$(BIN)/ruff check .

# The files of core/ under the names they are imported by, so that `plugrad.x` and
# `.x` are one module to pyright. It never looks into folders named __editable__.*,
# hence the link; and it is content with no files at all, hence the grep at the end.
# Beside its stub, core/tensor.py would define a second class Tensor.
types: .venv/ready ## check the types of core/ with pyright
	@$(call install,lint)
	@cd build && ln -s __editable__.*/plugrad plugrad
	find core -name '*.py' -o -name '*.pyi' | grep -v '^core/tensor.py$$' | sed 's|^core|build/plugrad|' | \
		PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --stats --pythonpath $(PY) - \
		> build/types.txt || { cat build/types.txt; exit 1; }
	@grep '^Total files checked: [1-9]' build/types.txt

stubs: .venv/ready ## write core/tensor.pyi anew, after a change to an op or a method
	@$(call install,)
	$(PY) -m tools.make_stubs

campaign: .venv/ready ## run every long campaign whole (installs torch)
	@$(call install,compare)
	$(PY) -m tests.campaigns --full --write

comma := ,
conformance: .venv/ready ## try every backend whole, and write docs/conformance/
	@$(call install,compare$(comma)dask$(comma)jax$(comma)sparse)
	$(PY) -m tools.conformance

bench: .venv/ready ## run the benchmarks (installs torch)
	@$(call install,compare)
	$(PY) -m benchmarks

wheel: .venv/ready ## build the wheels of plugrad and plugrad-vision into dist/
	rm -rf $(foreach folder,. $(VISION),$(folder)/build/lib $(folder)/build/bdist.*)
	$(PIP) wheel --no-build-isolation --no-deps --wheel-dir dist . ./$(VISION)

clean: ## remove all that make built, .venv too
	rm -rf .venv $(BUILT) dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Setuptools stands in the environment itself, so that no install has to fetch it.
.venv/ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Plugrad needs Python 3.11 or later; set PYTHON=...")'
	@echo "making .venv"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) install "setuptools>=77"
	@touch $@
