#!/usr/bin/env bash
# Runs every test of the project, what fails cheapest first, and closes with a line that counts them.
set -euo pipefail
cd "$(dirname "$0")/.."

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

step() { echo; echo "== $1 (after ${SECONDS}s)"; }

# tested NAME FOLDER ARGS… runs go test in a module; what it prints per package is gotestsum's.
tested() {
	local name=$1 folder=$2
	shift 2
	(cd "$folder" && "$OLDPWD/bin/gotestsum" --format pkgname-and-test-fails --jsonfile "$results/$name" -- "$@")
}

counted() { cat "$results"/* | grep -c "\"Action\":\"$1\".*\"Test\":" || true; }

step "parts"
scripts/parts.sh
go build -modfile=tools.mod -o bin/ gotest.tools/gotestsum

step "lint"
scripts/lint.sh

step "architecture"
tested architecture . -run '^TestArchitecture' .

step "unit, model, conformance, command line"
tested all . -timeout 15m ./...

if [ -f e2e/go.mod ]; then
	step "real clients, a real Prometheus"
	tested e2e e2e -count 1 -timeout 15m ./...
fi

step "race detector"
tested race . -race -short -timeout 15m ./...

step "fuzz"
scripts/fuzz.sh

step "benchmarks, once each"
go test -run '^$' -bench . -benchtime 1x ./...

echo
echo "all green in ${SECONDS}s: $(counted pass) tests passed, $(counted skip) skipped, $(counted fail) failed"
