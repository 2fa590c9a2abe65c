# Two commands set a fresh machine up: `git clone` and any of these. Each makes what it needs.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SCENARIO ?= scenarios/demo.toml
DEMO_ARGUMENTS ?=
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.test-installed

# Two tools to compare with, each with what it pins in an environment of its own.
TOOLS := skyfield basilisk
FIDELITY_PATH := .:tests/golden:tests/support:tests/fidelity

.PHONY: demo test stress bench fidelity lint docs clean servers

demo: $(STAMP)  ## fly one orbit on this machine: real inference, emulated orbit, real MQTT
	$(BIN)/groundlink demo --scenario $(SCENARIO) $(DEMO_ARGUMENTS)

test: $(TEST_STAMP) servers lint  ## everything that can fail
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --fail-under=100 --skip-covered \
	  --include='node/core/*,node/physics/*,node/transfer/*,groundlink/channel.py,groundlink/impairments/*'

stress: $(TEST_STAMP) servers  ## the long forms: minutes under a ceiling, hundreds of stops
	$(BIN)/python -m pytest -m stress -s

bench: $(TEST_STAMP)  ## measure; writes bench.json
	$(BIN)/python tests/bench/run.py --out bench.json

# 700 MB of environments, made once.
fidelity: $(TEST_STAMP) $(TOOLS:%=.venv-%/.installed)  ## compare with Skyfield and Basilisk; writes docs/fidelity.md
	PYTHONPATH=$(FIDELITY_PATH) $(BIN)/python docs/generate_fidelity.py \
	  --skyfield .venv-skyfield/bin/python --basilisk .venv-basilisk/bin/python

lint: $(TEST_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# The last NumPy for 3.10 has incomplete types; mypy checks against 3.10 wherever it runs.
	if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then $(BIN)/mypy; fi

docs: $(TEST_STAMP)  ## write the generated pages anew
	PYTHONPATH=. $(BIN)/python docs/generate_configuration.py
	PYTHONPATH=$(FIDELITY_PATH) $(BIN)/python docs/generate_fidelity.py
	$(BIN)/python grafana/generate.py

clean:
	rm -rf $(VENV) $(TOOLS:%=.venv-%) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage* runs bench.json

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "orbitnode needs Python 3.10 or newer")'
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cpu,demo]'
	touch $@

$(TEST_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cpu,demo,test]'
	touch $@

$(TOOLS:%=.venv-%/.installed): .venv-%/.installed: tests/fidelity/%.txt | $(BIN)/python
	$(PYTHON) -m venv --clear .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check -r $< \
	  || { echo "$* cannot be installed: docs/fidelity.md stays as it is" >&2; exit 1; }
	touch $@

# Broker, monitoring and the judge of the units are the real ones. Debian puts some of them into
# /usr/sbin, which is not on every PATH.
servers:
	@missing=; for program in mosquitto prometheus promtool systemd-analyze; do \
	  PATH="$$PATH:/usr/sbin" command -v $$program >/dev/null || missing=yes; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto prometheus systemd; \
	else echo "The tests need servers: apt-get install mosquitto prometheus systemd" >&2; exit 1; fi
