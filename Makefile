# The commands of CONTRIBUTING.md. `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

LISTEN ?= 127.0.0.1:1234
DATA ?= ydock-data
target := $(or $(CARGO_TARGET_DIR),target)
# The tests with JavaScript clients share the binary that `cargo test` builds anyway: a release build costs minutes more.
ydock_bin := $(abspath $(target))/debug/ydock

# In a profile of its own, which leaves out what makes a release slow to build.
count_instructions := cargo bench --locked --profile instructions --bench instructions

node_tests := $(patsubst %/package.json,%,$(wildcard tests/*/package.json))
node_modules := node_modules/.package-lock.json
load_peers := $(patsubst %/package.json,%,$(wildcard benches/load/peers/*/package.json))
demo_sources := $(shell find web-demo -name node_modules -prune -o -name dist -prune -o -type f -print 2>/dev/null)
demo := $(if $(demo_sources),web-demo/dist/index.html)

.PHONY: help setup run check lint test test-packages test-demo test-rust test-interop test-browser faults instructions instructions-baseline bench bench-parts fuzz

help:
	@echo "make setup | run | check | test | faults | instructions | bench | bench-parts | fuzz     (CONTRIBUTING.md says what each does)"

setup:
	scripts/setup run

# Ends with exec, so that a signal reaches the server and not a shell.
run: setup $(demo)
	cargo build --release --locked
	@exec "$(target)/release/ydock" serve --listen "$(LISTEN)" --data "$(DATA)"

lint:
	cargo fmt --all --check
	cargo clippy --locked --all-targets -- -D warnings

check: lint
	cargo test --locked --lib --test tidy

# One after the other, also under `make -j`: what fails first is the cheapest to find.
test:
	scripts/setup test
	$(MAKE) test-packages
	$(MAKE) test-demo
	$(MAKE) lint
	$(MAKE) test-rust
	$(MAKE) instructions
	$(MAKE) test-interop
	$(MAKE) test-browser

# The demo comes before the binary, which embeds it; some Rust tests ask Yjs itself through Node.
test-packages: $(demo) $(node_tests:=/$(node_modules))

test-demo: $(demo)
	cd web-demo && npm test

# Tests bring features of their dependencies with them: that it also compiles without those, only the check tells.
test-rust: test-packages
	cargo test --locked
	cargo check --locked

test-interop: tests/interop/$(node_modules)
	cd tests/interop && YDOCK_BIN="$(ydock_bin)" npm test

test-browser: tests/browser/$(node_modules)
	cd tests/browser && YDOCK_BIN="$(ydock_bin)" npm test

# The long form of what `cargo test` runs in short; YDOCK_FAULTS_ONLY picks, YDOCK_FAULTS_SEED repeats.
faults:
	YDOCK_FAULTS=long cargo test --locked --test faults

# Counts the instructions of the hot paths and fails where there are many more than the baseline says.
instructions:
	$(count_instructions)

instructions-baseline:
	$(count_instructions) -- --write

# LOAD takes what `cargo bench --bench load -- --help` tells; YDOCK_BIN, a program other than the one just built.
LOAD ?= --write
bench: $(load_peers:=/$(node_modules))
	cargo bench --locked --bench load -- $(LOAD)

bench-parts:
	cargo bench --locked --bench sync --bench storage --bench rooms --bench materialise

fuzz:
	scripts/fuzz

# A package's dependencies are installed once per lockfile.
%/$(node_modules): %/package.json %/package-lock.json
	cd $* && npm ci --no-audit --no-fund
	@touch $@

web-demo/dist/index.html: web-demo/$(node_modules) $(demo_sources)
	cd web-demo && npm run build
	@touch $@
