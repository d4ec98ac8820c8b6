# The doors of the project. `make` alone lists them.
PY := .venv/bin/python
RINGMATCH = $(MAKE) --no-print-directory -C ringmatch PYTHON="$(abspath $(PY))" PEERS="$(abspath .venv/peers)"
ROOM ?=

.PHONY: help setup demo run test check fix bench bench-matching experience test-peers peers sanitize

help: ## list these doors
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

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

bench: bench-matching # the same

experience: setup ## the goals of the report site, each with its value; ONLY=U1,U7 for some of them
	@tools/setup.sh browser
	@$(PY) -m benchmarks.experience $(if $(ONLY),--only $(ONLY))

bench-matching: setup ## the matching engine beside its peers, 10 million hashes; SIZE=200000 for a quick look, PART=hash
	@$(RINGMATCH) bench-matching

test-peers: setup ## the drop-in for python-threatexchange, against the real package
	@$(RINGMATCH) test-peers

peers: setup
	@$(RINGMATCH) peers

sanitize: setup ## the tests of the matching engine on a build that watches its memory
	@$(RINGMATCH) sanitize
