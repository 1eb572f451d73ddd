# Every target that needs Python makes its own virtual environment first; nothing has to be installed by hand.
PYTHON ?= python3
VENV ?= .venv
VENV_OLDEST ?= .venv-oldest
# Tests use one thread each, so a worker per core; more than four would mostly import TensorFlow. Each begins with tests
# that stand together, which share fixtures and compiled programs, and only one that has none left takes of another's.
WORKERS ?= -n auto --maxprocesses 4 --dist worksteal
PYTEST_ARGS ?=
# JAX compiles a program for every shape, for seconds each: one test of each kind.
JAX_TESTS ?= equal_keras or would_be_alone or among_others or each_for_itself or not_a_bit or inference or test_jax or -vectorized] or two_parts \
	or frozen_layers or quantiles_never or (alike_in_every_way and (all_gaps or mse)) or by_hand or one_program \
	or gradients_of or where_the_patch_is or is_looked_through or (sum_to_the_prediction and words) or a_word_that_decides \
	or asks_for_white or brittle_pixel or on_every_backend
JAX_FILES = $(addprefix tests/training/test_, jax.py keras_fit.py engine.py inference.py outputs.py tables.py gathering.py random.py) \
	$(addprefix tests/network/test_, branchwise.py cross_fit.py members.py multitask.py staged.py) tests/test_freezing.py tests/tasks/test_quantiles.py \
	tests/training/test_gradients.py $(addprefix tests/inspection/test_, grad_cam.py integrated_gradients.py maximize.py one_pixel.py)

python = $(VENV)/bin/python
installed = $(VENV)/.installed
installed_oldest = $(VENV_OLDEST)/.installed

.PHONY: help demo test test-jax test-oldest test-wheel lint format docs gallery examples benchmarks clean

help:
	@echo "make demo         predict house prices from photos, a zip code and numbers; prints scores, saves a picture and a report"
	@echo "make test         run the tests"
	@echo "make test-jax     run the tests of the trainer on the JAX backend"
	@echo "make test-oldest  run the tests with the oldest supported versions of the dependencies"
	@echo "make test-wheel   build the wheel, install it in an environment of its own, run the README there"
	@echo "make lint         check the style;  make format  mends what can be mended"
	@echo "make docs         build the documentation into docs/_build/html, without running the examples"
	@echo "make gallery      the same, with what every example prints and draws on small data"
	@echo "make examples     run every example on small data, without the documentation"
	@echo "make benchmarks   run every benchmark on small data"
	@echo "make clean        remove what the other targets made"

$(installed): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "skstack needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(python) -m pip install --quiet --editable ".[dev]"
	touch $@

$(installed_oldest): pyproject.toml requirements-oldest.txt
	$(PYTHON) -m venv $(VENV_OLDEST)
	$(VENV_OLDEST)/bin/python -m pip install --quiet --editable ".[test]" --constraint requirements-oldest.txt
	touch $@

demo: $(installed)
	$(python) examples/first_steps/plot_houses.py --demo

test: $(installed)
	$(python) -m pytest $(WORKERS) $(PYTEST_ARGS)

# What the trainer does on the other backend that it has compiled loops for. Programs that run for milliseconds need not be
# optimised: without, they are compiled in half the time.
test-jax: export XLA_FLAGS ?= --xla_backend_optimization_level=0
test-jax: $(installed)
	KERAS_BACKEND=jax $(python) -m pytest $(JAX_FILES) -k "$(JAX_TESTS)" $(WORKERS) $(PYTEST_ARGS)

# Docstring examples show what the newest versions print, so only the tests run here; and old versions warn of each other.
test-oldest: $(installed_oldest)
	$(VENV_OLDEST)/bin/python -m pytest tests -W default $(WORKERS) $(PYTEST_ARGS)
	$(VENV_OLDEST)/bin/python tests/run_wheel.py

# Dependencies come from the environment of the other targets; tests/run_wheel.py --dependencies installs them anew.
test-wheel: $(installed)
	$(python) tests/run_wheel.py

lint: $(installed)
	$(python) -m ruff check .
	$(python) -m ruff format --check .

format: $(installed)
	$(python) -m ruff check --fix .
	$(python) -m ruff format .

sphinx = $(python) -m sphinx -W --keep-going -b html
check_links = $(python) docs/check_links.py docs/_build/html

docs: $(installed)
	$(sphinx) -D plot_gallery=0 docs docs/_build/html
	$(check_links)

# All examples in one process, so that TensorFlow is loaded once, and compiled programs are shared. SKSTACK_QUICK= runs
# them in full, for hours.
gallery: export SKSTACK_QUICK ?= 1
gallery: $(installed)
	MPLBACKEND=Agg $(sphinx) docs docs/_build/html
	$(check_links)

examples: $(installed)
	set -e; for script in examples/*/plot_*.py; do \
		echo "== $$script"; SKSTACK_QUICK=1 MPLBACKEND=Agg $(python) $$script; \
	done

benchmarks: $(installed)
	$(python) -m benchmarks --quick

clean:
	rm -rf $(VENV) $(VENV_OLDEST) build dist *.egg-info .pytest_cache .ruff_cache demo_output
	rm -rf docs/_build docs/api docs/gallery docs/sg_execution_times.rst
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
