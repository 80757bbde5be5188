# make demo   see the check at work on a real backup; needs no root and no configuration
# make test   lint, types and all tests that need neither root nor daemons
# make benchmark  time the checks against duplicity itself and check_procs
# make fuzz  feed the readers what nobody thinks of, SECONDS_EACH for each; only TARGET, if given
# make clean  remove what these have made

PYTHON ?= python3
# duplicity's versions that the tests run: these install without a compiler.
VERSIONS ?= 2.2.4 3.2.1

VENV := .venv
BIN := $(VENV)/bin
SOURCES := setup.cfg setup.py $(wildcard lib/check_duplicity/*.py plugins/*)
DUPLICITIES := $(VERSIONS:%=.duplicity/%/installed)
PIP := -m pip install --quiet --disable-pip-version-check
SECONDS_EACH ?= 600
PYTEST ?= $(BIN)/python -m pytest -q -m 'not root'

.PHONY: demo test lint unit fuzz clean benchmark

demo: $(VENV)/installed .duplicity/3.2.1/installed
	@tests/demo $(BIN) .duplicity/3.2.1/bin

test: lint unit

lint: $(VENV)/tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy lib tests benchmarks fuzz $(wildcard plugins/*)

unit: $(VENV)/tools $(DUPLICITIES)
	DUPLICITIES=$(CURDIR)/.duplicity $(PYTEST)

benchmark: $(VENV)/tools $(DUPLICITIES)
	$(BIN)/python benchmarks/freshness.py $(VERSIONS:%=.duplicity/%/bin/duplicity)
	$(BIN)/python benchmarks/log.py
	@if [ -x /usr/lib/nagios/plugins/check_procs ]; then $(BIN)/python benchmarks/process.py; \
	else echo "no check_procs to compare with: install monitoring-plugins-basic"; fi

fuzz: $(VENV)/fuzzer
	nice $(BIN)/python fuzz/run.py --seconds $(SECONDS_EACH) $(TARGET)

$(VENV)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) makes no virtual environment: install python3-venv, or set PYTHON"; exit 1; }
	touch $@

# Not editable: what is tested is what gets installed.
$(VENV)/installed: $(VENV)/python $(SOURCES)
	rm -rf build
	$(BIN)/python $(PIP) --force-reinstall --no-deps .
	$(BIN)/python $(PIP) .
	rm -rf build lib/*.egg-info
	touch $@

$(VENV)/tools: $(VENV)/installed
	$(BIN)/python $(PIP) hypothesis mypy pytest ruff types-croniter types-psutil \
	  types-python-dateutil types-setuptools
	touch $@

$(VENV)/fuzzer: $(VENV)/tools
	$(BIN)/python $(PIP) atheris || { \
	  echo "there is no atheris for $$($(BIN)/python --version): set PYTHON to an older one," \
	  "and VENV to another folder"; exit 1; }
	touch $@

# Without their optional backends they are small; file:// is always there.
.duplicity/%/installed:
	rm -rf .duplicity/$*
	$(PYTHON) -m venv .duplicity/$*
	.duplicity/$*/bin/python $(PIP) fasteners future pexpect python-dateutil 'setuptools<70' \
	  setuptools_scm wheel
	.duplicity/$*/bin/python $(PIP) --no-deps --no-build-isolation --prefer-binary duplicity==$*
	touch $@

clean:
	rm -rf $(VENV) .duplicity fuzz/found build lib/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
