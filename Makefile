# make run: all of Earmark on this machine.  make setup: prepare without starting.  make test: the whole gate.
# make prove: long proofs and measured speeds; PROOFS="kills gap" for some.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# Processes that run tests. More than cores, for many tests wait for a sound to be heard.
WORKERS ?= 4

.PHONY: run setup test prove
.DEFAULT_GOAL := run

run: $(VENV)/ready-to-run
	@exec $(PY) manage.py serve

setup: $(VENV)/ready-to-run
	@$(PY) manage.py prepare

test: $(VENV)/ready-to-test
	@deploy/ensure_browsers.sh
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	@sh deploy/check_settings.sh $(PY)
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS)

prove: $(VENV)/ready-to-test
	@deploy/ensure_browsers.sh
	$(PY) -m benchmarks $(PROOFS)

$(VENV)/ready-to-run: requirements.txt deploy/mend_torchaudio.py
	@$(PYTHON) deploy/check_python.py
	@echo "Setting up: a virtual environment and the packages of requirements.txt (several minutes, once)."
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --disable-pip-version-check --prefer-binary -r requirements.txt
	@$(PY) deploy/mend_torchaudio.py
	@touch $@

$(VENV)/ready-to-test: requirements-dev.txt $(VENV)/ready-to-run
	$(PY) -m pip install --disable-pip-version-check --prefer-binary -r requirements-dev.txt
	@touch $@
