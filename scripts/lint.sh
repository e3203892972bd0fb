#!/usr/bin/env bash
# Checks the form of the code: format, vet, staticcheck, and that the command line compiles for other systems. Prints what is wrong and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "lint: gofumpt"
unformatted=$(go tool -modfile=tools.mod gofumpt -l .)
if [ -n "$unformatted" ]; then
	echo "not formatted, run make fmt:" >&2
	echo "$unformatted" >&2
	exit 1
fi
echo "lint: go.mod"
go mod verify >/dev/null
go mod tidy -diff

echo "lint: vet, staticcheck"
for module in . e2e; do
	[ -f "$module/go.mod" ] || continue
	(
		cd "$module"
		go vet ./...
		go tool -modfile="$OLDPWD/tools.mod" staticcheck ./...
	)
done

# People wrap jobs on other systems too; their files are not vetted by the run above.
for system in windows darwin; do
	echo "lint: the command line on $system"
	GOOS=$system go vet ./cmd/... ./internal/client/... ./internal/jobrun/...
done
