# mailyard. `make` or `make help` tells what there is.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

MODULES  := schemas pkg services
BINARIES  = $(wildcard services/*/cmd/*)
BENCH    ?= .
FUZZTIME ?= 10s
PICTURES ?= bin/screenshots
# A first run in CI compiles everything with the race detector, hence the long timeout.
TESTFLAGS ?= -race -shuffle=on -count=1 -timeout=20m
IMAGE    ?= mailyard
BUILDFLAGS = -trimpath -ldflags '-X github.com/mailyard/mailyard/pkg/process.built=$(VERSION)'
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: help
help: ## Show this help
	@awk 'BEGIN { FS = ":.*## " } /^[a-z][a-z\/-]*:.*## / { printf "  \033[36m%-12s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: go
go:
	@command -v go >/dev/null || { echo 'make: Go is not in PATH. Install Go 1.26 or newer (https://go.dev/dl) and put its bin folder in PATH.' >&2; exit 1; }

.PHONY: build
build: go ## Build bin/mailyard and the binary of each service
	go build $(BUILDFLAGS) -o bin/ $(BINARIES:%=./%)

.PHONY: run
run: go ## Run all of mailyard in one process, with a demo mail server, on ./data
	go build $(BUILDFLAGS) -o bin/ ./services/mailyard/cmd/mailyard
	./bin/mailyard up --demo --data ./data

.PHONY: test
test: go ## Run all tests with the race detector, on real Dovecot, Redis, PostgreSQL, NATS and Chromium (installs what lacks)
	deploy/test/packages.sh gcc dovecot redis postgresql chromium
	deploy/test/servers.sh deploy/test/report.sh go test $(TESTFLAGS) -tags full work

.PHONY: test-fast
test-fast: go ## Run the tests that need nothing but Go
	go test -shuffle=on work

.PHONY: lint
lint: go ## Check format, vet, staticcheck and the rules of the house
	@echo 'gofmt'; files=$$(gofmt -l $(MODULES) tools); if [ -n "$$files" ]; then echo "not formatted (run make fmt):"; echo "$$files"; exit 1; fi
	go vet work
	go vet -tags full work
	GOWORK=off go build -C tools -o ../bin/ honnef.co/go/tools/cmd/staticcheck ./house
	bin/staticcheck work
	bin/staticcheck -tags full work
	GOWORK=off go test -C tools ./...
	bin/house .

.PHONY: verify
verify: go ## Check that modules are tidy and build alone, generated files are up to date, and imports respect the fences
	deploy/test/verify.sh $(MODULES)
	go test -count=1 -run Fence ./services

.PHONY: fuzz
fuzz: go ## Run every fuzz target for FUZZTIME (10s)
	deploy/test/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: go ## Run the benchmarks that match BENCH (all), on real servers
	deploy/test/packages.sh gcc dovecot redis postgresql
	deploy/test/servers.sh go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m -p 1 -tags full work

.PHONY: screenshots
screenshots: go ## Take a picture of every page of the console, light, dark and narrow, into PICTURES (bin/screenshots)
	deploy/test/packages.sh chromium
	mkdir -p $(PICTURES)
	MAILYARD_TEST_CHROMIUM=$$(command -v chromium || command -v chromium-browser || command -v google-chrome) go test -tags full -count=1 -timeout=20m -run '^TestScreenshots$$' ./services/browser -args -pictures=$(abspath $(PICTURES))

.PHONY: fmt
fmt: go ## Format the Go files
	gofmt -w $(MODULES) tools

.PHONY: generate
generate: go ## Write the generated files anew
	go generate work

.PHONY: tidy
tidy: go ## Tidy the modules
	for m in $(MODULES) tools; do (cd $$m && GOWORK=off go mod tidy); done
	go work sync

.PHONY: images
images: ## Build a container image per binary, named IMAGE/<binary>:VERSION
	for b in $(notdir $(BINARIES)); do docker build --build-arg SERVICE=$$b --build-arg VERSION=$(VERSION) -t $(IMAGE)/$$b:$(VERSION) .; done

.PHONY: clean
clean: ## Remove what was built (the demo's ./data stays)
	rm -rf bin
