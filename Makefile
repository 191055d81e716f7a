# make train   installs and trains on RECOLA, or on its simulated stand-in
# make test    installs and runs all tests; make check: the fast ones; make soak: the long ones
# make bench   installs the peers beside, measures against them and writes docs/benchmarks.md (about an hour)
# make serve-test SERVER=URL MODELS=DIR   the tests of serving against a TensorFlow Serving, started with
#              EMOBED_MODELS=DIR EMOBED_MODELS_CONFIG=../tests/serving/models.config docker compose -f serving/docker-compose.yml up
# make lint    the linter and the type checker

PYTHON ?= python3
BIN := .venv/bin
SETTINGS ?=
SERVER ?= http://localhost:8501
MODELS ?= build/served

.PHONY: train test check soak bench serve-test lint format clean

train: .venv/.installed
	$(BIN)/python -m emobed_tf.train --dataset recola $(SETTINGS)

test: .venv/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not soak" $(SETTINGS)

check: .venv/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not soak" $(SETTINGS)

soak: .venv/.installed-dev
	$(BIN)/python -m pytest -m soak $(SETTINGS)

bench: .venv/.installed .venv-bench/.installed
	$(BIN)/python -m tests.benchmarks $(SETTINGS)

serve-test: .venv/.installed-dev
	EMOBED_SERVER=$(SERVER) EMOBED_SERVER_MODELS=$(MODELS) \
		$(BIN)/python -m pytest tests/serving/test_local_contract.py tests/serving/test_client_served.py $(SETTINGS)

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build *.egg-info

.venv/.installed: requirements.txt setup.cfg pyproject.toml
	@test -x .venv/bin/pip || $(PYTHON) -m venv --clear .venv
	@echo "installing into .venv (about 2 GB; a few minutes the first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -e .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.venv-bench/.installed: requirements-bench.txt
	@test -x .venv-bench/bin/pip || $(PYTHON) -m venv --clear .venv-bench
	@echo "installing the peers into .venv-bench (1 GB or more; a few minutes the first time)"
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@
