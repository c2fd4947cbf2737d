# `make help` lists what one can do here. The steps themselves are small scripts in tools/.

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' python/jvloop/__init__.py)
WHEEL := $(CURDIR)/dist/jvloop-$(VERSION)-py3-none-any.whl
JAR := engine/target/jvloop-engine.jar
# The jar carries the Python package, for Java programs that start Python.
JAVA_SOURCES := engine/pom.xml $(shell find engine/src/main -type f; find python -name "*.py")
COMMIT = $(addprefix --commit ,$(shell git describe --always --dirty 2>/dev/null))
BENCH_OPTIONS = $(if $(ONLY),--only '$(ONLY)') $(if $(LOOPS),--loops $(LOOPS)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(COMMIT) $(ARGS)
PYTHON_SOURCES := pyproject.toml LICENSE README.md $(shell find python -name '*.py' -o -name py.typed)

.PHONY: help run run-host test test-quick test-3.14 test-free-threaded lint engine wheel bench bench-3.14 bench-growth bench-java bench-host doctor clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

run: wheel ## Build, install, show a real application on jvloop against the others; APP=program.py runs that instead
	@tools/run.sh $(WHEEL) $(APP) $(ARGS)

run-host: wheel ## A Java service that calls async Python (aiohttp, numpy) in its own process: start it, drive it, end it
	@tools/run-host.sh $(WHEEL) $(ARGS)

test: wheel ## All tests: Java, ruff, mypy, pytest on every CPython found, CPython's test_asyncio; PYTHONS="3.12 3.13" limits
	@tools/test.sh $(WHEEL) java lint pytest cpython

test-quick: wheel ## ruff, mypy, and pytest on the newest CPython found; PYTEST_ARGS="tests/jvm -k doctor" limits
	@PYTHONS="$${PYTHONS:-$$(tools/find-pythons.sh --newest | cut -d ' ' -f 1)}" tools/test.sh $(WHEEL) lint pytest

test-free-threaded: wheel ## pytest and test_asyncio on a free-threaded CPython, built first if need be; PYTHONS=3.13t
	@for version in $${PYTHONS:-3.13t}; do tools/build-python.sh $$version || exit 1; done
	@PYTHONS="$${PYTHONS:-3.13t}" tools/test.sh $(WHEEL) pytest cpython

test-3.14: wheel ## pytest and test_asyncio on CPython 3.14, in a tree of Debian sid if this machine has none (needs root)
	@tools/in-sid.sh 3.14 test.sh $(WHEEL) pytest cpython

lint: wheel ## ruff and mypy
	@tools/test.sh $(WHEEL) lint

engine: $(JAR) ## Build the Java engine (JDK 25 and Maven are found, or installed by apt)

wheel: $(WHEEL) ## Build dist/jvloop-*.whl

bench: wheel ## Benchmarks with their report; ONLY=tcp_echo_1k LOOPS=uvloop,jvloop ROUNDS=2 ARGS="--duration 1" PYTHONS=3.12
	@tools/bench.sh $(WHEEL) results $(BENCH_OPTIONS)

bench-3.14: wheel ## Benchmarks on CPython 3.14, where zuvloop installs too; as make test-3.14, and the options of make bench
	@tools/in-sid.sh 3.14 bench.sh $(WHEEL) results-3.14 $(BENCH_OPTIONS)

bench-growth: wheel ## Benchmarks of cost against size: connections, timers, pending handles; the same options but ONLY
	@tools/bench.sh $(WHEEL) growth --only 'growth_*' $(BENCH_OPTIONS)

bench-java: ## JMH benchmarks of the Java parts that stand alone; ARGS="TimerHeap -f 1 -prof gc"
	@tools/bench-java.sh $(ARGS)

bench-host: ## Python called from Java, on jvloop and on JEP; ONLY=squareRoot,upper ROUNDS=1 PYTHONS=3.12 ARGS="-wi 2"
	@tools/bench-host.sh $(BENCH_OPTIONS)

doctor: wheel ## What Java, what Python, and does the loop work
	@tools/run.sh $(WHEEL) doctor

clean: ## Remove everything that was made
	rm -rf .venv dist build engine/target .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(JAR): $(JAVA_SOURCES)
	@tools/build-engine.sh
	@touch $@

$(WHEEL): $(JAR) $(PYTHON_SOURCES)
	@tools/build-wheel.sh $@
