# Huixin. `make` lists what there is. Everything that is made lies in .venv/, web/, models/, var/.

PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help setup run train test kills eval lint lock bench replay staff clean python

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The tools say clearly what is missing; only their own Python has to be looked at here.
python:
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is missing; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than 3.11; name a newer one: make PYTHON=/path/to/python3.11" >&2; exit 1; }

setup: python ## install both environments, build the pages, train the model
	@$(PYTHON) -m tools.prepare

run: python ## set up what is missing, start desk, actions and Rasa; Ctrl-C stops them
	@$(PYTHON) -m tools.run

train: python ## train the model, if there is none for the present data
	@$(PYTHON) -m tools.model

test: python ## set up with the tests' requirements and run every check
	@$(PYTHON) -m tools.checks

kills: python ## 200 conversations through 20 random kills of each process; prints its seed
	@$(PYTHON) -m tools.prepare --quiet
	@.venv/service/bin/python -m pytest -s tests/crash/test_random_kills.py

eval: python ## score the recognition and write docs/recognition.md; GOLD=file scores that file
	@$(PYTHON) -m tools.evaluate $(if $(GOLD),"$(GOLD)")

lint: python ## style and types only
	@$(PYTHON) -m tools.checks --lint

lock: python ## redo requirements/*.txt from *.in; UPGRADE=1 for the newest versions
	@$(PYTHON) -m tools.lock $(if $(UPGRADE),--upgrade)

bench: python ## measure against stock Rasa, see the README
	@$(PYTHON) -m tools.prepare --quiet --tests
	@.venv/service/bin/python -m bench

replay: python ## post the real posts of FILE=... into the public room and report
	@test -n "$(FILE)" || { echo "usage: make replay FILE=path/to/dialogues.jsonl" >&2; exit 2; }
	@$(PYTHON) -m tools.prepare --quiet
	@.venv/service/bin/python -m tools.replay "$(FILE)"

staff: python ## make an account for staff: make staff LOGIN=.. [NAME=..] [ROLE=..] [BUSINESS=..]
	@test -n "$(LOGIN)" || { echo "usage: make staff LOGIN=li [NAME=李娜] [ROLE=agent] [BUSINESS=lanting]" >&2; exit 2; }
	@$(PYTHON) -m tools.environments
	@.venv/service/bin/python -m desk staff add "$(LOGIN)" $(if $(NAME),--name "$(NAME)") $(if $(ROLE),--role "$(ROLE)") $(if $(BUSINESS),--business "$(BUSINESS)")

clean: ## remove what can be made again (not var/, not models/)
	rm -rf .venv web/node_modules web/dist .rasa .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
