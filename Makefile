# The doors of the project. `make` alone lists them.
PY := .venv/bin/python
ROOM ?=
SIZE ?=

.PHONY: help setup demo run test check fix bench

help: ## list these doors
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## install everything into .venv (safe to repeat)
	@tools/setup.sh

demo: setup ## play the whole chain and leave the site running; FRESH=1 starts over, Ctrl-C ends it
	@.venv/bin/vigil demo $(if $(FRESH),--fresh)

run: setup ## run an installation on this machine
	@.venv/bin/vigil up

test: setup ## run every test; ROOM=intake runs one room's
	@tools/setup.sh browser
	@$(PY) -m pytest -q $(if $(ROOM),$(wildcard vigil/$(ROOM)/tests $(ROOM)/tests),)

check: setup ## style, types, import directions, translations, migrations, docstrings
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@VIGIL_PROCESS=test $(PY) -m mypy vigil vigil_demo tools
	@.venv/bin/lint-imports --no-cache
	@$(PY) -m tools.translations check
	@.venv/bin/vigil manage makemigrations --check --dry-run

fix: setup ## mend style
	@$(PY) -m ruff check --fix -q . ; $(PY) -m ruff format -q .

bench: setup ## the matching engine beside its peers; SIZE=100000 for a smaller list
	@.venv/bin/uv pip install --quiet --target .venv/peers --no-deps -r ringmatch/benchmarks/requirements.txt
	@PYTHONPATH=.venv/peers OMP_NUM_THREADS=1 $(PY) ringmatch/benchmarks/search.py --size $(or $(SIZE),1000000)
	@PYTHONPATH=.venv/peers $(PY) ringmatch/benchmarks/hashing.py
