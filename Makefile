# make demo   see the checks at work on real backups, in .demo; needs no root and no configuration
# make test   lint, types and all tests that need neither root nor daemons
# make moto   an S3 server for the tests, some 60 packages in .moto; without it these are skipped
# make benchmark  time the checks against duplicity itself, check_procs, check_log; QUICK=yes: smaller sizes
# make load   measure the cost of 1,000 jobs with Icinga 2; as root, with DUPLICITY or the one in the PATH
# make docs   the pages in docs/ as HTML, in build/docs; warnings are errors
# make pages  update the programs' output in the README and in docs/; as root, also that of a whole host
# make deb    build the Debian package into dist/ (packages for that: see debian/control)
# make man    update the man pages from --help and the options in docs/, with help2man
# make puppet-test  the Puppet module; as root its examples are applied on this machine, and removed
# make e2e    all of it deployed for real; as root, on a machine that may be changed
# make fuzz  feed the readers what nobody thinks of, SECONDS_EACH for each; only TARGET, if given; with a
#             SEED the same inputs each time
# make mutants  change the code in one place at a time, and see whether the tests notice: SAMPLE changes, or
#             for SECONDS; only in MODULE (a file or folder), if given; with a SEED the same ones. QUICK=yes:
#             of one package, any, with only its tests
# make picture  the README's pictures of Icinga Web 2; as make e2e, with these packages besides:
#             icingaweb2 icinga2-ido-pgsql php-cli php-pgsql and chromium-headless-shell
# make dashboard-picture  update docs/dashboard.png with the dashboard's queries; needs prometheus
# make platforms  make demo, make test and the package on other Debians (SUITES), by debootstrap; as root
# make clean  remove all files that these targets make

PYTHON ?= python3
# The duplicity versions for the tests; the last one makes the demo's backups. The default is an older one
# and the newest that this Python runs (above 3.12 none below 3.0), both without a compiler.
ifndef VERSIONS
VERSIONS := $(shell $(PYTHON) -c 'import sys; minor = sys.version_info[1]; \
  print("2.2.4" if minor < 13 else "3.0.7", "3.2.1" if minor > 9 else "3.0.7")' 2> /dev/null)
endif
NEWEST := $(lastword $(VERSIONS))

VENV := .venv
BIN := $(VENV)/bin
SOURCES := setup.cfg setup.py $(wildcard plugins/*) $(shell find lib -name '*.py' -o -name '*.json')
DUPLICITIES := $(VERSIONS:%=.duplicity/%/installed)
DEBIAN_PATH := /usr/sbin:/usr/bin:/sbin:/bin
PIP := -m pip install --quiet --disable-pip-version-check
SECONDS_EACH ?= 600
SEED ?= 0
SUITES ?= trixie testing
TESTS ?= not root
SAMPLE ?= 300
PYTEST ?= $(BIN)/python -m pytest -q -m '$(TESTS)' -n logical --dist worksteal

.PHONY: docs pages demo test lint unit fuzz mutants clean benchmark load deb man puppet-test e2e picture dashboard-picture platforms moto

demo: $(VENV)/installed .duplicity/$(NEWEST)/installed
	@tests/demo $(BIN) .duplicity/$(NEWEST)/bin

test: lint unit

lint: $(VENV)/tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy lib tests benchmarks fuzz mutants icinga prometheus $(wildcard plugins/*)
	@$(BIN)/lint-imports --no-cache > $(VENV)/imports || { cat $(VENV)/imports; exit 1; }
	$(BIN)/bandit -q -c pyproject.toml -r lib $(wildcard plugins/*)
	$(BIN)/codespell README.rst SECURITY.rst CHANGELOG.rst Makefile .ci benchmarks debian docs fuzz icinga lib plugins prometheus puppet systemd

unit: $(VENV)/tools $(DUPLICITIES)
	DUPLICITIES=$(CURDIR)/.duplicity MOTO=$(CURDIR)/.moto $(PYTEST)

# Not in parallel, since each test writes into a page.
pages: $(VENV)/tools $(DUPLICITIES)
	DUPLICITIES=$(CURDIR)/.duplicity UPDATE_PAGES=yes $(BIN)/python -m pytest -q -p no:cacheprovider \
	  tests/test_pages.py tests/real/test_pages.py tests/real/test_demo.py tests/root/test_pages.py

moto: .moto/installed

benchmark: $(VENV)/tools $(DUPLICITIES)
	$(BIN)/python benchmarks/compare.py $(if $(QUICK),--quick) $(VERSIONS:%=$(CURDIR)/.duplicity/%/bin/duplicity)

load: $(VENV)/tools
	$(BIN)/python benchmarks/load.py $(DUPLICITY)

# Build in a copy, with Debian's own Python: nothing is left here but dist/.
deb:
	@command -v dpkg-buildpackage > /dev/null && PATH=$(DEBIAN_PATH) dpkg-checkbuilddeps || { \
	  echo "to install what the build needs, some 400 MB: apt-get build-dep ./"; exit 1; }
	rm -rf dist build && mkdir -p build/deb/source dist
	tar --exclude-vcs --exclude='./.?*' --exclude=./build --exclude=./dist -c . | tar -x -C build/deb/source
	cd build/deb/source && PATH=$(DEBIAN_PATH) dpkg-buildpackage -us -uc -b
	cp build/deb/*.deb build/deb/*.changes build/deb/*.buildinfo dist/
	rm -rf build

docs: $(VENV)/sphinx
	$(BIN)/sphinx-build -q -W --keep-going -E docs build/docs

man: $(VENV)/installed
	docs/make-man $(BIN) docs/man

puppet-test:
	@command -v rake > /dev/null || { echo "no rake: apt-get install rake"; exit 1; }
	cd puppet && rake

# Use Debian's Python and pytest, as on an administrator's machine.
e2e:
	E2E=yes PATH=$(DEBIAN_PATH) /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/e2e

fuzz: $(VENV)/fuzzer
	nice $(BIN)/python fuzz/run.py --seconds $(SECONDS_EACH) --seed $(SEED) $(TARGET)

mutants: $(VENV)/mutator
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/mutants
	nice $(BIN)/python mutants/mutate.py --sample $(SAMPLE) $(SECONDS:%=--seconds %) \
	  $(if $(QUICK),--quick) $(if $(filter-out 0,$(SEED)),--seed $(SEED)) $(MODULE)

# set -e: the first suite that fails is the last one.
platforms:
	set -e; for suite in $(SUITES); do .ci/platform $$suite; done

picture:
	E2E=yes PICTURE=yes PATH=$(DEBIAN_PATH) /usr/bin/python3 -m pytest -q -p no:cacheprovider \
	  tests/e2e/test_picture.py

dashboard-picture: .picture/installed
	python3 prometheus/dashboard.py > prometheus/dashboard.json
	PYTHONPATH=tests .picture/bin/python prometheus/picture.py docs/dashboard.png

$(VENV)/python:
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) makes no virtual environment: install python3-venv, or set PYTHON"; exit 1; }
	@touch $@

# Not editable, so that the tests run the installed package.
$(VENV)/installed: $(VENV)/python $(SOURCES)
	@echo "Installing check-duplicity into $(VENV)"
	@$(BIN)/python $(PIP) --force-reinstall --no-deps .
	@$(BIN)/python $(PIP) .
	@touch $@

$(VENV)/tools: $(VENV)/installed
	@echo "Installing the tools of the tests into $(VENV)"
	@$(BIN)/python $(PIP) 'bandit[toml]' codespell hypothesis import-linter mypy pytest pytest-xdist ruff types-croniter \
	  types-psutil types-python-dateutil types-setuptools
	@touch $@

$(VENV)/sphinx: $(VENV)/python
	@echo "Installing Sphinx into $(VENV)"
	@$(BIN)/python $(PIP) sphinx
	@touch $@

$(VENV)/fuzzer: $(VENV)/tools
	$(BIN)/python $(PIP) atheris || { \
	  echo "there is no atheris for $$($(BIN)/python --version): set PYTHON to an older one," \
	  "and VENV to another folder"; exit 1; }
	touch $@

$(VENV)/mutator: $(VENV)/tools
	@echo "Installing cosmic-ray into $(VENV)"
	@$(BIN)/python $(PIP) cosmic-ray
	@touch $@

# Without their optional backends they are small; file:// is always there.
.duplicity/%/installed:
	@echo "Installing duplicity $* into .duplicity/$*"
	@rm -rf .duplicity/$*
	@$(PYTHON) -m venv .duplicity/$*
	@.duplicity/$*/bin/python $(PIP) fasteners future pexpect python-dateutil 'setuptools<70' \
	  setuptools_scm wheel
	@.duplicity/$*/bin/python $(PIP) --no-deps --no-build-isolation --prefer-binary duplicity==$*
	@touch $@

# duplicity uses this boto3, too.
.moto/installed:
	@echo "Installing moto's server into .moto"
	@rm -rf .moto
	@$(PYTHON) -m venv .moto
	@.moto/bin/python $(PIP) boto3 'moto[server]'
	@touch $@

.picture/installed: $(SOURCES)
	@echo "Installing matplotlib into .picture"
	@rm -rf .picture
	@$(PYTHON) -m venv .picture
	@.picture/bin/python $(PIP) matplotlib pytest .
	@touch $@

clean:
	rm -rf $(VENV) .demo .duplicity .moto .picture fuzz/found build dist lib/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
