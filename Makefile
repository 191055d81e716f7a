# make train   installs and trains on RECOLA, or on its simulated stand-in
# make test    installs and runs all tests; make check: the fast ones; make soak: the long ones
# make lint    the linter

PYTHON ?= python3
BIN := .venv/bin
SETTINGS ?=

.PHONY: train test check soak lint format clean

train: .venv/.installed
	$(BIN)/python -m emobed_tf.train --dataset recola $(SETTINGS)

test: .venv/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not soak" $(SETTINGS)

check: .venv/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not soak" $(SETTINGS)

soak: .venv/.installed-dev
	$(BIN)/python -m pytest -m soak $(SETTINGS)

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

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
