# Two commands on a fresh machine with Go: make run, make test.

VERSION  ?= $(shell cat VERSION)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
BRANCH   ?= $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)
WHO      ?= $(shell id -un)@$(shell hostname)
WHEN     ?= $(shell date -u +%Y%m%d-%H:%M:%S)
STAMP    := github.com/prometheus/common/version
LDFLAGS  := -X $(STAMP).Version=$(VERSION) -X $(STAMP).Revision=$(REVISION) \
            -X $(STAMP).Branch=$(BRANCH) -X $(STAMP).BuildUser=$(WHO) -X $(STAMP).BuildDate=$(WHEN)
TOOL     := go tool -modfile=tools.mod
ARGS     ?=
BENCHARGS ?=

.PHONY: run build test fmt lint fuzz bench

run: build ## start Holdfast on :9091; ARGS are more flags
	bin/holdfast $(ARGS)

build: ## bin/holdfast, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/holdfast ./cmd/holdfast

test: ## everything, with real clients and a real Prometheus, which it installs where they are missing
	scripts/test.sh

fmt: ## format the code
	$(TOOL) gofumpt -w .

lint: ## what scripts/test.sh checks before it tests
	scripts/lint.sh

fuzz: ## every fuzz target for FUZZTIME each
	scripts/fuzz.sh

bench: build ## the load driver with BENCHARGS, then every micro-benchmark, BENCHCOUNT times
	go run ./bench -holdfast bin/holdfast $(BENCHARGS)
	go test -run '^$$' -bench . -benchmem -count $${BENCHCOUNT:-6} ./...
