# `make up` and `make test` are all that a newcomer types; the rest is for those who build.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ./data
PORT ?= 10000
SECONDS ?= 60
SEEDS ?= 500
STEPS ?= 3000
HOURS ?= 6
FAULTS ?= 100

.PHONY: up test check format interop bench fuzz simulate simulate-nightly faults protos man clean

$(VENV)/.runtime: pyproject.toml
	@echo "installing into $(VENV): a minute the first time"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	@touch $@

up: $(VENV)/.runtime
	@$(BIN)/mailnode demo $(DATA) --base-port $(PORT)

test: $(VENV)/.dev
	$(BIN)/pytest tests -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

interop: $(VENV)/.dev
	$(BIN)/pytest interop

bench: $(VENV)/.dev
	$(BIN)/python -m interop.bench

fuzz: $(VENV)/.fuzz
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

simulate: $(VENV)/.dev
	$(BIN)/python -m tests.sim --seeds $(SEEDS) --steps $(STEPS)

simulate-nightly: $(VENV)/.dev
	$(BIN)/python -m tests.sim --hours $(HOURS) --steps $(STEPS)

faults: $(VENV)/.dev
	FAULTS=$(FAULTS) $(BIN)/pytest -s tests/faults/test_cluster.py tests/faults/test_datacentres.py

# --proto_path=VIRTUAL=DISK makes the generated imports absolute: mailnode.pb.row_pb2.
protos: $(VENV)/.dev
	$(BIN)/python -m grpc_tools.protoc --proto_path=mailnode/pb=protos \
		--python_out=. --pyi_out=. $(patsubst protos/%,mailnode/pb/%,$(wildcard protos/*.proto))

man: $(VENV)/.runtime
	COLUMNS=200 $(BIN)/mailnode manual > docs/mailnode.1

clean:
	rm -rf $(VENV) build *.egg-info
